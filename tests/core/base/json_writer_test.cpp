#include "core/base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace gapscope {

TEST(JsonWriter, NestsWithCommasInTheRightPlaces) {
    JsonWriter json;
    json.beginObject().field("a", 1).key("b").beginArray().value(2).value("x").beginObject().endObject().endArray();
    json.field("c", true).key("d").null().endObject();
    EXPECT_EQ(json.text(), R"({"a":1,"b":[2,"x",{}],"c":true,"d":null})");
}

TEST(JsonWriter, EscapesControlCharactersAndKeepsUtf8) {
    JsonWriter json;
    json.value("a\"b\\c\n\x01µ");
    EXPECT_EQ(json.text(), "\"a\\\"b\\\\c\\n\\u0001µ\"");
}

TEST(JsonWriter, NumbersReadBackTheSame) {
    JsonWriter json;
    json.beginArray().value(std::numeric_limits<int64_t>::max()).value(0.1).value(1.0 / 0.0).endArray();
    EXPECT_EQ(json.text(), "[9223372036854775807,0.1,null]");
}

}  // namespace gapscope
