// Compares two traces table by table and row by row, and says where they part.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/trace/annotations.h"
#include "core/trace/run_fields.h"
#include "core/trace/trace.h"

namespace gapscope {

// A row's fields with ids as they are: equal only if strings, tracks, ops and configs have the same ids too.
template <class Columns>
void expectSameRows(const Columns& expected, const Columns& actual, const char* table) {
    const auto size = [](const Columns& columns) { return std::get<0>(columns.fields()).size(); };
    ASSERT_EQ(size(expected), size(actual)) << table;
    for (size_t row = 0; row < size(expected); ++row) {
        auto a = rowAt(expected, row), b = rowAt(actual, row);
        ASSERT_TRUE(Columns::rowFields(a) == Columns::rowFields(b)) << table << " row " << row;
    }
}

template <class Row>
void expectSameList(const ColumnView<Row>& expected, const ColumnView<Row>& actual, const char* table) {
    ASSERT_EQ(expected.size(), actual.size()) << table;
    for (size_t row = 0; row < expected.size(); ++row)
        ASSERT_TRUE(expected[row] == actual[row]) << table << " row " << row;
}

inline void expectSameTrace(const Trace& expected, const Trace& actual) {
    ASSERT_EQ(expected.stringCount(), actual.stringCount());
    for (uint32_t id = 0; id < expected.stringCount(); ++id)
        ASSERT_EQ(expected.string(StringId{id}), actual.string(StringId{id}));
    expectSameRows(expected.deviceOps(), actual.deviceOps(), "deviceOps");
    expectSameRows(expected.apiCalls(), actual.apiCalls(), "apiCalls");
    expectSameRows(expected.ranges(), actual.ranges(), "ranges");
    expectSameRows(expected.overheads(), actual.overheads(), "overheads");
    expectSameRows(expected.tokens(), actual.tokens(), "tokens");
    expectSameRows(expected.counterSamples(), actual.counterSamples(), "counterSamples");
    expectSameList(expected.tracks(), actual.tracks(), "tracks");
    expectSameList(expected.ops(), actual.ops(), "ops");
    expectSameList(expected.launchConfigs(), actual.launchConfigs(), "launchConfigs");
    expectSameList(expected.counters(), actual.counters(), "counters");
    ASSERT_EQ(expected.devices().size(), actual.devices().size());
    for (size_t i = 0; i < expected.devices().size(); ++i) {
        const DeviceRow &a = expected.devices()[i], &b = actual.devices()[i];
        EXPECT_EQ(a.id, b.id);
        EXPECT_EQ(a.kind, b.kind);
        EXPECT_EQ(a.name, b.name);
        EXPECT_EQ(a.totalMemoryBytes, b.totalMemoryBytes);
        EXPECT_EQ(a.peakBytesPerSecond, b.peakBytesPerSecond);
        EXPECT_EQ(a.peakFlopsPerSecond, b.peakFlopsPerSecond);
    }
    ASSERT_EQ(expected.threads().size(), actual.threads().size());
    for (size_t i = 0; i < expected.threads().size(); ++i) {
        EXPECT_EQ(expected.threads()[i].globalTid, actual.threads()[i].globalTid);
        EXPECT_EQ(expected.threads()[i].name, actual.threads()[i].name);
    }
    EXPECT_EQ(expected.diagnostics(), actual.diagnostics());
    EXPECT_EQ(expected.origin(), actual.origin());
    EXPECT_EQ(expected.annotations(), actual.annotations());
    EXPECT_EQ(expected.extent(), actual.extent());
    ASSERT_EQ(expected.run() == nullptr, actual.run() == nullptr);
    if (expected.run()) {
        EXPECT_EQ(*expected.run(), *actual.run());
    }
}

}  // namespace gapscope
