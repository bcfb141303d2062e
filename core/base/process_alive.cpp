#include "core/base/process_alive.h"

#include <fstream>
#include <sstream>
#include <string>

namespace gapscope {

int64_t processStartTicks(int64_t processId) {
    if (processId <= 0) return 0;
    std::ifstream file("/proc/" + std::to_string(processId) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return 0;
    // The second field is the name in brackets and may hold anything; what follows its last bracket is plain.
    const size_t bracket = line.rfind(')');
    if (bracket == std::string::npos) return 0;
    std::istringstream rest(line.substr(bracket + 1));
    std::string state;
    rest >> state;
    if (state == "Z" || state == "X") return 0;  // ended, not yet collected by its parent
    int64_t value = 0;
    for (int field = 4; field <= 22; ++field)  // starttime is field 22 of proc(5)
        if (!(rest >> value)) return 0;
    return value;
}

}  // namespace gapscope
