#include "core/import/annotation_intake.h"

#include <utility>

#include "core/base/utf8.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

// No more than the most, and whole characters.
std::string_view cut(std::string_view text, size_t most) {
    if (text.size() <= most) return text;
    size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return text.substr(0, end);
}

}  // namespace

void AnnotationIntake::addNote(int64_t startNs, int64_t endNs, std::string_view text) {
    if (!areSaneTimes(startNs, endNs)) return countBadNote();
    if (m_notes.size() >= kMostNotes) {
        ++m_moreNotes;
        return;
    }
    const std::string valid = toValidUtf8(cut(text, kMostNoteBytes));
    const std::string_view kept = cut(valid, kMostNoteBytes);  // what is put for bad bytes is longer than they are
    m_cutNotes += text.size() > kMostNoteBytes || kept.size() < valid.size() ? 1 : 0;
    m_notes.push_back({{startNs, endNs}, std::string(kept)});
}

void AnnotationIntake::addChoice(RowChoice choice) {
    if (choice.key.empty() || choice.key.size() > kMostRowKeyBytes || !isValidUtf8(choice.key)) return countBadChoice();
    if (m_choices.size() >= kMostRowChoices) {
        ++m_moreChoices;
        return;
    }
    m_choices.push_back(std::move(choice));
}

void AnnotationIntake::finish(TraceBuilder& builder) {
    Diagnostics& diagnostics = builder.diagnostics();
    diagnostics.add("note_unusable", Severity::DataLoss, m_badNotes,
                    "Notes have no time, end before they start or lie out of all time; they are left out.");
    diagnostics.add("too_many_notes", Severity::DataLoss, m_moreNotes,
                    "Notes beyond the 10,000 that a trace keeps are left out.");
    diagnostics.add("long_note_cut", Severity::DataLoss, m_cutNotes, "Notes are shown without their end.");
    diagnostics.add("row_choice_unusable", Severity::Info, m_badChoices,
                    "What the file says of how some rows are arranged names no row; they are where they are by "
                    "themselves.");
    diagnostics.add("too_many_row_choices", Severity::Info, m_moreChoices,
                    "More rows are arranged than a trace keeps; the rest are where they are by themselves.");
    Annotations annotations{.notes = std::move(m_notes), .rows = arrangementOf(m_choices)};
    if (!annotations.empty()) builder.setAnnotations(std::move(annotations));
}

}  // namespace gapscope
