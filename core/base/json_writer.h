// Writes JSON text piece by piece: commas, escaping and exact integers. Strings must be valid UTF-8.
//   JsonWriter json; json.beginObject().key("ids").beginArray().value(2).endArray().endObject(); json.text()
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace gapscope {

class JsonWriter {
public:
    JsonWriter& beginObject() { return open('{'); }
    JsonWriter& endObject() { return close('}'); }
    JsonWriter& beginArray() { return open('['); }
    JsonWriter& endArray() { return close(']'); }
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
    JsonWriter& value(double number);  // shortest text that reads back the same; not finite: null
    template <std::integral Integer>
    JsonWriter& value(Integer number) {
        return raw(std::to_string(number));
    }
    JsonWriter& null() { return raw("null"); }
    JsonWriter& number(std::string_view digits) { return raw(digits); }  // a number as JSON writes it

    template <class Value>
    JsonWriter& field(std::string_view name, const Value& content) {
        return key(name).value(content);
    }

    const std::string& text() const { return m_text; }
    void clearText() { m_text.clear(); }  // what was written out; the next piece goes on from there

private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    JsonWriter& raw(std::string_view token);
    void separate();

    std::string m_text;
    bool m_needsComma = false;
};

}  // namespace gapscope
