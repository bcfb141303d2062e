// The timeline for screen readers and for programs that test by what is there: a list whose items are the rows, each
// with its name, its busy share and what of it is selected.
#pragma once

namespace gapscope {

// Makes Qt ask for it; can be called again.
void installTimelineAccessibility();

}  // namespace gapscope
