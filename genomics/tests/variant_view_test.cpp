#include "variant_view.hpp"

#include "reads_testing.hpp"
#include "vcf_text_file.hpp"

#include <fmt/format.h>
#include <htslib/tbx.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

class VariantView : public ::testing::Test {
 protected:
  VariantView() {
    text =
        "##fileformat=VCFv4.2\n##contig=<ID=one,length=9000000>\n##contig=<ID=two,length=900>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2\n";
    for (int i = 0; i < kCount; ++i) {
      const char* alleles = i % 3 == 0 ? "A\tC" : i % 3 == 1 ? "A\tACC" : "ATT\tA";
      text +=
          fmt::format("one\t{}\trs{}\t{}\t{}\t{}\tDP=7\tGT:DP\t{}:9\t0/0:8\n", 1000 + 100 * i, i,
                      alleles, i % 60, i % 4 == 0 ? "LowQual" : "PASS", i % 2 == 0 ? "0/1" : "1|1");
    }
    text += "two\t5\t.\tG\t<DEL>\t.\t.\t.\tGT\t./.\t0\n";
    plain = folder.write("calls.vcf", text);
    packed = folder.write("calls.vcf.gz", bgzf(text));
    EXPECT_EQ(tbx_index_build(packed.c_str(), 0, &tbx_conf_vcf), 0);
  }

  Json page(const std::filesystem::path& path, const app::ViewQuery& query, bool indexed = false) {
    const FileHandle file = open_for_reading(path);
    FileHandle index;
    if (indexed) index = open_for_reading(path.string() + ".tbi");
    return view.page({.file = file.get(), .index = index.get(), .file_name = "calls"}, query);
  }

  /// Positions of all rows, page by page.
  std::vector<std::string> all(const std::filesystem::path& path, app::ViewQuery query,
                               bool indexed = false) {
    std::vector<std::string> out;
    while (true) {
      const Json got = page(path, query, indexed);
      for (const Json& row : got["rows"]) out.push_back(row[1]);
      if (got["next"].is_null()) return out;
      query["cursor"] = got["next"];
    }
  }

  void refuses(const app::ViewQuery& query, const std::string& part) {
    try {
      (void)page(plain, query);
      ADD_FAILURE() << "expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::InvalidArgument);
      EXPECT_TRUE(contains(error.what(), part));
    }
  }

  static constexpr int kCount = 3000;
  Folder folder;
  app::FileView view = variant_view();
  std::string text;
  std::filesystem::path plain, packed;
};

TEST_F(VariantView, PagesHoldEachRecordOnce) {
  const auto rows = all(plain, {{"limit", "77"}});
  EXPECT_EQ(rows.size(), kCount + 1U);
  EXPECT_EQ(rows, all(packed, {{"limit", "500"}}));
  EXPECT_TRUE(
      std::ranges::is_sorted(rows.begin(), rows.end() - 1, {},
                             [](const std::string& position) { return std::stoi(position); }));
  const Json first = page(packed, {{"limit", "1"}});
  EXPECT_EQ(first["columns"][7], "s1");
  EXPECT_EQ(first["rows"][0],
            Json({"one", "1000", "A", "C", "SNV", "0", "LowQual", "0/1", "0/0", "rs0", "DP=7"}));
}

TEST_F(VariantView, FiltersLeaveOut) {
  EXPECT_EQ(all(packed, {{"kind", "insertion"}}).size(), kCount / 3U);
  EXPECT_EQ(all(packed, {{"kind", "other"}}), std::vector<std::string>{"5"});
  EXPECT_EQ(all(packed, {{"filter", "not PASS"}}).size(), kCount / 4U);
  EXPECT_EQ(all(packed, {{"genotype", "homozygous"}}).size(), kCount / 2U);
  EXPECT_EQ(all(packed, {{"genotype", "missing"}}).size(), 1U);
  EXPECT_EQ(all(packed, {{"quality", "59"}}).size(), kCount / 60U);
  EXPECT_EQ(all(packed, {{"text", "RS2999"}}).size(), 1U);
  EXPECT_EQ(all(packed, {{"kind", "SNV"}, {"filter", "PASS"}, {"genotype", "homozygous"}}).size(),
            kCount / 6U);
}

TEST_F(VariantView, ARegionIsTheSameWithAndWithoutAnIndex) {
  for (const std::string region : {"one:250,000-260,000", "one:1000", "one:1201-1202", "two", "one",
                                   "three", "one:400000-500000"}) {
    const auto slow = all(packed, {{"region", region}});
    EXPECT_EQ(all(packed, {{"region", region}}, true), slow) << region;
    EXPECT_EQ(all(plain, {{"region", region}, {"limit", "3"}}), slow) << region;
  }
  EXPECT_EQ(all(packed, {{"region", "one:250,000-260,000"}}, true).size(), 101U);
  // A deletion is found by any base that it removes.
  EXPECT_EQ(all(packed, {{"region", "one:1202-1202"}}, true), std::vector<std::string>{"1200"});
}

TEST_F(VariantView, WhatMakesNoSenseIsRefused) {
  refuses({{"region", "one:9-3"}}, "expected chr1:1000-2000");
  refuses({{"kind", "banana"}}, "kind: expected one of SNV");
  refuses({{"quality", "high"}}, "quality: expected a number, found \"high\"");
  refuses({{"limit", "0"}}, "limit");
  refuses({{"cursor", "x"}}, "cursor");
}

TEST_F(VariantView, DefectsAreNamedAndNeverEndTheProgram) {
  const auto fails = [this](const std::string& name, const std::string& bytes, Errc code) {
    try {
      (void)page(folder.write(name, bytes), {});
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
    }
  };
  fails("a", "", Errc::CorruptData);
  fails("b", "hello\n", Errc::CorruptData);
  fails("c", "##fileformat=VCFv4.2\n", Errc::CorruptData);
  fails("d", text.substr(0, 200) + "\nbroken\n", Errc::CorruptData);
  fails("e", gzip(text), Errc::Unsupported);
  fails("f", bgzf("BCF\2\2......"), Errc::Unsupported);
  const std::string whole = read_file(packed);
  fails("g", whole.substr(0, 300), Errc::CorruptData);
  // Any place as a cursor: rows or an error, never more.
  for (std::uint64_t place = 0; place < whole.size() << 16; place += 0x3FFFF7) {
    try {
      (void)page(packed, {{"cursor", std::to_string(place)}});
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace aceso::genomics
