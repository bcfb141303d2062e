// How the program looks as a whole: light or dark palette, and the line icons, which take the text colour of the theme.
#pragma once

#include <QIcon>
#include <QPalette>
#include <QString>
#include <QStyle>

#include "app/gui/settings/app_settings.h"
#include "app/gui/theme.h"

namespace gapscope {

QPalette lightPalette();
QPalette darkPalette();

// Fusion, with frames of fields whose four edges are seen at any scale factor, and which say who has the focus. The
// caller, or the application that it is set for, owns it.
QStyle* makeStyle();

// System: as the desktop says; its palette is taken when this is first called.
void applyTheme(ThemeChoice choice);

// The colours that go with the palette in use.
const Theme& appTheme();

// One of resources/icons, by file name without suffix. Drawn from the vector at the size and colour needed.
QIcon lineIcon(const QString& name);

}  // namespace gapscope
