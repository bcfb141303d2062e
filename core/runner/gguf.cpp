// Reading of GGUF headers. Layout: magic, u32 version, u64 tensor count, u64 key count, keys with values, tensor
// descriptions, padding, data. Little-endian; so are all machines that Gapscope is built for.
#include "core/runner/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/base/utf8.h"
#include "kernels/weight_type.h"

namespace gapscope {

static_assert(std::endian::native == std::endian::little, "GGUF fields are read as they lie");

namespace {

// note: far above what models have (270M: 33 keys, 236 tensors, 262144 pieces of at most 48 bytes; 27B: about 1250
// tensors), far below what would cost memory.
constexpr uint64_t kMostKeys = 1 << 16;
constexpr uint64_t kMostTensors = 1 << 16;
constexpr uint64_t kMostElements = 1 << 24;
constexpr uint64_t kLongestName = 1 << 12;
constexpr uint64_t kLongestString = 1 << 24;
constexpr uint32_t kMostDimensions = 4;

size_t scalarBytes(GgufType type) {
    switch (type) {
        case GgufType::U8:
        case GgufType::I8:
        case GgufType::Bool:
            return 1;
        case GgufType::U16:
        case GgufType::I16:
            return 2;
        case GgufType::U32:
        case GgufType::I32:
        case GgufType::F32:
            return 4;
        case GgufType::U64:
        case GgufType::I64:
        case GgufType::F64:
            return 8;
        case GgufType::String:
        case GgufType::Array:
            break;
    }
    return 0;
}

template <class T>
T loadAs(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

std::string_view asText(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<int64_t> integerAt(GgufType type, const std::byte* at) {
    switch (type) {
        case GgufType::U8:
            return loadAs<uint8_t>(at);
        case GgufType::I8:
            return loadAs<int8_t>(at);
        case GgufType::Bool:
            return loadAs<uint8_t>(at) != 0;
        case GgufType::U16:
            return loadAs<uint16_t>(at);
        case GgufType::I16:
            return loadAs<int16_t>(at);
        case GgufType::U32:
            return loadAs<uint32_t>(at);
        case GgufType::I32:
            return loadAs<int32_t>(at);
        case GgufType::I64:
            return loadAs<int64_t>(at);
        case GgufType::U64: {
            const auto value = loadAs<uint64_t>(at);
            if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
            return static_cast<int64_t>(value);
        }
        default:
            return std::nullopt;
    }
}

// Quotes a name out of the file for an error: shortened, plain ASCII only.
std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char c : name.substr(0, 80))
        text += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
    return text + (name.size() > 80 ? "...\"" : "\"");
}

}  // namespace

std::string ggmlTypeName(uint32_t ggmlType) {
    static constexpr std::pair<uint32_t, const char*> kNames[] = {
        {0, "F32"},      {1, "F16"},     {2, "Q4_0"},     {3, "Q4_1"},   {6, "Q5_0"},    {7, "Q5_1"},   {8, "Q8_0"},
        {9, "Q8_1"},     {10, "Q2_K"},   {11, "Q3_K"},    {12, "Q4_K"},  {13, "Q5_K"},   {14, "Q6_K"},  {15, "Q8_K"},
        {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"}, {22, "IQ2_S"},
        {23, "IQ4_XS"},  {24, "I8"},     {25, "I16"},     {26, "I32"},   {27, "I64"},    {28, "F64"},   {29, "IQ1_M"},
        {30, "BF16"},    {34, "TQ1_0"},  {35, "TQ2_0"},   {39, "MXFP4"}, {40, "NVFP4"}};
    for (const auto& [number, name] : kNames)
        if (number == ggmlType) return name;
    return "type " + std::to_string(ggmlType);
}

// Walks over the bytes; each step says what it could not read and where.
class GgufFile::Reader {
public:
    Reader(std::span<const std::byte> bytes, GgufFile& file) : m_bytes(bytes), m_file(file) {}

    Status read(GgufExtent extent) {
        RETURN_IF_ERROR(readHead());
        RETURN_IF_ERROR(readValues(extent));
        if (extent == GgufExtent::BeforeVocabulary) return {};
        RETURN_IF_ERROR(readTensors());
        return placeTensors();
    }

private:
    tl::unexpected<Error> bad(const std::string& what) const {
        return fail(m_file.m_name + ", byte " + std::to_string(m_at) + ": " + what + ".", ErrorKind::BadFile);
    }

    uint64_t left() const { return m_bytes.size() - m_at; }

    template <class T>
    Result<T> take(const char* what) {
        if (left() < sizeof(T)) return bad(std::string("the file ends before ") + what);
        const T value = loadAs<T>(m_bytes.data() + m_at);
        m_at += sizeof(T);
        return value;
    }

    Result<std::span<const std::byte>> takeBytes(uint64_t count, const char* what) {
        if (count > left())
            return bad(std::string("the file ends before the end of ") + what + " (" + std::to_string(count) +
                       " bytes announced, " + std::to_string(left()) + " there)");
        const auto part = m_bytes.subspan(m_at, count);
        m_at += count;
        return part;
    }

    Result<std::string_view> takeString(uint64_t longest, const char* what) {
        ASSIGN_OR_RETURN(const uint64_t length, take<uint64_t>(what));
        if (length > longest) return bad(std::string(what) + " has an impossible length of " + std::to_string(length));
        ASSIGN_OR_RETURN(const auto bytes, takeBytes(length, what));
        return asText(bytes);
    }

    Status readHead() {
        if (m_bytes.size() < 4 || asText(m_bytes.first(4)) != "GGUF")
            return fail(m_file.m_name + " is not a GGUF file: it does not begin with \"GGUF\".", ErrorKind::BadFile);
        m_at = 4;
        ASSIGN_OR_RETURN(const uint32_t version, take<uint32_t>("the version"));
        if (version == 1)
            return fail(m_file.m_name + " is GGUF version 1, which is no longer read: convert the model again.",
                        ErrorKind::BadFile);
        if (version != 0 && (version & 0xFFFF) == 0)
            return fail(m_file.m_name + " is a big-endian GGUF; Gapscope reads little-endian files.",
                        ErrorKind::BadFile);
        if (version != 2 && version != 3)
            return fail(m_file.m_name + " is GGUF version " + std::to_string(version) + "; Gapscope reads 2 and 3.",
                        ErrorKind::BadFile);
        ASSIGN_OR_RETURN(m_file.m_tensorCount, take<uint64_t>("the tensor count"));
        ASSIGN_OR_RETURN(m_keyCount, take<uint64_t>("the key count"));
        // The smallest key takes 13 bytes (length, type, one byte), the smallest tensor 32.
        if (m_keyCount > kMostKeys || m_keyCount > left() / 13)
            return bad("an impossible number of keys, " + std::to_string(m_keyCount));
        if (m_file.m_tensorCount > kMostTensors || m_file.m_tensorCount > left() / 32)
            return bad("an impossible number of tensors, " + std::to_string(m_file.m_tensorCount));
        return {};
    }

    Status readValues(GgufExtent extent) {
        m_file.m_values.reserve(m_keyCount);
        for (uint64_t index = 0; index < m_keyCount; ++index) {
            ASSIGN_OR_RETURN(const std::string_view key, takeString(kLongestName, "a metadata key"));
            if (extent == GgufExtent::BeforeVocabulary && key.starts_with("tokenizer.")) return {};
            ASSIGN_OR_RETURN(const GgufValue value, readValue(key));
            if (!m_file.m_values.emplace(key, value).second)
                return bad("the metadata key " + quoted(key) + " appears twice");
        }
        return {};
    }

    Result<GgufType> readType(std::string_view key) {
        ASSIGN_OR_RETURN(const uint32_t type, take<uint32_t>("the type of a metadata value"));
        if (type > static_cast<uint32_t>(GgufType::F64))
            return bad("the metadata key " + quoted(key) + " has the unknown type " + std::to_string(type));
        return static_cast<GgufType>(type);
    }

    Result<GgufValue> readValue(std::string_view key) {
        GgufValue value;
        ASSIGN_OR_RETURN(value.type, readType(key));
        if (value.type == GgufType::String) {
            ASSIGN_OR_RETURN(const std::string_view text, takeString(kLongestString, "a metadata string"));
            value.bytes = std::as_bytes(std::span(text));
            return value;
        }
        if (value.type != GgufType::Array) {
            ASSIGN_OR_RETURN(value.bytes, takeBytes(scalarBytes(value.type), "a metadata value"));
            return value;
        }
        ASSIGN_OR_RETURN(value.elementType, readType(key));
        if (value.elementType == GgufType::Array)
            return bad("the metadata key " + quoted(key) + " holds arrays within an array");
        ASSIGN_OR_RETURN(value.count, take<uint64_t>("the length of a metadata array"));
        if (value.count > kMostElements)
            return bad("the metadata array " + quoted(key) + " has an impossible length of " +
                       std::to_string(value.count));
        if (value.elementType != GgufType::String) {
            ASSIGN_OR_RETURN(value.bytes, takeBytes(value.count * scalarBytes(value.elementType), "a metadata array"));
            return value;
        }
        const size_t begin = m_at;
        for (uint64_t index = 0; index < value.count; ++index)
            RETURN_IF_ERROR(takeString(kLongestString, "a string of a metadata array"));
        value.bytes = m_bytes.subspan(begin, m_at - begin);
        return value;
    }

    Status readTensors() {
        m_file.m_tensors.reserve(m_file.m_tensorCount);
        m_file.m_tensorIndex.reserve(m_file.m_tensorCount);
        for (uint64_t index = 0; index < m_file.m_tensorCount; ++index) {
            GgufTensor tensor;
            ASSIGN_OR_RETURN(tensor.name, takeString(kLongestName, "a tensor's name"));
            if (!m_file.m_tensorIndex.emplace(tensor.name, index).second)
                return bad("the tensor " + quoted(tensor.name) + " appears twice");
            ASSIGN_OR_RETURN(const uint32_t dimensions, take<uint32_t>("a tensor's shape"));
            if (dimensions == 0 || dimensions > kMostDimensions)
                return bad("the tensor " + quoted(tensor.name) + " has " + std::to_string(dimensions) + " dimensions");
            for (uint32_t axis = 0; axis < dimensions; ++axis) {
                ASSIGN_OR_RETURN(const int64_t extent, take<int64_t>("a tensor's shape"));
                if (extent <= 0)
                    return bad("the tensor " + quoted(tensor.name) + " has an impossible extent of " +
                               std::to_string(extent));
                tensor.shape.push_back(extent);
            }
            ASSIGN_OR_RETURN(tensor.ggmlType, take<uint32_t>("a tensor's type"));
            ASSIGN_OR_RETURN(tensor.fileOffset, take<uint64_t>("a tensor's offset"));
            m_file.m_tensors.push_back(std::move(tensor));
        }
        return {};
    }

    // Tensor offsets count from the first multiple of the alignment after the descriptions.
    Status placeTensors() {
        const int64_t alignment = m_file.integer("general.alignment").value_or(32);
        if (alignment < 1 || alignment > 1 << 20 || !std::has_single_bit(static_cast<uint64_t>(alignment)))
            return bad("an impossible alignment of " + std::to_string(alignment));
        const auto unit = static_cast<uint64_t>(alignment);
        // m_at is within the file, so this cannot overflow.
        const uint64_t dataBegin = (m_at + unit - 1) / unit * unit;
        const uint64_t dataBytes = m_bytes.size() > dataBegin ? m_bytes.size() - dataBegin : 0;
        for (GgufTensor& tensor : m_file.m_tensors) {
            const auto badTensor = [&](const std::string& what) {
                return fail(m_file.m_name + ": the tensor " + quoted(tensor.name) + " " + what + ".",
                            ErrorKind::BadFile);
            };
            if (tensor.fileOffset % unit != 0) return badTensor("does not begin at a multiple of the alignment");
            if (tensor.fileOffset > dataBytes) return badTensor("begins past the end of the file");
            const uint64_t room = dataBytes - tensor.fileOffset;
            const uint64_t offset = tensor.fileOffset;
            tensor.fileOffset += dataBegin;
            if (tensor.ggmlType > std::numeric_limits<int>::max()) continue;
            const auto type = weightTypeFromGgml(static_cast<int>(tensor.ggmlType));
            if (!type) continue;
            const WeightTypeInfo info = weightTypeInfo(*type);
            if (tensor.shape[0] % info.blockElements != 0)
                return badTensor("has rows of " + std::to_string(tensor.shape[0]) + " elements, but " +
                                 ggmlTypeName(tensor.ggmlType) + " packs " + std::to_string(info.blockElements));
            auto bytes = static_cast<uint64_t>(tensor.shape[0] / info.blockElements);
            // Division before multiplication: the product may not be larger than the room there is.
            const auto grow = [&](uint64_t factor) {
                if (bytes > room / factor) return false;
                bytes *= factor;
                return true;
            };
            bool fits = grow(static_cast<uint64_t>(info.blockBytes));
            for (size_t axis = 1; fits && axis < tensor.shape.size(); ++axis)
                fits = grow(static_cast<uint64_t>(tensor.shape[axis]));
            if (!fits) return badTensor("reaches past the end of the file: is the download complete?");
            tensor.data = m_bytes.subspan(dataBegin + offset, bytes);
        }
        return refuseOverlaps();
    }

    Status refuseOverlaps() const {
        std::vector<const GgufTensor*> order;
        for (const GgufTensor& tensor : m_file.m_tensors)
            if (!tensor.data.empty()) order.push_back(&tensor);
        std::sort(order.begin(), order.end(),
                  [](const GgufTensor* a, const GgufTensor* b) { return a->fileOffset < b->fileOffset; });
        for (size_t index = 1; index < order.size(); ++index)
            if (order[index]->fileOffset - order[index - 1]->fileOffset < order[index - 1]->data.size())
                return fail(m_file.m_name + ": the tensors " + quoted(order[index - 1]->name) + " and " +
                                quoted(order[index]->name) + " overlap.",
                            ErrorKind::BadFile);
        return {};
    }

    std::span<const std::byte> m_bytes;
    GgufFile& m_file;
    size_t m_at = 0;
    uint64_t m_keyCount = 0;
};

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, std::string name, GgufExtent extent) {
    GgufFile file;
    file.m_name = std::move(name);
    RETURN_IF_ERROR(Reader(bytes, file).read(extent));
    return file;
}

const GgufValue* GgufFile::find(std::string_view key) const {
    const auto found = m_values.find(key);
    return found == m_values.end() ? nullptr : &found->second;
}

std::optional<std::string_view> GgufFile::string(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value || value->type != GgufType::String) return std::nullopt;
    const std::string_view text = asText(value->bytes);
    // The format asks for UTF-8; what is not must not reach a window, a session or JSON.
    if (!isValidUtf8(text)) return std::nullopt;
    return text;
}

std::optional<int64_t> GgufFile::integer(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value || value->type == GgufType::Bool) return std::nullopt;
    return integerAt(value->type, value->bytes.data());
}

std::optional<double> GgufFile::number(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value) return std::nullopt;
    if (value->type == GgufType::F32) return loadAs<float>(value->bytes.data());
    if (value->type == GgufType::F64) return loadAs<double>(value->bytes.data());
    if (const auto whole = integer(key)) return static_cast<double>(*whole);
    return std::nullopt;
}

std::optional<bool> GgufFile::boolean(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value || value->type != GgufType::Bool) return std::nullopt;
    return integerAt(value->type, value->bytes.data()) != 0;
}

std::optional<std::vector<std::string_view>> GgufFile::strings(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value || value->type != GgufType::Array || value->elementType != GgufType::String) return std::nullopt;
    std::vector<std::string_view> texts;
    texts.reserve(value->count);
    auto rest = value->bytes;
    for (uint64_t index = 0; index < value->count; ++index) {
        // Walked once already when the file was read, but another program may have written to it since.
        if (rest.size() < sizeof(uint64_t)) return std::nullopt;
        const auto length = loadAs<uint64_t>(rest.data());
        if (length > rest.size() - sizeof length) return std::nullopt;
        texts.push_back(asText(rest.subspan(sizeof length, length)));
        rest = rest.subspan(sizeof length + length);
    }
    return texts;
}

std::optional<std::vector<int64_t>> GgufFile::integers(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value || value->type != GgufType::Array) return std::nullopt;
    const size_t step = scalarBytes(value->elementType);
    if (step == 0) return std::nullopt;
    std::vector<int64_t> numbers;
    numbers.reserve(value->count);
    for (uint64_t index = 0; index < value->count; ++index) {
        const auto number = integerAt(value->elementType, value->bytes.data() + index * step);
        if (!number) return std::nullopt;
        numbers.push_back(*number);
    }
    return numbers;
}

std::optional<std::vector<float>> GgufFile::floats(std::string_view key) const {
    const GgufValue* const value = find(key);
    if (!value || value->type != GgufType::Array || value->elementType != GgufType::F32) return std::nullopt;
    std::vector<float> numbers(value->count);
    if (!numbers.empty()) std::memcpy(numbers.data(), value->bytes.data(), value->bytes.size());
    return numbers;
}

const GgufTensor* GgufFile::tensor(std::string_view name) const {
    const auto found = m_tensorIndex.find(name);
    return found == m_tensorIndex.end() ? nullptr : &m_tensors[found->second];
}

}  // namespace gapscope
