// What an export came to: every row is either written or counted here as something that the format cannot hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

struct ExportReport {
    struct Count {
        std::string name;  // lowerCamel, stable: "kernels"
        int64_t count = 0;
        std::string text;  // of what is not represented: one sentence, what became of it
    };
    std::vector<Count> written;
    std::vector<Count> notRepresented;
    int64_t bytes = 0;  // of the file or files

    // All rows of a trace by kind, and its notes; operations of no known stream, which formats put on one all the same,
    // are told too.
    void wroteRows(const Trace& trace);
    // Of every format but a session.
    void lacksArrangement(const Trace& trace);
    void wrote(std::string_view name, int64_t count) { written.push_back({std::string(name), count, {}}); }
    void lacks(std::string_view name, int64_t count, std::string text) {
        if (count > 0) notRepresented.push_back({std::string(name), count, std::move(text)});
    }
};

}  // namespace gapscope
