// The tables of a session file as SQL. Columns and their order are those of Nsight Systems' export; see README.md.
#pragma once

#include <string>

namespace gapscope {

// Creates every table and fills the ENUM_* ones.
const std::string& sessionSchemaSql();

}  // namespace gapscope
