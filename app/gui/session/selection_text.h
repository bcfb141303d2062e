// What a selection is called: "token 12", "the gemm kernels", so that every panel can say what it answers for.
#pragma once

#include <QString>

#include "app/gui/session/session.h"

namespace gapscope {

QString text(std::string_view utf8);
// The form that fits the number, with %1 replaced by it: "1 gap", "1,200 gaps".
QString counted(int64_t count, const QString& one, const QString& many);
QString categoryTitle(Category category);  // "gemm", as everywhere
QString deviceOpTitle(DeviceOpKind kind);  // "kernel"
QString gapCauseTitle(int cause);          // "host, waiting"

// "the whole run" for no selection.
QString describe(const Trace& trace, const Selection& selection);

}  // namespace gapscope
