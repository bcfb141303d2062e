#include "core/analysis/culprits.h"

#include <algorithm>
#include <compare>
#include <map>

namespace gapscope {

namespace {

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

bool isWordCharacter(char c) {  // bytes above 0x7F are letters of other scripts
    return isDigit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

// Group names by StringId, each made once.
class GroupNames {
public:
    explicit GroupNames(const Trace& trace) : m_trace(trace), m_groupOf(trace.stringCount(), kNotMade) {}

    uint32_t of(StringId id) {
        if (!id.valid()) return kNoGroup;
        uint32_t& group = m_groupOf[id.value];
        if (group == kNotMade) {
            const auto [it, isNew] =
                m_groups.emplace(groupName(m_trace.string(id)), static_cast<uint32_t>(m_names.size()));
            if (isNew) m_names.push_back(it->first);
            group = it->second;
        }
        return group;
    }
    std::string_view name(uint32_t group) const { return group == kNoGroup ? std::string_view() : m_names[group]; }

private:
    static constexpr uint32_t kNoGroup = UINT32_MAX, kNotMade = UINT32_MAX - 1;
    const Trace& m_trace;
    std::vector<uint32_t> m_groupOf;
    std::map<std::string, uint32_t> m_groups;
    std::vector<std::string_view> m_names;  // views of the map's keys, which never move
};

struct Key {
    CulpritKind kind;
    uint32_t group;
    uint32_t call;
    auto operator<=>(const Key&) const = default;
};

class Sums {
public:
    explicit Sums(const Trace& trace) : m_trace(trace), m_groups(trace) {}

    void add(const Gap& gap, size_t index) {
        if (gap.unknown) {
            add(hostKey(gap, CulpritKind::Unknown), gap, index, gap.causes);
            return;
        }
        GapCauses host = gap.causes, launch, device;
        std::swap(host[GapCause::LaunchCall], launch[GapCause::LaunchCall]);
        std::swap(host[GapCause::DeviceLatency], device[GapCause::DeviceLatency]);
        add(hostKey(gap, CulpritKind::Host), gap, index, host);
        const StringId call = gap.call == kNoRow ? StringId() : m_trace.apiCalls().name[gap.call];
        add({CulpritKind::LaunchCall, m_groups.of(call), StringId::kNone}, gap, index, launch);
        add({CulpritKind::DeviceLatency, m_groups.of(call), StringId::kNone}, gap, index, device);
    }

    std::vector<Culprit> rows() const {
        std::vector<Culprit> rows;
        for (const auto& [key, culprit] : m_rows) {
            rows.push_back(culprit);
            rows.back().name = m_groups.name(key.group);
            rows.back().call = m_trace.string(StringId{key.call});
        }
        std::ranges::stable_sort(rows, std::ranges::greater{}, &Culprit::idleNs);
        return rows;
    }

private:
    Key hostKey(const Gap& gap, CulpritKind nameless) {
        if (!gap.hostName.valid()) return {nameless, m_groups.of(StringId()), StringId::kNone};
        if (gap.hostCall == gap.hostName) return {CulpritKind::ApiCall, m_groups.of(gap.hostCall), StringId::kNone};
        return {CulpritKind::Range, m_groups.of(gap.hostName), gap.hostCall.value};
    }

    void add(const Key& key, const Gap& gap, size_t index, const GapCauses& causes) {
        const int64_t ns = causes.totalNs();
        if (ns == 0) return;
        Culprit& row = m_rows[key];
        row.kind = key.kind;
        row.idleNs += ns;
        ++row.gapCount;
        row.causes += causes;
        if (ns > row.longestNs) {
            row.longestNs = ns;
            row.longestGap = index;
            row.longest = gap.range;
        }
    }

    const Trace& m_trace;
    GroupNames m_groups;
    std::map<Key, Culprit> m_rows;
};

template <class Gaps>
std::vector<Culprit> sumUp(const Trace& trace, const Gaps& gaps, std::stop_token stop) {
    Sums sums(trace);
    for (size_t i = 0; i < gaps.size(); ++i) {
        if ((i & 0xFFFF) == 0 && stop.stop_requested()) break;
        sums.add(gaps[i], i);
    }
    return sums.rows();
}

}  // namespace

std::string culpritTitle(const Culprit& culprit) {
    switch (culprit.kind) {
        case CulpritKind::Range:
            return culprit.call.empty() ? culprit.name : culprit.call + " in " + culprit.name;
        case CulpritKind::ApiCall:
            return culprit.name;
        case CulpritKind::Host:
            return "host, unnamed";
        case CulpritKind::LaunchCall:
            return "launch call: " + culprit.name;
        case CulpritKind::DeviceLatency:
            return "device latency of " + culprit.name;
        case CulpritKind::Unknown:
            return "unknown: no launch in the file";
    }
    return {};
}

std::string groupName(std::string_view name) {
    for (const std::string_view added : {", seq = ", ", op_id = "})
        if (const size_t at = name.find(added); at != std::string_view::npos && at > 0) name = name.substr(0, at);
    std::string group;
    for (size_t i = 0; i < name.size();) {
        size_t end = i;
        while (end < name.size() && isDigit(name[end]))
            ++end;
        const bool begins = i == 0 || !isWordCharacter(name[i - 1]);
        const bool ends = end == name.size() || !isWordCharacter(name[end]);
        if (end == i) {
            group += name[i++];
        } else {
            group += begins && ends ? std::string_view("N") : name.substr(i, end - i);
            i = end;
        }
    }
    return group;
}

std::vector<Culprit> culprits(const Trace& trace, std::span<const Gap> gaps, std::stop_token stop) {
    return sumUp(trace, gaps, stop);
}

std::vector<Culprit> culprits(const Trace& trace, const GapList& gaps, std::stop_token stop) {
    return sumUp(trace, gaps, stop);
}

}  // namespace gapscope
