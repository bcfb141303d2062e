// One safetensors file: a JSON header that says where each tensor lies, and the bytes. Header lengths, shapes and
// offsets are checked against the file before use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

struct SafetensorsEntry {
    std::string type;            // "BF16", as the file writes it
    std::vector<int64_t> shape;  // rows first
    std::span<const std::byte> data;
};

class SafetensorsFile {
public:
    // Borrows `bytes`. `name` stands in errors.
    static Result<SafetensorsFile> parse(std::span<const std::byte> bytes, std::string name);

    const std::string& name() const { return m_name; }
    const SafetensorsEntry* tensor(const std::string& name) const;
    const std::unordered_map<std::string, SafetensorsEntry>& tensors() const { return m_tensors; }

private:
    std::string m_name;
    std::unordered_map<std::string, SafetensorsEntry> m_tensors;
};

}  // namespace gapscope
