// The recorded runs that come with the program: sessions of Gemma 3 1B on a GPU, compressed in the resources folder
// (packaging/make_example.sh makes them).
#pragma once

#include <QString>

#include "core/base/result.h"

namespace gapscope {

enum class Example { Eager, Graph };

// An installation without resources has none.
bool isThere(Example example);

// Unpacks the session into the cache folder and returns its path there, so that it can be found again among the recent
// files. Blocks; run it off the UI thread.
Result<QString> unpack(Example example);

}  // namespace gapscope
