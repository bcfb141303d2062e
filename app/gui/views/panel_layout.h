// How the panels of the tabs are laid out: a column, at its top a row for the caption and what stands beside it.
#pragma once

#include <QHBoxLayout>
#include <QVBoxLayout>

namespace gapscope {

// The layout of the widget, which owns it.
inline QVBoxLayout* columnIn(QWidget* widget) {
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(3);
    return layout;
}

inline QHBoxLayout* captionRowIn(QVBoxLayout* column) {
    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 0, 8, 0);
    column->addLayout(row);
    return row;
}

}  // namespace gapscope
