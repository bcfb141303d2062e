// Whether a file is a trace that this program opens, by its beginning alone: for looking through folders.
#pragma once

#include <filesystem>

namespace gapscope {

enum class TraceLook {
    None,
    Whole,     // or of a format that does not show it
    CutShort,  // JSON text that ends in the middle: its writer may not be done
};

// Cheap: reads at most 64 KB, unpacked, and the end of JSON text. Any `.json` that tells no events is none, as is any
// database without the tables of a session or Nsight Systems export. Files that cannot be read are none.
TraceLook lookAtBeginning(const std::filesystem::path& path);

}  // namespace gapscope
