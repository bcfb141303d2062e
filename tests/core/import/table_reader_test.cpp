// What a file may cost: text is counted wherever it is read, for many rows can share the pages it lies in.
#include "core/import/table_reader.h"

#include <gtest/gtest.h>

#include "core/export/session_writer.h"
#include "core/import/own_session.h"
#include "core/trace/trace_builder.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

constexpr size_t kAllowedText = 1000;  // of a file of no bytes

}  // namespace

TEST(TableReader, TextBeyondTheBudgetIsAnError) {
    const TempFolder folder;
    auto database = Database::open(folder / "rows.sqlite", Database::Mode::Create);
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE(database->execute("CREATE TABLE rows (text TEXT)"));
    const std::string text(kAllowedText / 2, 'x');
    for (int row = 0; row < 3; ++row)
        ASSERT_TRUE(database->execute("INSERT INTO rows VALUES ('" + text + "')"));

    const ImportProgress progress;
    ImportBudget budget(0, progress, {});
    auto rows = TableReader::open(*database, budget, "rows", {"text"});
    ASSERT_TRUE(rows) << rows.error().message;
    for (int row = 0; row < 2; ++row) {
        ASSERT_TRUE(rows->next().value());
        EXPECT_EQ(rows->text(0), text);
    }
    ASSERT_TRUE(rows->next().value());
    EXPECT_EQ(rows->text(0), "");
    const auto more = rows->next();
    ASSERT_FALSE(more);
    EXPECT_NE(more.error().message.find("more text"), std::string::npos) << more.error().message;
}

TEST(OwnSession, CountsTheTextOfDiagnosticsAndOfTheRun) {
    const TempFolder folder;
    const std::string longText(2 * kAllowedText, 'x');
    for (const bool inRun : {false, true}) {
        TraceBuilder builder;
        if (inRun)
            builder.setRun({.prompt = longText});
        else
            builder.diagnostics().add("test", Severity::Info, 1, longText);
        const auto path = folder / (inRun ? "run.gapscope" : "diagnostic.gapscope");
        ASSERT_TRUE(saveSession(*builder.snapshot(), path));
        for (const int64_t fileBytes : {0, 100'000}) {
            auto database = Database::open(path, Database::Mode::Immutable);
            ASSERT_TRUE(database) << database.error().message;
            const ImportProgress progress;
            ImportBudget budget(fileBytes, progress, {});
            TraceBuilder read;
            EXPECT_EQ(readOwnSession(*database, budget, read).has_value(), fileBytes > 0);
        }
    }
}

}  // namespace gapscope
