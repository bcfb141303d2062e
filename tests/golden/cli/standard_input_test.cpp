// "-" is the standard input: what comes through a pipe is read as the file is, whatever its format.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include "core/export/chrome_json.h"
#include "core/export/perfetto_trace.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/packed.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/same_trace.h"
#include "tests/core/testing/small_nsys_export.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

struct Ran {
    int exitCode = -1;
    std::string output;  // stdout and stderr together
};

Ran shell(const std::string& command) {
    Ran ran;
    FILE* pipe = ::popen(("(" + command + ") 2>&1").c_str(), "r");
    if (!pipe) return ran;
    std::array<char, 4096> buffer;
    for (size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        ran.output.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    ran.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
}

const std::string kCli = std::string("'") + GAPSCOPE_CLI + "' ";

std::string bytesOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class StandardInput : public testing::Test {
protected:
    void SetUp() override { ::setenv("TMPDIR", m_temporary.path().c_str(), 1); }
    void TearDown() override {
        EXPECT_TRUE(std::filesystem::is_empty(m_temporary.path()));  // nothing is left of what was kept
        ::unsetenv("TMPDIR");
    }
    std::string at(const std::string& name) const { return "'" + (m_folder / name).string() + "'"; }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(m_folder / name, std::ios::binary) << bytes;
    }

    TempFolder m_folder, m_temporary;
};

}  // namespace

TEST_F(StandardInput, IsReadAsTheFileIsInEveryFormat) {
    const TracePtr trace = RandomTrace(5, {.deviceOps = 400, .calls = 300}).build().snapshot();
    ASSERT_TRUE(saveSession(*trace, m_folder / "session"));
    ASSERT_TRUE(exportChromeJson(*trace, m_folder / "chrome.json"));
    ASSERT_TRUE(exportPerfettoTrace(*trace, m_folder / "perfetto.pftrace"));
    writeSmallNsysExport(m_folder / "nsys", NsysSchema::V3_25);
    for (const char* name : {"session", "chrome.json", "perfetto.pftrace", "nsys"}) {
        const std::string bytes = bytesOf(m_folder / name);
        write(std::string(name) + ".gz", gzipped(bytes));
        write(std::string(name) + ".zst", zstdPacked(bytes));
        for (const char* ending : {"", ".gz", ".zst"}) {
            const std::string file = at(std::string(name) + ending);
            SCOPED_TRACE(file);
            for (const char* command : {"summary --json ", "kernels ", "gaps --csv "}) {
                const Ran plain = shell(kCli + command + file);
                EXPECT_EQ(plain.exitCode, 0) << plain.output;
                const Ran piped = shell("cat " + file + " | " + kCli + command + "-");
                EXPECT_EQ(piped.exitCode, 0) << piped.output;
                EXPECT_EQ(piped.output, plain.output);
            }
            const Ran converted = shell(kCli + "convert --force - " + at("out.gapscope") + " < " + file);
            EXPECT_EQ(converted.exitCode, 0) << converted.output;
            const auto before = openTrace(m_folder / (std::string(name) + ending));
            const auto after = openTrace(m_folder / "out.gapscope");
            ASSERT_TRUE(before && after);
            EXPECT_EQ((*before)->eventCount(), (*after)->eventCount());
        }
    }
}

TEST_F(StandardInput, IsOneOfSeveralFiles) {
    ASSERT_TRUE(saveSession(*RandomTrace(1).build().snapshot(), m_folder / "a"));
    const Ran joined = shell("cat " + at("a") + " | " + kCli + "ranks --json " + at("a") + " -");
    EXPECT_EQ(joined.exitCode, 0) << joined.output;
    EXPECT_NE(joined.output.find("standard input: "), std::string::npos) << joined.output;
    const Ran compared = shell("cat " + at("a") + " | " + kCli + "compare " + at("a") + " - --fail-above 0");
    EXPECT_EQ(compared.exitCode, 0) << compared.output;
    // Two windows of what can be read only once.
    const Ran windows =
        shell("cat " + at("a") + " | " + kCli + "compare - --window-before 0:500 --window-after 500:900");
    EXPECT_EQ(windows.exitCode, 0) << windows.output;
    const Ran report = shell("cat " + at("a") + " | " + kCli + "report - -o " + at("r.html"));
    EXPECT_EQ(report.exitCode, 0) << report.output;
    EXPECT_NE(bytesOf(m_folder / "r.html").find("standard input"), std::string::npos);
}

TEST_F(StandardInput, IsRefusedInOneSentence) {
    ASSERT_TRUE(saveSession(*RandomTrace(1, {.deviceOps = 3000}).build().snapshot(), m_folder / "a"));
    write("cut", bytesOf(m_folder / "a").substr(0, 20'000));
    write("cut.gz", gzipped(bytesOf(m_folder / "a")).substr(0, 20'000));
    write("text", "hello\n");
    write("bomb", gzipped("[" + std::string(size_t{300} << 20, ' ')));
    const std::pair<std::string, std::string> cases[] = {
        {"cat /dev/null | " + kCli + "summary -", "The standard input is empty."},
        {"cat " + at("text") + " | " + kCli + "summary -", "The standard input is not a trace this program knows"},
        {"cat " + at("cut") + " | " + kCli + "summary -", "The standard input is cut short: 20000 of "},
        {"cat " + at("cut.gz") + " | " + kCli + "summary -",
         "The standard input cannot be unpacked: the file ends in the middle of its gzip data."},
        {"cat " + at("bomb") + " | " + kCli + "summary -",
         "The standard input unpacks to more than 250 times its size"},
        {"cat " + at("text") + " | " + kCli + "convert - " + at("o.json"), "The standard input is not a trace"},
        {"cat " + at("a") + " | " + kCli + "summary - -", "The standard input (-) can be read only once."},
        {"cat " + at("a") + " | " + kCli + "compare - -", "The standard input (-) can be read only once."},
    };
    for (const auto& [command, sentence] : cases) {
        const Ran ran = shell(command);
        EXPECT_EQ(ran.exitCode, command.ends_with("- -") ? 2 : 1) << command;
        EXPECT_TRUE(ran.output.starts_with("gapscope-cli: " + sentence)) << ran.output;
        EXPECT_EQ(std::ranges::count(ran.output, '\n'), 1) << ran.output;
    }
    EXPECT_FALSE(std::filesystem::exists(m_folder / "o.json"));
}

// More than is kept in memory goes through a file, which is gone afterwards (TearDown looks).
TEST_F(StandardInput, LargerThanMemoryIsKeptInAFile) {
    const Ran ran = shell(
        "{ printf '{\"traceEvents\":['; head -c 70000000 /dev/zero | tr '\\0' ' '; printf '"
        "{\"ph\":\"X\",\"name\":\"a\",\"ts\":1,\"dur\":1,\"pid\":1,\"tid\":1}]}'; } | " +
        kCli + "summary --json -");
    EXPECT_EQ(ran.exitCode, 0) << ran.output;
}

}  // namespace gapscope
