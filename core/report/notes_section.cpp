// What a person noted on the trace: when, the words, and what of the trace stands there.
#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "core/analysis/token_table.h"
#include "core/base/format.h"
#include "core/report/html.h"
#include "core/report/report_parts.h"
#include "core/trace/annotations.h"

namespace gapscope {

namespace {

constexpr size_t kMostNotesShown = 300;

// What has exactly the note's time, or, of a moment, the shortest that goes on then. Of equals the first that is told.
class Subjects {
public:
    // `notes` by start.
    explicit Subjects(const std::vector<const Note*>& notes) : m_notes(notes), m_best(notes.size()) {}

    template <class Rows>
    void look(const Trace& trace, const Rows& rows, std::stop_token stop) {
        constexpr size_t kRowsBetweenLooks = size_t{1} << 16;
        for (size_t row = 0; row < rows.startNs.size(); ++row) {
            if (row % kRowsBetweenLooks == 0 && stop.stop_requested()) return;
            const TimeRange time{rows.startNs[row], rows.endNs[row]};
            auto note =
                std::ranges::lower_bound(m_notes, time.startNs, {}, [](const Note* of) { return of->range.startNs; });
            for (; note != m_notes.end() && (*note)->range.startNs < time.endNs; ++note) {
                const bool fits = (*note)->range.empty() || (*note)->range == time;
                Subject& best = m_best[static_cast<size_t>(note - m_notes.begin())];
                if (fits && (best.name.empty() || time.durationNs() < best.ns))
                    best = {trace.string(rows.name[row]), time.durationNs()};
            }
        }
    }
    std::string_view name(size_t note) const { return m_best[note].name; }

private:
    struct Subject {
        std::string_view name;
        int64_t ns = 0;
    };
    const std::vector<const Note*>& m_notes;
    std::vector<Subject> m_best;
};

std::string tokenName(const TokenTime& token) {
    return (token.repeat < 0 ? "warm-up, " : "") +
           (token.index < 0 ? "prefill" : "token " + std::to_string(token.index));
}

// The tokens whose time it touches: "token 3", "token 3 to token 7"; empty: none. Each repeat and each prompt of a
// batch has its own, of which the first and the last are told.
std::string tokensAt(const TokenTable& tokens, TimeRange range) {
    const TokenTime *first = nullptr, *last = nullptr;
    for (const TokenTime& token : tokens.rows) {
        const bool touches = range.empty() ? token.range.contains(range.startNs) : token.range.overlaps(range);
        if (!touches) continue;
        if (!first || token.range.startNs < first->range.startNs) first = &token;
        if (!last || token.range.endNs > last->range.endNs) last = &token;
    }
    if (!first) return {};
    const std::string from = tokenName(*first), to = tokenName(*last);
    return from == to ? from : from + " to " + to;
}

}  // namespace

std::string notesSection(const PreparedTrace& prepared, std::string_view title, std::stop_token stop) {
    const Trace& trace = prepared.trace();
    const std::vector<Note>& all = trace.annotations().notes;
    if (all.empty()) return {};
    std::vector<const Note*> notes;
    for (const Note& note : all)
        notes.push_back(&note);
    std::ranges::stable_sort(notes, {}, [](const Note* note) { return note->range.startNs; });
    if (notes.size() > kMostNotesShown) notes.resize(kMostNotesShown);
    Subjects subjects(notes);
    subjects.look(trace, trace.deviceOps(), stop);
    subjects.look(trace, trace.apiCalls(), stop);
    subjects.look(trace, trace.ranges(), stop);
    const TokenTable tokens = tokenTable(trace, prepared.join(), trace.extent(), stop);
    HtmlTable table({">Start", ">Duration", "Note", "At"});
    for (size_t i = 0; i < notes.size(); ++i) {
        const Note& note = *notes[i];
        std::string at(subjects.name(i));
        if (const std::string token = tokensAt(tokens, note.range); !token.empty())
            at += (at.empty() ? "" : ", ") + token;
        table.add({formatMoment(note.range.startNs), note.range.empty() ? "" : formatDuration(note.range.durationNs()),
                   note.text.empty() ? "<span class=\"muted\">mark</span>" : escaped(note.text), escaped(at)});
    }
    return "<h2>" + escaped(title) + "</h2>\n" + table.html() + leftOut(all.size(), kMostNotesShown, "notes");
}

}  // namespace gapscope
