#include "core/import/event_chunks.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gapscope {

namespace {

// A piece of the text and what it was read to.
struct Chunk {
    std::vector<char> buffer;  // `size` bytes of text, then padding
    size_t size = 0;
    uint64_t offset = 0;
    bool isLast = false;
    bool isGuess = false;  // begins where an event seems to begin, and is read on that guess
    // Of a guess, once done:
    TextPlace place;
    size_t consumed = 0;
    TextDamage damage;
    EventBlock block;
    std::exception_ptr failure;
    bool done = false;

    std::string_view text() const { return {buffer.data(), size}; }
    void setSize(size_t bytes) {
        size = bytes;
        buffer.resize(std::max(buffer.size(), bytes + kJsonPadding));
        std::memset(buffer.data() + bytes, 0, kJsonPadding);
    }
    void read(TextPiece::More more, const std::stop_token& stop) {
        block.clear();
        damage = {};
        const TextPiece piece{.text = text(), .offset = offset, .more = more, .stop = stop};
        consumed = readEventText(piece, place, block, damage);
    }
    void readGuess(const std::stop_token& stop) {
        try {
            read(isLast ? TextPiece::More::Ends : TextPiece::More::Follows, stop);
        } catch (...) {
            failure = std::current_exception();  // out of memory, mostly: told by the thread that waits for it
        }
    }
};

// Threads that read guesses.
class Workers {
public:
    Workers(unsigned count, std::stop_token stop) : m_count(count), m_stop(std::move(stop)) {}
    ~Workers() {
        {
            const std::lock_guard lock(m_mutex);
            m_stopping = true;
        }
        m_changed.notify_all();
        for (std::thread& thread : m_threads)
            thread.join();
    }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    void read(Chunk& chunk) {
        if (m_count == 0) {
            chunk.readGuess(m_stop);
            chunk.done = true;
            return;
        }
        if (m_threads.size() < m_count) m_threads.emplace_back([this] { run(); });  // short files need none
        {
            const std::lock_guard lock(m_mutex);
            chunk.done = false;
            m_waiting.push_back(&chunk);
        }
        m_changed.notify_all();
    }
    void waitFor(const Chunk& chunk) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return chunk.done; });
    }

private:
    void run() {
        std::unique_lock lock(m_mutex);
        for (;;) {
            m_changed.wait(lock, [&] { return m_stopping || !m_waiting.empty(); });
            if (m_stopping) return;
            Chunk& chunk = *m_waiting.front();
            m_waiting.pop_front();
            lock.unlock();
            chunk.readGuess(m_stop);
            lock.lock();
            chunk.done = true;
            m_changed.notify_all();
        }
    }

    const unsigned m_count;
    const std::stop_token m_stop;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<Chunk*> m_waiting;
    bool m_stopping = false;
    std::vector<std::thread> m_threads;
};

class ChunkReader {
public:
    ChunkReader(ByteSource& source, const ChunkOptions& options, const std::function<void(const EventBlock&)>& use,
                std::stop_token stop)
        : m_source(source), m_options(options), m_use(use), m_stop(stop), m_workers(workerCount(options), stop) {
        m_chunks.resize(workerCount(options) + 2);
        for (Chunk& chunk : m_chunks)
            m_free.push_back(&chunk);
    }

    Result<EventDocument> read(const ImportProgress& progress) {
        while (!m_ended || !m_flight.empty()) {
            if (m_stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
            while (!m_ended && !m_free.empty() && (m_flight.empty() || mayGuess()))
                RETURN_IF_ERROR(fill());
            take(*m_flight.front());
            m_free.push_back(m_flight.front());
            m_flight.pop_front();
            if (progress && m_source.totalBytes() > 0)
                progress(static_cast<double>(m_source.takenBytes()) / static_cast<double>(m_source.totalBytes()));
        }
        m_document.bytes = m_offset;
        return std::move(m_document);
    }

private:
    static unsigned workerCount(const ChunkOptions& options) {
        constexpr unsigned kMostWorkers = 8;  // one thread reads the file: more would wait for it
        if (options.workers != ChunkOptions::kOneACore) return options.workers;
        return std::clamp(std::thread::hardware_concurrency(), 1u, kMostWorkers);
    }
    // Guesses are about events: they must have begun.
    bool mayGuess() const { return m_document.end.where == TextPlace::Where::Events; }

    // Reads the next piece of the file into a free chunk and sends it off.
    Status fill() {
        // Small pieces first: most files are short, and a large buffer would be most of the work for them.
        m_pieceBytes = std::min(m_options.chunkBytes, 2 * m_pieceBytes);
        Chunk& chunk = *m_free.back();
        const size_t before = m_left.size();
        chunk.setSize(before + m_pieceBytes);
        std::copy(m_left.begin(), m_left.end(), chunk.buffer.begin());
        m_left.clear();
        ASSIGN_OR_RETURN(const size_t got, m_source.read(std::span(chunk.buffer).subspan(before, m_pieceBytes)));
        chunk.setSize(before + got);
        chunk.offset = m_offset;
        chunk.isLast = m_ended = got < m_pieceBytes;
        chunk.isGuess = m_cutAtEvent && mayGuess();
        chunk.place = m_document.end;
        const bool isAllSpace = chunk.text().find_first_not_of(" \t\r\n") == std::string_view::npos;
        if (m_document.end.where == TextPlace::Where::Start && !beginsLikeJson(chunk.text()) &&
            (!isAllSpace || m_ended))
            return notJson(chunk);
        const size_t cut = m_ended ? std::string_view::npos : lastEventStart(chunk.text());
        m_cutAtEvent = cut != std::string_view::npos;
        if (m_cutAtEvent) {
            m_left.assign(chunk.buffer.begin() + static_cast<ptrdiff_t>(cut),
                          chunk.buffer.begin() + static_cast<ptrdiff_t>(chunk.size));
            chunk.setSize(cut);
        }
        m_offset += chunk.size;
        m_free.pop_back();
        m_flight.push_back(&chunk);
        if (chunk.isGuess) m_workers.read(chunk);
        return {};
    }

    Status notJson(const Chunk& chunk) const {
        const std::string name = m_source.name();
        if (chunk.size == 0 && !m_source.damage().empty())
            return fail(name + " cannot be unpacked: " + m_source.damage() + ".", ErrorKind::BadFile);
        const std::string packing = m_source.packing() ? m_source.packing() : "";
        return fail(name + (packing.empty() ? "" : " is a " + packing + " file, but what is in it") +
                        " does not begin like JSON.",
                    ErrorKind::BadFile);
    }

    // Uses the oldest chunk.
    void take(Chunk& chunk) {
        if (chunk.isGuess) m_workers.waitFor(chunk);
        if (chunk.failure) std::rethrow_exception(chunk.failure);
        const bool isRight = chunk.isGuess && mayGuess() && m_rest.size == 0;
        if (isRight) {
            use(chunk);
            if (chunk.consumed < chunk.size) keepRest(chunk);
            return;
        }
        // Joined to what was left unfinished before it, and read from the place that is known.
        const size_t before = m_rest.size;
        if (before == 0) m_rest.offset = chunk.offset;
        m_rest.setSize(before + chunk.size);
        std::memcpy(m_rest.buffer.data() + before, chunk.buffer.data(), chunk.size);
        TextPiece::More more = chunk.isLast ? TextPiece::More::Ends : TextPiece::More::Follows;
        if (more == TextPiece::More::Follows && before > m_options.mostUnitBytes) more = TextPiece::More::TooLong;
        // What did not end is tried again when it is twice as long, so that long values cost no square of their length.
        if (more == TextPiece::More::Follows && m_rest.size < 2 * m_triedBytes) return;
        m_rest.place = m_document.end;
        m_rest.read(more, m_stop);
        use(m_rest);
        keepRest(m_rest);
    }

    void use(const Chunk& chunk) {
        m_use(chunk.block);
        m_document.damage.add(chunk.damage);
        m_document.end = chunk.place;
    }

    // What the chunk did not finish becomes the rest.
    void keepRest(Chunk& chunk) {
        const size_t left = chunk.size - chunk.consumed;
        if (&chunk != &m_rest) m_rest.setSize(left);
        std::memmove(m_rest.buffer.data(), chunk.buffer.data() + chunk.consumed, left);
        m_rest.offset = chunk.offset + chunk.consumed;
        m_rest.setSize(left);
        m_triedBytes = left;
    }

    ByteSource& m_source;
    const ChunkOptions m_options;
    const std::function<void(const EventBlock&)>& m_use;
    const std::stop_token m_stop;
    std::vector<Chunk> m_chunks;
    std::vector<Chunk*> m_free;
    std::deque<Chunk*> m_flight;            // in the order of the file
    std::vector<char> m_left;               // read from the file, behind the last cut
    size_t m_pieceBytes = size_t{1} << 13;  // of the piece read last
    bool m_cutAtEvent = false;
    bool m_ended = false;
    uint64_t m_offset = 0;    // of the next chunk
    Chunk m_rest;             // read, but unfinished
    size_t m_triedBytes = 0;  // of it, when it was read last
    EventDocument m_document;
    Workers m_workers;  // last: its threads end before what they work on goes
};

}  // namespace

bool beginsLikeJson(std::string_view head) {
    if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
    const size_t first = head.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (head[first] == '{' || head[first] == '[');
}

Result<EventDocument> readEventChunks(ByteSource& source, const ChunkOptions& options,
                                      const std::function<void(const EventBlock&)>& use, const ImportProgress& progress,
                                      std::stop_token stop) {
    return ChunkReader(source, options, use, stop).read(progress);
}

}  // namespace gapscope
