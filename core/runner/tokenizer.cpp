// The tokenizer on top of the sentencepiece library, and the joining of pieces to whole characters.
#include "core/runner/tokenizer.h"

#include <sentencepiece_processor.h>

#include <exception>
#include <utility>

#include "core/base/utf8.h"
#include "core/runner/mapped_file.h"
#include "core/runner/sentencepiece_proto.h"

namespace gapscope {

namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";    // U+2581
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr size_t kLargestModelFile = 64 << 20;             // Gemma 3's is 4.7 MB

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

}  // namespace

struct Tokenizer::Impl {
    sentencepiece::SentencePieceProcessor processor;
    int32_t size = 0;
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::fromModelBytes(std::string_view bytes) {
    auto impl = std::make_unique<Impl>();
    try {
        const auto status = impl->processor.LoadFromSerializedProto(bytes);
        if (!status.ok())
            return fail(std::string("The vocabulary was refused by sentencepiece: ") + status.error_message() + ".",
                        ErrorKind::BadFile);
        impl->size = impl->processor.GetPieceSize();
    } catch (const std::exception& error) {
        return fail(std::string("The vocabulary was refused by sentencepiece: ") + error.what() + ".",
                    ErrorKind::BadFile);
    }
    return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(impl)));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::fromModelFile(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
    const auto bytes = file->bytes();
    if (bytes.size() > kLargestModelFile)
        return fail(path.string() + " is too large to be a tokenizer.", ErrorKind::BadFile);
    auto tokenizer = fromModelBytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!tokenizer) return fail(path.string() + ": " + tokenizer.error().message, tokenizer.error().kind);
    return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::fromGguf(const GgufVocabulary& vocabulary) {
    ASSIGN_OR_RETURN(const std::string model, sentencePieceModelFrom(vocabulary));
    return fromModelBytes(model);
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text) const {
    if (!isValidUtf8(text))
        return fail("The text is not valid UTF-8: save it as UTF-8 and try again.", ErrorKind::WrongUse);
    std::vector<int> ids;
    const auto status = m_impl->processor.Encode(text, &ids);
    if (!status.ok()) return fail(std::string("The text could not be tokenised: ") + status.error_message() + ".");
    return ids;
}

std::string Tokenizer::pieceBytes(int32_t id) const {
    if (id < 0 || id >= m_impl->size) return {};
    const auto& processor = m_impl->processor;
    if (processor.IsControl(id)) return {};
    if (processor.IsUnknown(id)) return std::string(kReplacement);
    const std::string& piece = processor.IdToPiece(id);
    if (processor.IsByte(id)) {  // <0xE2>
        const int high = piece.size() == 6 ? hexDigit(piece[3]) : -1;
        const int low = piece.size() == 6 ? hexDigit(piece[4]) : -1;
        return high < 0 || low < 0 ? std::string() : std::string(1, static_cast<char>(high * 16 + low));
    }
    std::string text;
    for (size_t at = 0; at < piece.size();) {
        if (piece.compare(at, kSpaceMark.size(), kSpaceMark) == 0) {
            text += ' ';
            at += kSpaceMark.size();
        } else {
            text += piece[at++];
        }
    }
    return text;
}

int32_t Tokenizer::vocabularySize() const {
    return m_impl->size;
}

bool Tokenizer::isControl(int32_t id) const {
    return id >= 0 && id < m_impl->size && m_impl->processor.IsControl(id);
}

std::string StreamingDetokenizer::push(int32_t id) {
    m_pending += m_tokenizer.pieceBytes(id);
    std::string out;
    size_t at = 0;
    while (at < m_pending.size()) {
        const int length = characterLength(std::string_view(m_pending).substr(at));
        if (length == 0) break;
        if (length > 0) {
            out.append(m_pending, at, static_cast<size_t>(length));
            at += static_cast<size_t>(length);
        } else {
            out += kReplacement;  // one a byte, as sentencepiece decodes them
            ++at;
        }
    }
    m_pending.erase(0, at);
    return out;
}

std::string StreamingDetokenizer::finish() {
    std::string out;
    for (size_t index = 0; index < m_pending.size(); ++index)
        out += kReplacement;
    m_pending.clear();
    return out;
}

}  // namespace gapscope
