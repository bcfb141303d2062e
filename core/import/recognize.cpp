#include "core/import/recognize.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/sqlite.h"
#include "core/import/byte_source.h"
#include "core/import/event_chunks.h"
#include "core/import/nsys_sqlite.h"
#include "core/import/perfetto_packets.h"

namespace gapscope {

namespace {

bool isSession(const std::filesystem::path& path) {
    auto database = Database::open(path, Database::Mode::Immutable);
    if (!database) return false;
    const auto columns = database->columnsOf("StringIds");
    return columns && !columns->empty();
}

// The last character that is no white space closes the document.
bool isClosed(const std::filesystem::path& path) {
    constexpr std::streamoff kTail = 64;
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file.tellg();
    file.seekg(std::max<std::streamoff>(size - kTail, 0));
    std::string tail(static_cast<size_t>(std::min<std::streamoff>(std::max<std::streamoff>(size, 0), kTail)), '\0');
    file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
    const size_t last = tail.find_last_not_of(" \t\r\n");
    return last != std::string::npos && (tail[last] == '}' || tail[last] == ']');
}

}  // namespace

TraceLook lookAtBeginning(const std::filesystem::path& path) {
    constexpr size_t kHeadBytes = size_t{1} << 16;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return TraceLook::None;
    auto source = ByteSource::open(path);
    if (!source) return TraceLook::None;
    std::vector<char> buffer(kHeadBytes);
    const auto got = source->read(buffer);
    if (!got || *got == 0) return TraceLook::None;
    const std::string_view head(buffer.data(), *got);
    if (head.starts_with(kSqliteMagic)) {
        // What is packed would have to be unpacked whole to look into it.
        return source->packing() || isSession(path) ? TraceLook::Whole : TraceLook::None;
    }
    if (beginsLikePerfetto(head)) return TraceLook::Whole;
    if (!beginsLikeJson(head)) return TraceLook::None;
    const bool tellsEvents = std::ranges::any_of(
        std::initializer_list<std::string_view>{"\"traceEvents\"", "\"deviceProperties\"", "\"ph\""},
        [&](std::string_view word) { return head.find(word) != std::string_view::npos; });
    if (!tellsEvents) return TraceLook::None;
    return source->packing() || isClosed(path) ? TraceLook::Whole : TraceLook::CutShort;
}

}  // namespace gapscope
