// Writes sentencepiece_model.proto's ModelProto in protobuf's wire format. The settings (BPE, no normalisation, no
// prefix space, byte fallback) are those of Google's own Gemma 3 tokenizer.model.
#include "core/runner/sentencepiece_proto.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "core/base/utf8.h"

namespace gapscope {

namespace {

// note: protobuf's tag is field * 8 + wire type: 0 varint, 2 length and bytes, 5 four bytes.
class WireWriter {
public:
    void number(uint32_t field, uint64_t value) {
        varint(field * 8);
        varint(value);
    }
    void bytes(uint32_t field, std::string_view value) {
        varint(field * 8 + 2);
        varint(value.size());
        m_bytes.append(value);
    }
    void real(uint32_t field, float value) {
        varint(field * 8 + 5);
        const auto bits = std::bit_cast<uint32_t>(value);
        for (int shift = 0; shift < 32; shift += 8)
            m_bytes.push_back(static_cast<char>(bits >> shift & 0xff));
    }
    void clear() { m_bytes.clear(); }
    const std::string& text() const { return m_bytes; }
    std::string take() { return std::move(m_bytes); }

private:
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            m_bytes.push_back(static_cast<char>(value | 0x80));
        m_bytes.push_back(static_cast<char>(value));
    }
    std::string m_bytes;
};

// Piece types are numbered alike in GGUF and SentencePiece.
enum PieceType : uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// llama.cpp's converter marks <unk>, <mask>, <start_of_turn>, <unusedN> ... as control, so that they can be hidden.
// In Google's model only padding, end and begin are control: the others are matched in text, as user-defined pieces
// are.
PieceType sentencePieceType(const GgufVocabulary& vocabulary, int32_t id) {
    if (id == vocabulary.unknown) return kUnknown;
    if (id == vocabulary.bos || id == vocabulary.eos || id == vocabulary.padding) return kControl;
    switch (vocabulary.types[static_cast<size_t>(id)]) {
        case kNormal:
            return kNormal;
        case kByte:
            return kByte;
        case kUnused:
            return kUnused;
        default:
            return kUserDefined;
    }
}

// The converter also turns the U+2581 of user-defined pieces into plain spaces; SentencePiece wants them back.
std::string withSpaceMarks(std::string_view piece) {
    std::string text;
    for (const char c : piece) {
        if (c == ' ')
            text += "\xE2\x96\x81";
        else
            text += c;
    }
    return text;
}

std::string trainerSpec(const GgufVocabulary& vocabulary, bool hasBytePieces) {
    const auto pieceOf = [&](int32_t id) {
        return id >= 0 && static_cast<size_t>(id) < vocabulary.pieces.size()
                   ? vocabulary.pieces[static_cast<size_t>(id)]
                   : std::string_view();
    };
    WireWriter spec;
    spec.number(3, 2);  // model_type: BPE
    spec.number(4, vocabulary.pieces.size());
    spec.number(21, 1);                      // split_by_unicode_script
    spec.number(22, 0);                      // split_by_whitespace
    spec.number(23, 1);                      // split_by_number
    spec.number(25, 1);                      // split_digits
    spec.number(26, 1);                      // allow_whitespace_only_pieces
    spec.number(35, hasBytePieces ? 1 : 0);  // byte_fallback
    // A negative id is a ten-byte varint in protobuf: the sign-extended 64 bits.
    const auto id = [&](uint32_t idField, uint32_t pieceField, int32_t value) {
        spec.number(idField, static_cast<uint64_t>(static_cast<int64_t>(value)));
        if (!pieceOf(value).empty()) spec.bytes(pieceField, pieceOf(value));
    };
    id(40, 45, vocabulary.unknown);
    id(41, 46, vocabulary.bos);
    id(42, 47, vocabulary.eos);
    id(43, 48, vocabulary.padding);
    return spec.take();
}

std::string normalizerSpec(bool addSpacePrefix) {
    WireWriter spec;
    spec.bytes(1, "identity");
    spec.number(3, addSpacePrefix ? 1 : 0);  // add_dummy_prefix
    spec.number(4, 0);                       // remove_extra_whitespaces
    spec.number(5, 1);                       // escape_whitespaces: space becomes U+2581
    return spec.take();
}

}  // namespace

Result<std::string> sentencePieceModelFrom(const GgufVocabulary& vocabulary) {
    const size_t count = vocabulary.pieces.size();
    if (count == 0) return fail("The vocabulary is empty.", ErrorKind::BadFile);
    if (vocabulary.scores.size() != count || vocabulary.types.size() != count)
        return fail("The vocabulary has " + std::to_string(count) + " pieces but " +
                        std::to_string(vocabulary.scores.size()) + " scores and " +
                        std::to_string(vocabulary.types.size()) + " types.",
                    ErrorKind::BadFile);
    if (vocabulary.unknown < 0 || static_cast<size_t>(vocabulary.unknown) >= count)
        return fail("The vocabulary has no piece for what is unknown (id " + std::to_string(vocabulary.unknown) + ").",
                    ErrorKind::BadFile);

    WireWriter model;
    WireWriter piece;
    bool hasBytePieces = false;
    for (size_t index = 0; index < count; ++index) {
        const std::string_view text = vocabulary.pieces[index];
        const float score = vocabulary.scores[index];
        // The library takes pieces for C strings in places, and a score that is no number breaks its ordering.
        if (text.empty() || text.find('\0') != text.npos || !isValidUtf8(text) || !std::isfinite(score))
            return fail("Piece " + std::to_string(index) + " of the vocabulary is not valid.", ErrorKind::BadFile);
        const PieceType type = sentencePieceType(vocabulary, static_cast<int32_t>(index));
        hasBytePieces = hasBytePieces || type == kByte;
        piece.clear();
        if (type == kUserDefined)
            piece.bytes(1, withSpaceMarks(text));
        else
            piece.bytes(1, text);
        piece.real(2, type == kNormal || type == kByte ? score : 0.0F);
        piece.number(3, type);
        model.bytes(1, piece.text());
    }
    model.bytes(2, trainerSpec(vocabulary, hasBytePieces));
    model.bytes(3, normalizerSpec(vocabulary.addSpacePrefix));
    return model.take();
}

}  // namespace gapscope
