// Notes and arrangements of rows as files tell them, held to what a trace keeps (core/trace/annotations.h). What is
// left out or cut is counted. Internal to the import room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace/annotations.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

class AnnotationIntake {
public:
    void addNote(int64_t startNs, int64_t endNs, std::string_view text);  // any bytes
    void countBadNote() { ++m_badNotes; }
    void addChoice(RowChoice choice);
    void countBadChoice() { ++m_badChoices; }
    // Gives all of them to the trace, and counts what it does not get.
    void finish(TraceBuilder& builder);

private:
    std::vector<Note> m_notes;
    std::vector<RowChoice> m_choices;
    int64_t m_badNotes = 0, m_moreNotes = 0, m_cutNotes = 0, m_badChoices = 0, m_moreChoices = 0;
};

}  // namespace gapscope
