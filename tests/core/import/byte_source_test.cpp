// Plain, gzip and zstd bytes: whole, in several parts, cut, damaged, and made to fill the memory.
#include "core/import/byte_source.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tests/core/testing/packed.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

struct Unpacked {
    std::string bytes;
    std::string damage;
    std::string error;
};

Unpacked readAll(ByteSource source, size_t piece) {
    Unpacked result;
    std::vector<char> buffer(piece);
    for (;;) {
        const auto got = source.read(buffer);
        if (!got) {
            result.error = got.error().message;
            return result;
        }
        result.bytes.append(buffer.data(), *got);
        if (*got < piece) break;
    }
    EXPECT_EQ(source.read(buffer).value_or(1), 0u) << "more after the end";
    EXPECT_LE(source.takenBytes(), source.totalBytes());
    result.damage = source.damage();
    return result;
}

std::string sampleText(size_t bytes) {
    std::string text;
    for (int i = 0; text.size() < bytes; ++i)
        text += "{\"ph\":\"X\",\"ts\":" + std::to_string(i * 7919 % 10007) + "},\n";
    text.resize(bytes);
    return text;
}

}  // namespace

TEST(ByteSource, UnpacksWhatItIsWhateverThePieces) {
    const std::string text = sampleText(300'000), second = sampleText(70'000);
    const std::string skippable("\x50\x2A\x4D\x18\x03\x00\x00\x00???", 11);
    for (const size_t piece : {size_t{1} << 20, size_t{65536}, size_t{4099}, size_t{512}}) {
        EXPECT_EQ(readAll(ByteSource::over(text, "m"), piece).bytes, text);
        for (const std::string& packed :
             {gzipped(text), zstdPacked(text), gzipped(text.substr(0, 1000)) + gzipped(text.substr(1000)),
              zstdPacked(text.substr(0, 1000)) + skippable + zstdPacked(text.substr(1000)),
              skippable + zstdPacked(text)}) {
            const Unpacked all = readAll(ByteSource::over(packed, "m"), piece);
            EXPECT_EQ(all.bytes, text);
            EXPECT_EQ(all.damage, "");
        }
    }
}

TEST(ByteSource, ReadsFiles) {
    TempFolder folder;
    const std::string text = sampleText(10'000);
    std::ofstream(folder / "a", std::ios::binary) << gzipped(text);
    auto source = ByteSource::open(folder / "a");
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_STREQ(source->packing(), "gzip");
    EXPECT_EQ(readAll(std::move(*source), 4096).bytes, text);
    EXPECT_FALSE(ByteSource::open(folder / "nowhere"));
}

TEST(ByteSource, GivesWhatIsWholeOfACutOrDamagedStream) {
    std::string text = sampleText(1'000'000);
    std::mt19937 random(3);
    for (size_t i = 0; i < text.size(); i += 3)
        text[i] = static_cast<char>('0' + random() % 10);  // zstd comes in blocks: make several
    for (const std::string& packed : {gzipped(text), zstdPacked(text)}) {
        const Unpacked cut = readAll(ByteSource::over(packed.substr(0, packed.size() / 2), "m"), 4096);
        EXPECT_GT(cut.bytes.size(), 10'000u);
        EXPECT_EQ(cut.bytes, text.substr(0, cut.bytes.size()));
        EXPECT_NE(cut.damage.find("ends in the middle of its"), std::string::npos) << cut.damage;

        std::string broken = packed;
        broken[broken.size() - 6] = static_cast<char>(broken[broken.size() - 6] ^ 1);  // in the checksum
        const Unpacked wrong = readAll(ByteSource::over(broken, "m"), 4096);
        EXPECT_NE(wrong.damage.find("is damaged"), std::string::npos) << wrong.damage;

        const Unpacked tail = readAll(ByteSource::over(packed + "tail", "m"), 4096);
        EXPECT_EQ(tail.bytes, text);
        EXPECT_NE(tail.damage, "");
    }
}

TEST(ByteSource, EveryCutEndsWithoutInventedBytes) {
    const std::string text = sampleText(2'000);
    for (const std::string& packed : {gzipped(text), zstdPacked(text)}) {
        for (size_t length = 4; length < packed.size(); ++length) {
            const Unpacked cut = readAll(ByteSource::over(packed.substr(0, length), "m"), 256);
            EXPECT_TRUE(text.starts_with(cut.bytes));
            EXPECT_NE(cut.damage, "") << length;
        }
    }
}

TEST(ByteSource, RefusesBombs) {
    const std::string zeros(size_t{300} << 20, '\0');
    for (const std::string& packed : {gzipped(zeros), zstdPacked(zeros)}) {
        const Unpacked bomb = readAll(ByteSource::over(packed, "bomb"), 1 << 20);
        EXPECT_NE(bomb.error.find("more than 250 times its size"), std::string::npos) << bomb.error;
        EXPECT_LE(bomb.bytes.size(), static_cast<size_t>(kUncheckedExpansionBytes) + (packed.size() + 1) * 250);
    }
    // What does not grow past the first bytes is let through, whatever the factor.
    const std::string small = gzipped(std::string(size_t{20} << 20, ' '));
    EXPECT_EQ(readAll(ByteSource::over(small, "m"), 1 << 20).error, "");
}

TEST(ByteSource, RefusesWindowsLargerThanItsMemory) {
    const std::string text = sampleText(1000);
    EXPECT_EQ(readAll(ByteSource::over(zstdPacked(text, kMostZstdWindowLog), "m"), 4096).bytes, text);
    const Unpacked large = readAll(ByteSource::over(zstdPacked(text, kMostZstdWindowLog + 1), "m"), 4096);
    EXPECT_EQ(large.bytes, "");
    EXPECT_NE(large.damage.find("memory"), std::string::npos) << large.damage;
}

}  // namespace gapscope
