#include "api/preview.hpp"

#include "aceso/core/text.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

namespace aceso::hub {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Json preview_of(const std::string& bytes, std::string_view name, std::string_view viewer) {
  const ScratchFolder folder("/tmp");
  write_file(folder.path() / "file", bytes);
  return preview(open_for_reading(folder.path() / "file"), name, viewer);
}

TEST(Preview, ShowsASmallTextWhole) {
  const Json json = preview_of("a\nb", "x.txt", "text");
  EXPECT_EQ(json, (Json{{"viewer", "text"}, {"text", "a\nb"}, {"truncated", false}}));
  EXPECT_EQ(preview_of("", "x.txt", "text")["text"], "");
}

TEST(Preview, CutsALongTextBetweenCharacters) {
  std::string text = "x";
  for (int i = 0; i < 50'000; ++i) text += "é";
  const Json json = preview_of(text, "x.txt", "text");
  const auto shown = json["text"].get<std::string>();
  EXPECT_TRUE(json["truncated"]);
  EXPECT_TRUE(is_utf8(shown));
  EXPECT_GT(shown.size(), 65'000U);
}

TEST(Preview, UndoesGzipOfSeveralMembersWithinABound) {
  EXPECT_EQ(preview_of(gzip("one\n") + gzip("two\n"), "x.txt.gz", "text"),
            (Json{{"viewer", "text"}, {"text", "one\ntwo\n"}, {"truncated", false}}));
  const Json bomb = preview_of(gzip(std::string(50'000'000, 'x')), "x.txt.gz", "text");
  EXPECT_EQ(bomb["text"].get<std::string>().size(), 65'536U);
  EXPECT_TRUE(bomb["truncated"]);
}

TEST(Preview, EndsWhereGzipIsDamaged) {
  std::string packed = gzip("some text that is long enough to be cut somewhere");
  packed.resize(packed.size() / 2);
  EXPECT_TRUE(preview_of(packed, "x.gz", "text")["truncated"]);
  EXPECT_TRUE(preview_of("\x1f\x8bnot gzip at all", "x.gz", "text")["truncated"]);
  EXPECT_TRUE(preview_of("\x1f\x8b", "x.gz", "table")["truncated"]);
}

TEST(Preview, ReadsTables) {
  const Json csv = preview_of("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n2,", "x.csv", "table");
  EXPECT_EQ(csv["columns"], (Json{"a", "b"}));
  EXPECT_EQ(csv["rows"], Json::parse(R"([["1","x, \"y\"\nz"],["2",""]])"));
  EXPECT_FALSE(csv["truncated"]);
  const Json tsv = preview_of("a\tb\n\"1\t2\n", "x.tsv", "table");
  EXPECT_EQ(tsv["rows"][0], (Json{"\"1", "2"})) << "quotes mean nothing in TSV";
  EXPECT_EQ(preview_of("", "x.tsv", "table")["rows"], Json::array());
}

TEST(Preview, ShowsAtMost200Rows) {
  std::string text = "n\n";
  for (int i = 0; i < 200; ++i) text += std::to_string(i) + "\n";
  EXPECT_EQ(preview_of(text, "x.tsv", "table")["rows"].size(), 200U);
  EXPECT_FALSE(preview_of(text, "x.tsv", "table")["truncated"]);
  const Json more = preview_of(text + "200\n", "x.tsv", "table");
  EXPECT_EQ(more["rows"].size(), 200U);
  EXPECT_TRUE(more["truncated"]);
}

TEST(Preview, LeavesOutARowThatTheEndCuts) {
  const std::string row(600'000, 'x');
  const Json json = preview_of("n\n" + row + "\n" + row + "\n", "x.tsv", "table");
  EXPECT_EQ(json["rows"].size(), 1U);
  EXPECT_TRUE(json["truncated"]);
}

TEST(Preview, ShowsMoleculesAsTheTextOrTableThatTheyAre) {
  EXPECT_EQ(preview_of("C a\n", "x.smi", "molecules")["text"], "C a\n");
  EXPECT_EQ(preview_of("smiles,x\nC,1\n", "x.CSV", "molecules")["columns"], (Json{"smiles", "x"}));
}

TEST(Preview, DoesNotOpenWhatItCannotShow) {
  EXPECT_EQ(preview_of("\x89PNG", "x.png", "image"), (Json{{"viewer", "image"}}));
  EXPECT_EQ(preview_of("<script>", "x.html", "html"), (Json{{"viewer", "html"}}));
  EXPECT_EQ(preview_of("?", "x.bin", "none"), (Json{{"viewer", "none"}}));
  EXPECT_EQ(preview_of("?", "x.bin", "something new"), (Json{{"viewer", "none"}}));
}

}  // namespace
}  // namespace aceso::hub
