// Packs rows of a file's matrix into interleaved panels.
#include "kernels/cpu/panel_layout.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace gapscope {

namespace {

using Bytes = const uint8_t*;

struct Scales {
    uint16_t d = 0;      // half
    uint16_t dmin = 0;   // half
    uint8_t first = 0;   // Q4_K, Q5_K: scale; Q6_K: scale of the first 16
    uint8_t second = 0;  // Q4_K, Q5_K: minimum; Q6_K: scale of the last 16
};

uint16_t load16(Bytes bytes) {
    uint16_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

void lowNibbles(Bytes qs, uint8_t* out) {
    for (int i = 0; i < 16; ++i) {
        out[i] = qs[i] & 15;
        out[i + 16] = qs[i] >> 4;
    }
}

// Sub-block `sub` (32 columns) of a Q4_K or Q5_K block; the formulas are in dequantize.cpp.
Scales unpackK(Bytes block, Bytes high, Bytes low, int sub, uint8_t* out) {
    const uint8_t* const scales = block + 4;
    Scales result{load16(block), load16(block + 2)};
    if (sub < 4) {
        result.first = scales[sub] & 63;
        result.second = scales[sub + 4] & 63;
    } else {
        result.first = static_cast<uint8_t>((scales[sub + 4] & 15) | ((scales[sub - 4] >> 6) << 4));
        result.second = static_cast<uint8_t>((scales[sub + 4] >> 4) | ((scales[sub] >> 6) << 4));
    }
    const uint8_t* const qs = low + 32 * (sub / 2);
    const int shift = sub % 2 * 4;
    for (int i = 0; i < 32; ++i)
        out[i] = (qs[i] >> shift) & 15;
    if (high)
        for (int i = 0; i < 32; ++i)
            out[i] = static_cast<uint8_t>(out[i] | (((high[i] >> sub) & 1) << 4));
    return result;
}

Scales unpackQ6K(Bytes block, int sub, uint8_t* out) {
    const int half = sub / 4;
    const int quarter = sub % 4;
    const uint8_t* const low = block + 64 * half + 32 * (quarter % 2);
    const uint8_t* const high = block + 128 + 32 * half;
    const int lowShift = quarter / 2 * 4;
    for (int i = 0; i < 32; ++i)
        out[i] = static_cast<uint8_t>(((low[i] >> lowShift) & 15) | (((high[i] >> (2 * quarter)) & 3) << 4));
    return {load16(block + 208), 0, block[192 + 2 * sub], block[193 + 2 * sub]};
}

// Columns [32 * index, +32) of a row as unsigned weights.
Scales unpack32(WeightType type, Bytes row, int64_t index, uint8_t* out) {
    switch (type) {
        case WeightType::Q8_0: {
            const uint8_t* const block = row + 34 * index;
            for (int i = 0; i < 32; ++i)
                out[i] = block[2 + i] ^ 0x80;
            return {load16(block)};
        }
        case WeightType::Q4_0: {
            const uint8_t* const block = row + 18 * index;
            lowNibbles(block + 2, out);
            return {load16(block)};
        }
        case WeightType::Q5_0: {
            const uint8_t* const block = row + 22 * index;
            lowNibbles(block + 6, out);
            uint32_t high = 0;
            std::memcpy(&high, block + 2, sizeof high);
            for (uint32_t i = 0; i < 32; ++i)
                out[i] = static_cast<uint8_t>(out[i] | (((high >> i) & 1U) << 4));
            return {load16(block)};
        }
        case WeightType::Q4_K: {
            const uint8_t* const block = row + 144 * (index / 8);
            return unpackK(block, nullptr, block + 16, static_cast<int>(index % 8), out);
        }
        case WeightType::Q5_K: {
            const uint8_t* const block = row + 176 * (index / 8);
            return unpackK(block, block + 16, block + 48, static_cast<int>(index % 8), out);
        }
        case WeightType::Q6_K:
            return unpackQ6K(row + 210 * (index / 8), static_cast<int>(index % 8), out);
        default:
            return {};
    }
}

struct QuantShape {
    int64_t blockElements = 32;
    int64_t blockHeader = 0;     // bytes a row of what comes once a block
    int64_t subHeader = 0;       // bytes a row of what comes every 32 columns in it
    int64_t payloadVectors = 0;  // of R * 4 bytes, every 32 columns
};

QuantShape quantShape(WeightType type) {
    switch (type) {
        case WeightType::Q8_0:
            return {32, 2, 0, 8};
        case WeightType::Q4_0:
            return {32, 2, 0, 4};
        case WeightType::Q5_0:
            return {32, 2, 0, 5};
        case WeightType::Q4_K:
            return {256, 4, 2, 4};
        case WeightType::Q5_K:
            return {256, 4, 2, 5};
        case WeightType::Q6_K:
            return {256, 2, 2, 6};
        default:
            return {};
    }
}

// What row r of the panel contributes to the payload of 32 columns; `out` points at lane r of the first vector.
void storePayload(WeightType type, const uint8_t* u, int64_t vectorBytes, uint8_t* out) {
    if (type == WeightType::Q8_0) {
        for (int g = 0; g < 8; ++g)
            std::memcpy(out + g * vectorBytes, u + 4 * g, 4);
        return;
    }
    uint8_t nibbles[16];
    for (int i = 0; i < 16; ++i)
        nibbles[i] = static_cast<uint8_t>((u[i] & 15) | ((u[i + 16] & 15) << 4));
    for (int g = 0; g < 4; ++g)
        std::memcpy(out + g * vectorBytes, nibbles + 4 * g, 4);
    if (type == WeightType::Q5_0 || type == WeightType::Q5_K) {
        uint8_t high[4] = {};
        for (int g = 0; g < 8; ++g)
            for (int i = 0; i < 4; ++i)
                high[i] = static_cast<uint8_t>(high[i] | ((u[4 * g + i] >> 4) << g));
        std::memcpy(out + 4 * vectorBytes, high, 4);
    } else if (type == WeightType::Q6_K) {
        uint8_t high[2][4] = {};
        for (int g = 0; g < 8; ++g)
            for (int i = 0; i < 4; ++i)
                high[g / 4][i] = static_cast<uint8_t>(high[g / 4][i] | ((u[4 * g + i] >> 4) << (2 * (g % 4))));
        std::memcpy(out + 4 * vectorBytes, high[0], 4);
        std::memcpy(out + 5 * vectorBytes, high[1], 4);
    }
}

void packQuantised(const MatrixView& view, int64_t firstRow, int64_t panelRows, int64_t firstColumn, int64_t columns,
                   std::byte* out) {
    const QuantShape shape = quantShape(view.type);
    const int64_t subBlocks = shape.blockElements / 32;
    const int64_t vectorBytes = panelRows * 4;
    const int64_t blockHeaderBytes = panelRows * (shape.blockHeader + subBlocks * shape.subHeader);
    auto* const headers = reinterpret_cast<uint8_t*>(out);
    uint8_t* const payload = headers + panelShape(view.type, panelRows, columns).headerBytes;
    const int64_t rows = std::min(panelRows, view.rows - firstRow);
    for (int64_t r = 0; r < rows; ++r) {
        const auto* const row = reinterpret_cast<Bytes>(view.row(firstRow + r));
        for (int64_t b = 0; b < columns / 32; ++b) {
            uint8_t u[32];
            const Scales scales = unpack32(view.type, row, firstColumn / 32 + b, u);
            storePayload(view.type, u, vectorBytes, payload + b * shape.payloadVectors * vectorBytes + 4 * r);
            uint8_t* const header = headers + b / subBlocks * blockHeaderBytes;
            if (b % subBlocks == 0) {
                std::memcpy(header + 2 * r, &scales.d, 2);
                if (shape.blockHeader == 4) std::memcpy(header + 2 * panelRows + 2 * r, &scales.dmin, 2);
            }
            if (shape.subHeader > 0) {
                uint8_t* const sub = header + panelRows * (shape.blockHeader + b % subBlocks * shape.subHeader);
                sub[r] = scales.first;
                sub[panelRows + r] = scales.second;
            }
        }
    }
}

}  // namespace

PanelShape panelShape(WeightType type, int64_t panelRows, int64_t columns) {
    const WeightTypeInfo info = weightTypeInfo(type);
    if (info.blockElements == 1) return {0, panelRows * columns * info.blockBytes};
    const QuantShape shape = quantShape(type);
    const int64_t subBlocks = shape.blockElements / 32;
    const int64_t header =
        columns / shape.blockElements * panelRows * (shape.blockHeader + subBlocks * shape.subHeader);
    const int64_t padded = (header + 63) / 64 * 64;
    return {padded, padded + columns / 32 * shape.payloadVectors * panelRows * 4};
}

void packPanel(const MatrixView& view, int64_t firstRow, int64_t panelRows, int64_t firstColumn, int64_t columns,
               std::byte* out) {
    const WeightTypeInfo info = weightTypeInfo(view.type);
    assert(columns % info.blockElements == 0 && firstColumn % info.blockElements == 0);
    const int64_t rows = std::min(panelRows, view.rows - firstRow);
    if (rows < panelRows) std::memset(out, 0, static_cast<size_t>(panelShape(view.type, panelRows, columns).bytes));
    if (info.blockElements > 1) {
        packQuantised(view, firstRow, panelRows, firstColumn, columns, out);
        return;
    }
    const auto elementBytes = static_cast<size_t>(info.blockBytes);
    for (int64_t r = 0; r < rows; ++r) {
        const std::byte* const row = view.row(firstRow + r) + firstColumn * info.blockBytes;
        for (int64_t k = 0; k < columns; ++k)
            std::memcpy(out + (k * panelRows + r) * info.blockBytes, row + k * info.blockBytes, elementBytes);
    }
}

}  // namespace gapscope
