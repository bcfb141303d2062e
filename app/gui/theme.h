// The one table of colours: categories, gap causes and the surfaces they lie on, light and dark. Timeline, pie, tables,
// legend and report all take their colours from here, so that a colour means the same everywhere.
#pragma once

#include <QColor>
#include <QPalette>
#include <array>

#include "core/analysis/gaps.h"
#include "core/base/category.h"
#include "core/base/clock_event_reasons.h"
#include "core/layout/colour_by.h"

namespace gapscope {

struct Theme {
    bool dark = false;

    // Surfaces
    QColor background;        // behind timeline rows
    QColor backgroundBand;    // every other row
    QColor headerBackground;  // row names, ruler, overview
    QColor line;              // between rows, ruler ticks
    QColor lineStrong;        // between groups
    QColor text;
    QColor mutedText;

    // What the person does
    QColor accent;         // selection edges, focus, viewport handle
    QColor selectionFill;  // translucent
    QColor hover;          // outline under the pointer
    QColor launchLink;     // from an API call to its kernel
    QColor found;          // what a search found
    QColor note;           // the person's marks and notes

    // What is not device work
    QColor apiLaunch, apiCopy, apiWait, apiOther;
    std::array<QColor, kRangeTints> range;  // nested ranges, by name
    QColor prefill;
    std::array<QColor, 2> token;  // alternating
    QColor counterLine, counterFill;
    std::array<QColor, kClockLimitCount> clockLimits;  // by ClockLimit

    std::array<QColor, kNameTints> names;         // of names and streams, by tint
    std::array<QColor, kLatencyTints> latencies;  // short to long
    QColor noLatency;                             // also of calls that launch on no stream

    std::array<QColor, kCategoryCount> categories;
    std::array<QColor, kGapCauseCount> gapCauses;  // Unknown is drawn hatched

    QColor category(Category value) const { return categories[static_cast<size_t>(value)]; }
    QColor gapCause(GapCause value) const { return gapCauses[static_cast<size_t>(value)]; }

    static const Theme& light();
    static const Theme& darkTheme();
    static const Theme& of(const QPalette& palette);  // by the lightness of its window colour
};

// WCAG 2 contrast ratio, 1..21.
double contrastRatio(const QColor& a, const QColor& b);

// Black or white, whichever reads better: always at least 4.5:1.
QColor textOn(const QColor& background);
// `groundShare` of `ground` in `color`; both opaque.
QColor mixed(const QColor& color, const QColor& ground, double groundShare);

}  // namespace gapscope
