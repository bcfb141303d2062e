// The recorded runs that come with the program: sessions of Gemma 3 1B on a GPU, packed in the resources folder
// (packaging/make_example.sh makes them) and opened as they are.
#pragma once

#include <QString>

namespace gapscope {

enum class Example { Eager, Graph };

QString pathOf(Example example);
// An installation without resources has none.
bool isThere(Example example);

}  // namespace gapscope
