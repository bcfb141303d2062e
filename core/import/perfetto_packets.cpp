#include "core/import/perfetto_packets.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "core/base/perfetto_format.h"
#include "core/import/proto_reader.h"

namespace gapscope {

namespace {

namespace pf = perfetto;

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kLeastUnpacked = size_t{1} << 16;

class PacketReader {
public:
    PacketReader(ByteSource& source, const std::function<void(std::string_view)>& use, const ImportProgress& progress,
                 std::stop_token stop)
        : m_source(source), m_use(use), m_progress(progress), m_stop(stop) {}

    Result<PacketDamage> read() {
        bool ended = false;
        while (!ended) {
            if (m_stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
            ASSIGN_OR_RETURN(const bool more, fill());
            ended = !more;
            RETURN_IF_ERROR(takeWhole());
            if (m_damage.isCut) return m_damage;
            const auto total = static_cast<double>(std::max<int64_t>(m_source.totalBytes(), 1));
            if (m_progress) m_progress(std::min(1.0, static_cast<double>(m_source.takenBytes()) / total));
        }
        m_damage.isCut = m_begin < m_end;
        return m_damage;
    }

private:
    // More bytes behind those that are not used yet; false at the end of the file.
    Result<bool> fill() {
        std::copy(m_buffer.begin() + static_cast<ptrdiff_t>(m_begin), m_buffer.begin() + static_cast<ptrdiff_t>(m_end),
                  m_buffer.begin());
        m_end -= m_begin;
        m_begin = 0;
        // Doubling, so that a large packet is not copied over and over.
        const auto left = static_cast<size_t>(std::max<int64_t>(m_source.totalBytes() - m_source.takenBytes(), 0));
        const size_t piece = m_source.packing() ? kPieceBytes : std::min(kPieceBytes, left + 1);
        const size_t room = std::max(piece, m_end);
        if (m_buffer.size() < m_end + room) m_buffer.resize(m_end + room);
        ASSIGN_OR_RETURN(const size_t got, m_source.read(std::span(m_buffer).subspan(m_end, room)));
        m_end += got;
        return got == room;
    }

    // All packets that the buffer holds whole.
    Status takeWhole() {
        while (m_begin < m_end) {
            const std::string_view rest(m_buffer.data() + m_begin, m_end - m_begin);
            ProtoReader reader(rest);
            if (!reader.next()) {
                // A packet that goes on behind the buffer, or no packet at all.
                if (!mayGoOn(rest)) m_damage.isCut = true;
                return {};
            }
            if (reader.field() == pf::kTracePacket && !reader.isNumber()) RETURN_IF_ERROR(takePacket(reader.bytes()));
            const size_t used = rest.size() - reader.rest().size();
            m_begin += used;
            m_damage.wholeBytes += static_cast<int64_t>(used);
        }
        return {};
    }

    static bool mayGoOn(std::string_view rest) {
        constexpr char kPacketTag = (pf::kTracePacket << 3) | 2;
        if (rest.front() != kPacketTag) return false;
        uint64_t length = 0;
        for (size_t i = 1; i < rest.size() && i < 6; ++i) {
            length |= uint64_t{static_cast<unsigned char>(rest[i]) & 0x7Fu} << (7 * (i - 1));
            if (static_cast<unsigned char>(rest[i]) < 0x80) return length <= kMostPacketBytes;
        }
        return rest.size() < 6;
    }

    Status takePacket(std::string_view packet) {
        if (packet.size() > kMostPacketBytes) {
            ++m_damage.badPackets;
            return {};
        }
        ProtoReader reader(packet);
        while (reader.next()) {
            if (reader.isNumber()) continue;
            if (reader.field() == pf::packet::kCompressedPackets) return takePacked(reader.bytes(), makeZlibUnpacker());
            if (reader.field() == pf::packet::kZstdPackets) return takePacked(reader.bytes(), makeZstdUnpacker());
        }
        m_use(packet);
        return {};
    }

    // Packets within a packet hold no further packed ones: those would be passed to use(), which knows them not.
    Status takePacked(std::string_view packed, std::unique_ptr<Unpacker> unpacker) {
        std::span<const char> input(packed.data(), packed.size());
        size_t size = 0;
        Unpacker::Step step = Unpacker::Step::Going;
        for (;;) {
            if (m_unpacked.size() == size) m_unpacked.resize(std::max(2 * size, kLeastUnpacked));
            std::span<char> room = std::span(m_unpacked).subspan(size);
            const size_t before = room.size();
            step = unpacker->unpack(input, room);
            const size_t got = before - room.size();
            size += got;
            m_unpackedBytes += static_cast<int64_t>(got);
            const bool grew =
                m_unpackedBytes > kUncheckedExpansionBytes && m_unpackedBytes / kMostExpansion > m_source.takenBytes();
            if (size > kMostPacketBytes || grew) {
                return fail(m_source.name() +
                                " holds packed packets that grow to more than a trace can: it was not "
                                "read further.",
                            ErrorKind::BadFile);
            }
            if (step == Unpacker::Step::Damaged || (got == 0 && !room.empty())) break;
            if (step == Unpacker::Step::Between && input.empty()) break;
        }
        // What came out before the damage is kept.
        ProtoReader reader(std::string_view(m_unpacked.data(), size));
        while (reader.next())
            if (reader.field() == pf::kTracePacket && !reader.isNumber()) m_use(reader.bytes());
        if (step != Unpacker::Step::Between || reader.isDamaged()) ++m_damage.badPackets;
        return {};
    }

    ByteSource& m_source;
    const std::function<void(std::string_view)>& m_use;
    const ImportProgress& m_progress;
    std::stop_token m_stop;
    std::vector<char> m_buffer;
    size_t m_begin = 0, m_end = 0;  // of what is not used yet
    std::vector<char> m_unpacked;
    int64_t m_unpackedBytes = 0;
    PacketDamage m_damage;
};

}  // namespace

bool beginsLikePerfetto(std::string_view head) {
    if (isGzip(head) || isZstd(head)) {
        std::array<char, 256> begin{};
        const auto got = ByteSource::over(head, "").read(begin);
        return got && beginsLikePerfetto({begin.data(), *got});
    }
    constexpr char kPacketTag = (pf::kTracePacket << 3) | 2;
    if (head.size() < 3 || head.front() != kPacketTag) return false;
    // The tag is a line break too: JSON may begin with one, and go on with more white space. No packet begins with a
    // group, as which a bracket behind a length would read.
    constexpr std::string_view kSpace = " \t\r\n";
    const size_t first = head.find_first_not_of(kSpace, 1);
    if (first != std::string_view::npos && (head[first] == '{' || head[first] == '[')) {
        if (first > 1) return false;
        if (kSpace.find(head[2]) != std::string_view::npos ||
            std::string_view("\"}]{[").find(head[2]) != std::string_view::npos)
            return false;
    }
    size_t at = 1;
    while (at < head.size() && static_cast<unsigned char>(head[at]) >= 0x80)
        ++at;
    if (++at >= head.size()) return false;
    // The head may end within the packet's first field.
    ProtoReader reader(head.substr(at));
    const bool whole = reader.next();
    constexpr uint32_t kHighestField = 1000;  // of a packet, today 900
    return (whole || reader.isDamaged()) && reader.field() > 0 && reader.field() <= kHighestField;
}

Result<PacketDamage> forEachPacket(ByteSource& source, const std::function<void(std::string_view packet)>& use,
                                   const ImportProgress& progress, std::stop_token stop) {
    return PacketReader(source, use, progress, stop).read();
}

}  // namespace gapscope
