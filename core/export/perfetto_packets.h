// The packets that a Perfetto trace is written in: events and tracks, with the texts that they use interned before
// their first use. What is said in them is the writer's (perfetto_trace.cpp); one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/perfetto_format.h"
#include "core/export/export_texts.h"
#include "core/export/output_file.h"
#include "core/export/proto_message.h"

namespace gapscope {

class PerfettoPackets {
protected:
    using Arg = perfetto::Arg;

    PerfettoPackets(const Trace& trace, Identity identity, OutputFile& file)
        : m_texts(trace, identity),
          m_file(file),
          m_namesWritten(trace.stringCount()),
          m_textsWritten(trace.stringCount()) {}

    void writePacket() {
        m_outer.clear();
        m_file.write(m_outer.message(perfetto::kTracePacket, m_packet).bytes());
    }

    // A packet of this time that holds m_event; interned texts it is the first to use go before it.
    void writeEvent(int64_t atNs) {
        m_packet.clear();
        m_packet.number(perfetto::packet::kTimestamp, static_cast<uint64_t>(atNs + m_clockNs));
        m_packet.number(perfetto::packet::kSequenceId, kSequence);
        m_packet.number(perfetto::packet::kSequenceFlags, perfetto::packet::kNeedsStateFlag);
        if (!m_interned.bytes().empty()) m_packet.message(perfetto::packet::kInternedData, m_interned);
        m_interned.clear();
        m_packet.message(perfetto::packet::kTrackEvent, m_event);
        writePacket();
    }

    void intern(uint32_t list, uint64_t iid, std::string_view text) {
        m_part.clear();
        m_part.number(perfetto::interned::kIid, iid).text(perfetto::interned::kText, text);
        m_interned.message(list, m_part);
    }

    void beginEvent(uint64_t type, uint64_t track) {
        m_event.clear();
        m_event.number(perfetto::event::kType, type).number(perfetto::event::kTrack, track);
    }

    void category(std::string_view name) {
        const auto [it, isNew] = m_categories.try_emplace(name, m_categories.size() + 1);
        if (isNew) intern(perfetto::interned::kCategories, it->second, name);
        m_event.number(perfetto::event::kCategoryIids, it->second);
    }

    void name(StringId id) {
        if (!id.valid()) return;
        if (!m_namesWritten[id.value]) intern(perfetto::interned::kNames, uint64_t{id.value} + 1, m_texts[id]);
        m_namesWritten[id.value] = true;
        m_event.number(perfetto::event::kNameIid, uint64_t{id.value} + 1);
    }

    ProtoMessage& beginArg(Arg arg) {
        const auto place = static_cast<size_t>(arg);
        if (!m_argsWritten[place]) intern(perfetto::interned::kAnnotationNames, place + 1, perfetto::kArgNames[place]);
        m_argsWritten[place] = true;
        m_part.clear();
        return m_part.number(perfetto::annotation::kNameIid, place + 1);
    }
    void endArg() { m_event.message(perfetto::event::kAnnotations, m_part); }

    void arg(Arg which, uint64_t value) {
        beginArg(which).number(perfetto::annotation::kUnsigned, value);
        endArg();
    }
    void signedArg(Arg which, int64_t value) {
        beginArg(which).signedNumber(perfetto::annotation::kSigned, value);
        endArg();
    }
    void textArg(Arg which, StringId id) {
        if (!id.valid()) return;
        if (!m_textsWritten[id.value])
            intern(perfetto::interned::kAnnotationTexts, uint64_t{id.value} + 1, m_texts[id]);
        m_textsWritten[id.value] = true;
        beginArg(which).number(perfetto::annotation::kTextIid, uint64_t{id.value} + 1);
        endArg();
    }
    void sizeArg(Arg which, const std::array<int32_t, 3>& size) {
        beginArg(which);
        for (const int32_t count : size) {
            m_element.clear();
            m_element.signedNumber(perfetto::annotation::kSigned, count);
            m_part.message(perfetto::annotation::kArray, m_element);
        }
        endArg();
    }

    // Instants of our own carry their arguments by name: there are few of them.
    template <class Value>
    void namedArg(std::string_view name, const Value& value) {
        m_part.clear();
        m_part.text(perfetto::annotation::kName, name);
        if constexpr (std::is_same_v<Value, bool>) {
            m_part.number(perfetto::annotation::kBool, value ? 1 : 0);
        } else if constexpr (std::is_floating_point_v<Value>) {
            m_part.real(perfetto::annotation::kDouble, value);
        } else if constexpr (std::is_unsigned_v<Value>) {
            m_part.number(perfetto::annotation::kUnsigned, value);
        } else if constexpr (std::is_integral_v<Value>) {
            m_part.signedNumber(perfetto::annotation::kSigned, value);
        } else {
            m_part.text(perfetto::annotation::kText, value);
        }
        endArg();
    }
    void beginOwnEvent(std::string_view name) {
        beginEvent(perfetto::event::kInstant, m_ownTrack);
        category(perfetto::kOwnCategory);
        m_event.text(perfetto::event::kName, name);
    }

    // Tracks

    uint64_t newTrack() { return ++m_trackCount; }

    void beginTrack(uint64_t uuid, uint64_t parent) {
        m_event.clear();
        m_event.number(perfetto::track::kUuid, uuid);
        if (parent != 0) m_event.number(perfetto::track::kParent, parent);
    }
    void endTrack() {
        m_packet.clear();
        m_packet.number(perfetto::packet::kSequenceId, kSequence).message(perfetto::packet::kTrackDescriptor, m_event);
        writePacket();
    }
    uint64_t plainTrack(std::string_view name, uint64_t parent) {
        const uint64_t uuid = newTrack();
        beginTrack(uuid, parent);
        m_event.text(perfetto::track::kName, name);
        endTrack();
        return uuid;
    }

    static constexpr uint64_t kSequence = 1;

    ExportTexts m_texts;
    OutputFile& m_file;
    int64_t m_clockNs = 0;    // of time 0
    uint64_t m_ownTrack = 0;  // of beginOwnEvent()
    ProtoMessage m_outer, m_packet, m_event, m_part, m_element, m_interned;

private:
    std::map<std::string_view, uint64_t> m_categories;
    std::vector<bool> m_namesWritten, m_textsWritten;
    std::array<bool, perfetto::kArgNames.size()> m_argsWritten{};
    uint64_t m_trackCount = 0;
};

}  // namespace gapscope
