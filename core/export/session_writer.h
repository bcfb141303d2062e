// Writes a session file while the run goes on: each append() is one transaction, so a killed program loses only what
// came after the last one.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "core/base/result.h"
#include "core/export/export_texts.h"
#include "core/trace/trace.h"

namespace gapscope {

class SessionWriter {
public:
    // The file must not exist. It is marked incomplete until finish().
    static Result<std::unique_ptr<SessionWriter>> create(const std::filesystem::path& path);
    ~SessionWriter();  // closes; without finish() the file stays marked incomplete, for recovery

    // Writes every row beyond those written before and replaces the small tables (run, devices, threads, diagnostics).
    // `snapshot` must be of the same builder each time. After an error the file holds what the last good call wrote.
    Status append(const Trace& snapshot);

    // Marks the session complete and leaves one file without -wal beside it.
    Status finish();

    const std::filesystem::path& path() const;

private:
    struct Impl;
    explicit SessionWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

// Save As: the whole trace to `path`, replacing what is there only once the new file is complete.
Status saveSession(const Trace& trace, const std::filesystem::path& path, std::stop_token stop = {},
                   Identity identity = Identity::Kept);

}  // namespace gapscope
