// One broken thing at a time, after the text of the specifications, and good files of every
// feature.
#include "check_app.hpp"
#include "check_pipeline.hpp"
#include "genome_testing.hpp"
#include "hts_files.hpp"

#include "aceso/app/runner.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <thread>

namespace aceso::genomics {
namespace {

/// What a check of one file finds.
class Checked {
 public:
  Checked(const std::filesystem::path& path, const Reference* reference) {
    Progress progress;
    Warnings warnings;
    app::Report report;
    Json metrics = Json::object();
    const ScratchFolder scratch(std::filesystem::temp_directory_path());
    app::RunContext context{progress, {}, warnings, report, metrics, {}, 1, scratch.path()};
    file = check_file(path, reference, findings, context);
  }

  [[nodiscard]] bool has(Severity severity, std::string_view kind, std::string_view where) const {
    return std::ranges::any_of(findings.kept(), [&](const Finding& f) {
      return f.severity == severity && f.kind == kind && f.where == where;
    });
  }
  [[nodiscard]] std::string all() const {
    std::string out;
    for (const Finding& f : findings.kept())
      out += std::string(name(f.severity)) + " " + f.text() + "\n";
    return out;
  }

  Findings findings{20};
  CheckedFile file;
};

Checked check(const std::string& file, std::string_view text,
              const Reference* reference = nullptr) {
  const Folder folder;
  return {folder.write(file, text), reference};
}

struct Case {
  std::string_view kind;  ///< expected; empty: none
  std::string text;       ///< broken line
  Severity severity = Severity::Error;
};

/// Of each case the line `line` of `before` + text + `behind` must be told of, as the only error.
void expect_cases(const std::string& file, const std::string& before, const std::string& behind,
                  std::string_view where, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const Checked found = check(file, before + one.text + behind);
    SCOPED_TRACE(one.text + "\n" + found.all());
    if (one.kind.empty()) {
      EXPECT_EQ(found.findings.errors(), 0U);
      continue;
    }
    EXPECT_TRUE(found.has(one.severity, one.kind, where));
    EXPECT_EQ(found.findings.errors() > 0, one.severity == Severity::Error);
  }
}

TEST(CheckSam, HeaderLines) {
  expect_cases(
      "a.sam", "@HD\tVN:1.6\tSO:unknown\n", "\n", "line 2",
      {
          {"",
           "@SQ\tSN:chr1\tLN:248956422\tAN:1,CM000663.2\tM5:0123456789abcdef0123456789abcdef\tTP:"
           "linear"},
          {"", "@SQ\tSN:HLA-A*01:01:01:01\tLN:2147483647\tAH:*\tUR:file:///x\tSP:Homo sapiens"},
          {"",
           "@RG\tID:a\tDT:2024-05-31T10:20:30+0200\tFO:ACMG\tKS:TCAG\tPI:300\tPL:ILLUMINA\tDS:"
           "\xc3\xa4"},
          {"", "@PG\tID:a\tPN:bwa\tCL:bwa mem \xc3\xa4\tVN:0.7"},
          {"", "@CO\tanything: goes\there"},
          {"", "@CO"},
          {"DUPLICATE_HEADER_LINE", "@HD\tVN:1.6"},
          {"HEADER_TAG_MISSING", "@SQ\tSN:chr1"},
          {"HEADER_TAG_MISSING", "@SQ\tLN:5"},
          {"HEADER_TAG_MISSING", "@RG\tSM:a"},
          {"HEADER_TAG_MISSING", "@PG\tPN:a"},
          {"INVALID_SEQUENCE_LENGTH", "@SQ\tSN:chr1\tLN:0"},
          {"INVALID_SEQUENCE_LENGTH", "@SQ\tSN:chr1\tLN:2147483648"},
          {"INVALID_SEQUENCE_LENGTH", "@SQ\tSN:chr1\tLN:1e3"},
          {"INVALID_SEQUENCE_NAME", "@SQ\tSN:*chr1\tLN:9"},
          {"INVALID_SEQUENCE_NAME", "@SQ\tSN:a,b\tLN:9"},
          {"INVALID_SEQUENCE_NAME", "@SQ\tSN:a\tLN:9\tAN:b,,c"},
          {"INVALID_HEADER_VALUE", "@SQ\tSN:a\tLN:9\tM5:0123"},
          {"INVALID_HEADER_VALUE", "@SQ\tSN:a\tLN:9\tTP:round"},
          {"INVALID_HEADER_VALUE", "@SQ\tSN:a\tLN:9\tAH:chr1:7"},
          {"INVALID_DATE_STRING", "@RG\tID:a\tDT:31.5.2024"},
          {"INVALID_DATE_STRING", "@RG\tID:a\tDT:2024-13-01"},
          {"INVALID_PLATFORM_VALUE", "@RG\tID:a\tPL:SANGER"},
          {"INVALID_PLATFORM_VALUE", "@RG\tID:a\tPL:illumina"},
          {"INVALID_PREDICTED_MEDIAN_INSERT_SIZE", "@RG\tID:a\tPI:wide"},
          {"INVALID_HEADER_FIELD", "@RG\tID:a\t"},
          {"INVALID_HEADER_LINE", "@RG ID:a"},
          {"INVALID_HEADER_FIELD", "@RG\tID:a\t1D:b"},
          {"INVALID_HEADER_FIELD", "@RG\tID:a\tSM:\xc3\xa4"},
          {"DUPLICATE_HEADER_TAG", "@RG\tID:a\tSM:b\tSM:c"},
          {"UNRECOGNIZED_HEADER_TYPE", "@XY\tID:a"},
      });
  EXPECT_TRUE(check("a.sam", "@CO\tx\n@HD\tVN:1.6\n")
                  .has(Severity::Error, "HEADER_LINE_NOT_FIRST", "line 2"));
  for (const char* line : {"@HD\tVN:1", "@HD\tVN:a.b"})
    EXPECT_TRUE(check("a.sam", line + std::string("\n"))
                    .has(Severity::Error, "INVALID_VERSION_NUMBER", "line 1"));
  for (const char* line :
       {"@HD\tVN:1.6\tSO:position", "@HD\tVN:1.6\tGO:all", "@HD\tVN:1.6\tSS:coordinate"})
    EXPECT_TRUE(check("a.sam", line + std::string("\n"))
                    .has(Severity::Error, "INVALID_HEADER_VALUE", "line 1"));
  EXPECT_TRUE(check("a.sam", "@SQ\tSN:a\tLN:5\n@SQ\tSN:a\tLN:5\n")
                  .has(Severity::Error, "DUPLICATE_SEQUENCE_NAME", "line 2"));
  EXPECT_TRUE(check("a.sam", "@SQ\tSN:a\tLN:5\tAN:x\n@SQ\tSN:x\tLN:5\n")
                  .has(Severity::Error, "DUPLICATE_SEQUENCE_NAME", "line 2"));
  EXPECT_TRUE(check("a.sam", "@RG\tID:a\n@RG\tID:a\n")
                  .has(Severity::Error, "DUPLICATE_READ_GROUP_ID", "line 2"));
  EXPECT_TRUE(check("a.sam", "@PG\tID:a\n@PG\tID:a\n")
                  .has(Severity::Error, "DUPLICATE_PROGRAM_GROUP_ID", "line 2"));
  EXPECT_TRUE(
      check("a.sam", "@PG\tID:a\tPP:b\n").has(Severity::Error, "PROGRAM_GROUP_NOT_FOUND", ""));
  EXPECT_TRUE(check("a.sam", "@PG\tID:a\tPP:b\n@PG\tID:b\tPP:a\n")
                  .has(Severity::Error, "PROGRAM_GROUP_CYCLE", ""));
}

const std::string kSam =
    "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:one\tLN:100\n@SQ\tSN:two\tLN:50\n"
    "@RG\tID:g\tPL:ONT\n@PG\tID:p\n";

TEST(CheckSam, Records) {
  const std::string good = "r\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII";
  expect_cases(
      "a.sam", kSam, "\n", "line 6",
      {
          {"", good},
          {"", good + "\tNM:i:0\tMD:Z:4\tRG:Z:g\tPG:Z:p\tMC:Z:4M\tXA:A:!\tXB:B:c,-128,127\tXF:f:-"
                      "1e-5\tXH:H:1AE3\tXZ:Z:"},
          {"", "r\t4\t*\t0\t0\t*\t*\t0\t0\t*\t*"},
          {"", "r\t0\tone\t5\t255\t2H1S2M1P1I1S\t*\t0\t0\tACGTA\t*"},
          {"", "r\t0\tone\t5\t60\t1M\t*\t0\t0\tA\t*"},
          {"", std::string(254, 'r') + good.substr(1)},
          {"TOO_FEW_COLUMNS", "r\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT"},
          {"EMPTY_LINE", ""},
          {"INVALID_QNAME", std::string(255, 'r') + good.substr(1)},
          {"INVALID_QNAME", "r r" + good.substr(1)},
          {"INVALID_QNAME", good.substr(1)},
          {"INVALID_FLAG", "r\t-1\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_FLAG", "r\t4096\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_FLAG", "r\t0x4\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_FLAG_OF_UNPAIRED", "r\t64\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII",
           Severity::Warning},
          {"INVALID_RNAME", "r\t0\t=one\t5\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_REFERENCE_INDEX", "r\t0\tthree\t5\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_REFERENCE_INDEX", "r\t1\tone\t5\t60\t4M\tthree\t0\t0\tACGT\tIIII"},
          {"INVALID_RNEXT", "r\t1\tone\t5\t60\t4M\t[x]\t0\t0\tACGT\tIIII"},
          {"INVALID_POS", "r\t0\tone\t2147483648\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_POS", "r\t0\tone\t05\t60\t4M\t*\t0\t0\tACGT\tIIII"},
          {"CIGAR_MAPS_OFF_REFERENCE", "r\t0\tone\t98\t60\t4M\t*\t0\t0\tACGT\tIIII",
           Severity::Warning},
          {"INVALID_MAPQ", "r\t0\tone\t5\t256\t4M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_CIGAR", "r\t0\tone\t5\t60\t4Q\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_CIGAR", "r\t0\tone\t5\t60\t4\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_CIGAR", "r\t0\tone\t5\t60\t2M1H2M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_CIGAR", "r\t0\tone\t5\t60\t1M1S2M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_CIGAR", "r\t0\tone\t5\t60\t4M0I\t*\t0\t0\tACGT\tIIII", Severity::Warning},
          {"MISMATCH_CIGAR_SEQ_LENGTH", "r\t0\tone\t5\t60\t5M\t*\t0\t0\tACGT\tIIII"},
          {"INVALID_PNEXT", "r\t1\tone\t5\t60\t4M\t=\t-5\t0\tACGT\tIIII"},
          {"INVALID_TLEN", "r\t1\tone\t5\t60\t4M\t=\t5\t2147483648\tACGT\tIIII"},
          {"INVALID_SEQ", "r\t0\tone\t5\t60\t4M\t*\t0\t0\tAC-T\tIIII"},
          {"INVALID_SEQ", "r\t0\tone\t5\t60\t4M\t*\t0\t0\tacgt\tIIII", Severity::Warning},
          {"INVALID_QUAL", "r\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tII I"},
          {"MISMATCH_SEQ_QUAL_LENGTH", "r\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIII"},
          {"MISMATCH_SEQ_QUAL_LENGTH", "r\t0\tone\t5\t60\t4M\t*\t0\t0\t*\tIIII"},
      });
}

TEST(CheckSam, Tags) {
  const std::string good = "r\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII\t";
  std::vector<Case> cases;
  for (const char* tag : {"NM", "N:i:1", "1X:i:1", "X_:i:1", "XX-i:1", ""})
    cases.push_back({"INVALID_TAG", good + tag});
  for (const char* tag : {"XX:I:1", "XX:z:a", "NM:Z:1", "RG:i:1", "MC:i:1"})
    cases.push_back({"INVALID_TAG_TYPE", good + tag});
  for (const char* tag : {"XX:A:",           "XX:A: ",           "XX:A:ab",      "XX:i:1.5",
                          "XX:i:4294967296", "XX:i:-2147483649", "XX:i:",        "XX:f:nan",
                          "XX:f:3.5e38",     "XX:f:1.",          "XX:f:",        "XX:H:1",
                          "XX:H:1a",         "XX:Z:\x7f",        "XX:B:",        "XX:B:d,1",
                          "XX:B:c,128",      "XX:B:C,-1",        "XX:B:S,65536", "XX:B:i,1,",
                          "XX:B:f,inf",      "MD:Z:A4",          "MD:Z:4^",      "MC:Z:4K"})
    cases.push_back({"INVALID_TAG_VALUE", good + tag});
  for (const char* tag : {"XX:i:4294967295", "XX:i:+1", "XX:f:.5", "XX:B:I,4294967295", "XX:B:c",
                          "XX:H:", "MD:Z:0A2^AC1", "MM:Z:C+m,5;", "XX:Z: ~"})
    cases.push_back({"", good + tag});
  cases.push_back({"DUPLICATE_SAM_TAG", good + "XX:i:1\tYY:i:1\tXX:i:1"});
  cases.push_back({"READ_GROUP_NOT_FOUND", good + "RG:Z:h"});
  cases.push_back({"PROGRAM_GROUP_NOT_FOUND", good + "PG:Z:h", Severity::Warning});
  expect_cases("a.sam", kSam, "\n", "line 6", cases);
}

TEST(CheckSam, OrderMatesAndWhatStandsWhere) {
  const auto record = [](const std::string& name, int flag, const std::string& contig, int at,
                         const std::string& next, int mate) {
    return fmt::format("{}\t{}\t{}\t{}\t60\t4M\t{}\t{}\t0\tACGT\tIIII\n", name, flag, contig, at,
                       next, mate);
  };
  const std::string first = record("a", 0, "one", 9, "*", 0);
  EXPECT_TRUE(check("a.sam", kSam + first + record("b", 0, "one", 8, "*", 0))
                  .has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 7"));
  EXPECT_TRUE(check("a.sam", kSam + record("c", 0, "two", 1, "*", 0) + first)
                  .has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 7"));
  EXPECT_TRUE(check("a.sam", kSam + "u\t4\t*\t0\t0\t*\t*\t0\t0\t*\t*\n" + first)
                  .has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 7"));
  EXPECT_TRUE(check("a.sam", kSam + first + "@CO\tlate\n")
                  .has(Severity::Error, "HEADER_AFTER_RECORDS", "line 7"));
  const std::string mate = record("m", 99, "one", 10, "=", 20);
  EXPECT_EQ(check("a.sam", kSam + mate + record("m", 147, "one", 20, "=", 10)).findings.warnings(),
            0U);
  EXPECT_TRUE(check("a.sam", kSam + mate + record("m", 147, "one", 20, "=", 11))
                  .has(Severity::Warning, "MISMATCH_MATE_ALIGNMENT_START", "line 7"));
  EXPECT_TRUE(check("a.sam", kSam + mate + record("m", 131, "one", 20, "=", 10))
                  .has(Severity::Warning, "MISMATCH_FLAG_MATE_NEG_STRAND", "line 7"));
  EXPECT_TRUE(check("a.sam", kSam + mate + record("m", 147, "two", 20, "=", 10))
                  .has(Severity::Warning, "MISMATCH_MATE_REF_INDEX", "line 7"));
}

TEST(CheckSam, OrderOfNames) {
  const auto found = [](const std::string& sub_order, const std::vector<std::string>& names) {
    std::string text = "@HD\tVN:1.6\tSO:queryname" + sub_order + "\n";
    for (const std::string& name : names) text += name + "\t4\t*\t0\t0\t*\t*\t0\t0\t*\t*\n";
    return check("a.sam", text);
  };
  const std::vector<std::string> natural{"a:2", "a:2", "a:03", "a:10:7", "a:10:11", "a:10x", "b"};
  const std::vector<std::string> lexicographical{"a:03", "a:10:11", "a:10:7", "a:2", "b"};
  for (const char* sub_order : {"", "\tSS:queryname:natural", "\tSS:coordinate:natural"})
    EXPECT_EQ(found(sub_order, natural).findings.errors(), 0U) << sub_order;
  for (const char* sub_order : {"", "\tSS:queryname:lexicographical", "\tSS:unsorted:MI"})
    EXPECT_EQ(found(sub_order, lexicographical).findings.errors(), 0U) << sub_order;
  EXPECT_TRUE(found("\tSS:queryname:lexicographical", natural)
                  .has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 4"));
  EXPECT_TRUE(found("\tSS:queryname:natural", lexicographical)
                  .has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 4"));
  // Whose order was never told of.
  EXPECT_EQ(found("\tSS:queryname:mine", {"b", "a"}).findings.errors(), 0U);
  // Once for each place where both orders are broken: here from a10 to a2, and back to a1.
  const Checked both = found("", {"a2", "a10", "a2", "b", "a1"});
  EXPECT_EQ(both.findings.errors(), 2U) << both.all();
  EXPECT_TRUE(both.has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 4"));
  EXPECT_TRUE(both.has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 6"));
}

TEST(CheckSam, AgainstAReference) {
  const Folder folder;
  const auto owned =
      reference_of(folder, {{"one", std::string(96, 'A') + "CGTN"}, {"two", std::string(50, 'C')}});
  const auto found = [&](const std::string& record) {
    return check("a.sam", kSam + record + "\n", &owned->reference);
  };
  EXPECT_EQ(found("r\t0\tone\t1\t60\t2M1I2M1D1M\t*\t0\t0\tACAAAA\tIIIIII\tNM:i:3\tMD:Z:1A2^A1")
                .findings.errors(),
            0U);
  EXPECT_TRUE(found("r\t0\tone\t1\t60\t4M\t*\t0\t0\tACAA\tIIII\tNM:i:0")
                  .has(Severity::Error, "INVALID_TAG_NM", "line 6"));
  EXPECT_TRUE(found("r\t0\tone\t1\t60\t4M\t*\t0\t0\tACAA\tIIII\tMD:Z:4")
                  .has(Severity::Error, "INVALID_TAG_MD", "line 6"));
  EXPECT_TRUE(found("r\t0\tone\t1\t60\t4M\t*\t0\t0\tAAAA\tIIII\tMD:Z:5")
                  .has(Severity::Error, "INVALID_TAG_MD", "line 6"));
  // Of an ambiguous base either count is right.
  for (const char* count : {"0", "1"})
    EXPECT_EQ(found(std::string("r\t0\tone\t97\t60\t4M\t*\t0\t0\tCGTA\tIIII\tNM:i:") + count)
                  .findings.errors(),
              0U);
  EXPECT_TRUE(check("a.sam", "@SQ\tSN:two\tLN:51\n", &owned->reference)
                  .has(Severity::Error, "MISMATCH_SEQUENCE_LENGTH", ""));
  EXPECT_TRUE(
      check("a.sam", "@SQ\tSN:two\tLN:50\tM5:0123456789abcdef0123456789abcdef\n", &owned->reference)
          .has(Severity::Error, "MISMATCH_SEQUENCE_MD5", ""));
}

std::string vcf(int minor, const std::string& meta = "") {
  return fmt::format("##fileformat=VCFv4.{}\n##contig=<ID=1,length=1000>\n", minor) + meta +
         "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt\n";
}
constexpr std::string_view kRecord = "1\t10\t.\tA\tC\t.\t.\t.\tGT\t0/1\t.\n";

TEST(CheckVcf, HeaderLines) {
  for (const int minor : {1, 2, 3, 4}) {
    expect_cases(
        "a.vcf", fmt::format("##fileformat=VCFv4.{}\n", minor),
        "\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "line 2",
        {
            {"",
             "##INFO=<ID=X,Number=1,Type=Integer,Description=\"with \\\"quotes\\\", commas and "
             ">\">"},
            {"", "##INFO=<ID=F,Number=0,Type=Flag,Description=\"\",Source=\"s\",Version=\"1\">"},
            {"", "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"d\">"},
            {"", "##FILTER=<ID=q10,Description=\"d\">"},
            {"", "##ALT=<ID=DEL:ME,Description=\"d\">"},
            {"", "##contig=<ID=HLA-A*01:01,length=5,species=\"Homo sapiens\">"},
            {"", "##META=<ID=A,Number=.,Type=String,Values=[a, b]>"},
            {"", "##source=anything at all, = included"},
            {"", "##GVCFBlock0-1=minGQ=0(inclusive),maxGQ=1(exclusive)"},
            {"INVALID_META_LINE", "##nothing"},
            {"INVALID_META_LINE", "##key="},
            {"INVALID_META_LINE", "plain"},
            {"INVALID_META_LINE", "##INFO=ID"},
            {"INVALID_META_LINE", "##INFO=<ID=X,Number=1,Type=Integer,Description=\"open>"},
            {"INVALID_META_LINE", "##INFO=<ID=X,Number=1,Type=Integer,Description=\"d\""},
            {"META_KEY_MISSING", "##INFO=<ID=X,Number=1,Type=Integer>"},
            {"META_KEY_MISSING", "##INFO=<ID=X,Type=Integer,Description=\"d\">"},
            {"META_KEY_MISSING", "##FILTER=<Description=\"d\">"},
            {"META_KEY_MISSING", "##contig=<length=5>"},
            {"META_KEY_ORDER", "##INFO=<Number=1,ID=X,Type=Integer,Description=\"d\">"},
            {"DUPLICATE_META_KEY", "##contig=<ID=1,length=5,length=5>"},
            {"INVALID_META_VALUE", "##FILTER=<ID=q10,Description=none>"},
            {"INVALID_META_VALUE", "##contig=<ID=1,length=long>"},
            {"INVALID_META_VALUE", "##assembly=ftp://8080:8080/no-host.fa"},
            {"INVALID_META_NUMBER", "##INFO=<ID=X,Number=-1,Type=Integer,Description=\"d\">"},
            {"INVALID_META_NUMBER", "##INFO=<ID=X,Number=Z,Type=Integer,Description=\"d\">"},
            {"INVALID_META_TYPE", "##INFO=<ID=X,Number=1,Type=Int,Description=\"d\">"},
            {"INVALID_META_TYPE", "##FORMAT=<ID=X,Number=0,Type=Flag,Description=\"d\">"},
            {"INVALID_META_ID", "##FILTER=<ID=0,Description=\"d\">"},
            {"INVALID_META_ID", "##contig=<ID=*a>"},
            {"RESERVED_TYPE_MISMATCH", "##INFO=<ID=DP,Number=1,Type=Float,Description=\"d\">"},
            {"RESERVED_TYPE_MISMATCH", "##FORMAT=<ID=GT,Number=1,Type=Integer,Description=\"d\">"},
            {"DUPLICATE_META_LINE", fmt::format("##fileformat=VCFv4.{}", minor)},
        });
  }
  EXPECT_TRUE(check("a.vcf", vcf(1, "##INFO=<ID=X,Number=R,Type=Float,Description=\"d\">\n"))
                  .has(Severity::Error, "INVALID_META_NUMBER", "line 3"));
  // What 4.1 and 4.2 tell of reserved keys in words.
  for (const int minor : {1, 2, 3}) {
    const auto of = [&](std::string_view key, std::string_view id, std::string_view number,
                        std::string_view type) {
      return check("a.vcf",
                   vcf(minor, fmt::format("##{}=<ID={},Number={},Type={},Description=\"d\">\n", key,
                                          id, number, type)));
    };
    for (const auto& [id, number, type] :
         std::vector<std::array<std::string_view, 3>>{{"GT", "G", "String"},
                                                      {"PL", "1", "Integer"},
                                                      {"PQ", "G", "Integer"},
                                                      {"GP", "3", "Float"},
                                                      {"HQ", "1", "Integer"}})
      EXPECT_TRUE(of("FORMAT", id, number, type)
                      .has(Severity::Error, "RESERVED_NUMBER_MISMATCH", "line 3"));
    EXPECT_TRUE(
        of("FORMAT", "GQ", "1", "String").has(Severity::Error, "RESERVED_TYPE_MISMATCH", "line 3"));
    // As freebayes writes it.
    EXPECT_TRUE(of("FORMAT", "GQ", "1", "Float")
                    .has(minor < 3 ? Severity::Warning : Severity::Error, "RESERVED_TYPE_MISMATCH",
                         "line 3"));
    for (const std::string_view id : {"MQ", "PS"})
      EXPECT_TRUE(
          of("FORMAT", id, "1", "Float").has(Severity::Error, "RESERVED_TYPE_MISMATCH", "line 3"));
    EXPECT_TRUE(of("INFO", "AC", "1", "Integer")
                    .has(Severity::Error, "RESERVED_NUMBER_MISMATCH", "line 3"));
    EXPECT_TRUE(of("INFO", "AF", ".", "Float")
                    .has(Severity::Warning, "RESERVED_NUMBER_MISMATCH", "line 3"));
    EXPECT_EQ(of("INFO", "AF", ".", "Float").findings.errors(), 0U);
    EXPECT_EQ(of("INFO", "MQ", "1", "Float").findings.errors(), 0U);
    // Whose type only 4.3 tells: bcftools writes whole numbers.
    EXPECT_EQ(of("INFO", "MQ", "1", "Integer").findings.errors(), minor < 3 ? 0U : 1U);
  }
  for (const char* id : {"DEL", "DUP:TANDEM", "NON_REF", "*", "CN12", "R"})
    EXPECT_EQ(check("a.vcf", vcf(2, fmt::format("##ALT=<ID={},Description=\"d\">\n", id)))
                  .findings.errors(),
              0U);
  EXPECT_TRUE(check("a.vcf", vcf(2, "##ALT=<ID=THIS:OR-THAT,Description=\"d\">\n"))
                  .has(Severity::Error, "UNKNOWN_ALT_TYPE", "line 3"));
  EXPECT_TRUE(check("a.vcf", vcf(2, "##SAMPLE=<ID=s,Mixture=\"a;b\">\n"))
                  .has(Severity::Warning, "META_KEY_MISSING", "line 3"));
  EXPECT_TRUE(check("a.vcf", vcf(2, "##SAMPLE=<ID=s,Genomes=g;h,Mixture=\"a;b\">\n"))
                  .has(Severity::Warning, "INVALID_META_VALUE", "line 3"));
  EXPECT_TRUE(check("a.vcf", vcf(3, "##INFO=<ID=9x,Number=1,Type=Float,Description=\"d\">\n"))
                  .has(Severity::Error, "INVALID_META_ID", "line 3"));
  EXPECT_TRUE(check("a.vcf", vcf(3, "##FORMAT=<ID=AD,Number=A,Type=Integer,Description=\"d\">\n"))
                  .has(Severity::Error, "RESERVED_NUMBER_MISMATCH", "line 3"));
  const std::string twice = "##FILTER=<ID=a,Description=\"d\">\n";
  EXPECT_TRUE(
      check("a.vcf", vcf(3, twice + twice)).has(Severity::Error, "DUPLICATE_META_ID", "line 4"));
  for (const char* line :
       {"##fileformat=VCFv3.3\n", "##fileformat=\n", "##source=x\n", "##fileformat=VCFv4.9\n"})
    EXPECT_TRUE(
        check("a.vcf", line + std::string("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"))
            .has(Severity::Error, "INVALID_FILEFORMAT", "line 1"));
  for (const char* line :
       {"#CHROM POS ID REF ALT QUAL FILTER INFO\n", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\n",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tformat\ts\n"})
    EXPECT_TRUE(check("a.vcf", "##fileformat=VCFv4.2\n" + std::string(line))
                    .has(Severity::Error, "INVALID_COLUMN_LINE", "line 2"));
  EXPECT_TRUE(
      check("a.vcf",
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\ts\n")
          .has(Severity::Error, "DUPLICATE_SAMPLE", "line 2"));
  EXPECT_TRUE(check("a.vcf", "##fileformat=VCFv4.2\n" + std::string(kRecord))
                  .has(Severity::Error, "MISSING_COLUMN_LINE", "line 2"));
  EXPECT_TRUE(
      check("a.vcf", "##fileformat=VCFv4.2\n").has(Severity::Error, "MISSING_COLUMN_LINE", ""));
}

TEST(CheckVcf, Records) {
  const std::string head =
      vcf(3,
          "##INFO=<ID=S,Number=2,Type=String,Description=\"d\">\n##FORMAT=<ID=C,Number=1,Type="
          "Character,Description=\"d\">\n##FORMAT=<ID=X,Number=R,Type=Float,Description=\"d\">\n");
  const std::string rest = "\t.\t.\t.\tGT\t0/1\t.";
  std::vector<Case> cases{
      {"",
       "1\t10\trs1;rs2\tA\tC,<DEL>,*,A[1:5[,]<x>:9]A,.A\t3.5\tPASS\tDP=5;AF=0,0,.,0.1,1,1;DB\tGT:"
       "PL:"
       "C:X\t0|5:.:\xc3\xa4:1,2,3,nan,5,6,7\t./.:."},
      {"", "1\t0\t.\tN\t.\t.\tq10;s50\tEND=20;SVTYPE=DEL\tGT\t0\t0/0/0"},
      {"", "1\t10\t.\tA\tC\t.\t.\tS=a,b\tGT:GL\t1:-1,0\t0/1/1:0,0,-1,-2"},
      {"COLUMN_COUNT", "1\t10\t.\tA\tC\t.\t.\t.\tGT\t0/1"},
      {"COLUMN_COUNT", "1 10 . A C . . . GT 0/1 0/1"},
      {"INVALID_CHROM", "a b\t10\t.\tA\tC" + rest},
      {"INVALID_CHROM", "<1\t10\t.\tA\tC" + rest},
      {"INVALID_POS", "1\t-1\t.\tA\tC" + rest},
      {"INVALID_POS", "1\t2147483648\t.\tA\tC" + rest},
      {"INVALID_POS", "1\t1e3\t.\tA\tC" + rest},
      {"POS_BEHIND_CONTIG", "1\t1002\t.\tA\tC" + rest, Severity::Warning},
      {"INVALID_ID", "1\t10\trs 1\tA\tC" + rest},
      {"INVALID_ID", "1\t10\trs1;\tA\tC" + rest},
      {"DUPLICATE_ID", "1\t10\trs1;rs1\tA\tC" + rest},
      {"INVALID_REF", "1\t10\t.\tR\tC" + rest},
      {"INVALID_REF", "1\t10\t.\t.\tC" + rest},
      {"DUPLICATE_ALLELE", "1\t10\t.\tA\tC,C" + rest},
      {"DUPLICATE_ALLELE", "1\t10\t.\tA\ta" + rest},
  };
  for (const char* alternative : {"", "A,", "C,.", "R", "<DEL", "DEL>", "A[1:5]", "A[1[", "[1:5[",
                                  "A[1:x[", "A[1:5[C", "..", "<a b>", "**"})
    cases.push_back({"INVALID_ALT", fmt::format("1\t10\t.\tA\t{}{}", alternative, rest)});
  for (const char* quality : {"-1", "high", "", "1,5"})
    cases.push_back({"INVALID_QUAL", fmt::format("1\t10\t.\tA\tC\t{}\t.\t.\tGT\t0/1\t.", quality)});
  for (const char* filter : {"", "0", "q10;", ";q10", "PASS;q10", "q10;.", "q 10"})
    cases.push_back(
        {"INVALID_FILTER", fmt::format("1\t10\t.\tA\tC\t.\t{}\t.\tGT\t0/1\t.", filter)});
  cases.push_back({"DUPLICATE_FILTER", "1\t10\t.\tA\tC\t.\ta;a\t.\tGT\t0/1\t."});
  const auto info = [&](std::string_view kind, const char* text,
                        Severity severity = Severity::Error) {
    cases.push_back({kind, fmt::format("1\t10\t.\tA\tC\t.\t.\t{}\tGT\t0/1\t.", text), severity});
  };
  for (const char* text : {"", "DP=", "DP=5;", "DP=5;;DB", "=5", "X=a b", "9X=1"})
    info("INVALID_INFO", text);
  info("DUPLICATE_INFO", "DP=5;DP=5");
  info("INVALID_INFO_VALUE", "DP");
  info("INVALID_INFO_VALUE", "DB=yes");
  info("INVALID_INFO_VALUE", "DB=1", Severity::Warning);
  for (const char* text : {"AF=0.5,0.1", "S=a", "S=\"a,b\"", "DP=1,2", "AD=1"})
    info("VALUE_COUNT", text);
  for (const char* text :
       {"DP=1.5", "DP=2147483648", "AF=x", "AC=-1", "CIGAR=M5", "END=-2147483648"})
    info("INVALID_VALUE", text);
  info("UNDECLARED_INFO", "Q=1", Severity::Warning);
  info("INVALID_PERCENT_ENCODING", "S=a%,b", Severity::Warning);
  info("END_BEFORE_POS", "END=9", Severity::Warning);
  const auto sample = [&](std::string_view kind, const char* keys, const char* values) {
    cases.push_back({kind, fmt::format("1\t10\t.\tA\tC\t.\t.\t.\t{}\t{}\t.", keys, values)});
  };
  sample("GT_NOT_FIRST", "DP:GT", "5:0/1");
  sample("INVALID_FORMAT", "GT::DP", "0/1:5:5");
  sample("DUPLICATE_FORMAT", "GT:DP:DP", "0/1:5:5");
  sample("TOO_MANY_VALUES", "GT", "0/1:5");
  sample("INVALID_GENOTYPE", "GT", "0/");
  sample("INVALID_GENOTYPE", "GT", "A/C");
  sample("GENOTYPE_ALLELE", "GT", "0/2");
  sample("INVALID_SAMPLE", "GT:DP", "0/1:");
  sample("INVALID_SAMPLE", "GT", "");
  sample("INVALID_VALUE", "GT:DP", "0/1:few");
  sample("INVALID_VALUE", "GT:C", "0/1:ab");
  sample("VALUE_COUNT", "GT:PL", "0/1:1,2");
  sample("VALUE_COUNT", "GT:PL", "0:1,2,3");
  sample("VALUE_COUNT", "GT:X", "0/1:1");
  expect_cases("a.vcf", head, "\n", "line 7", cases);
  EXPECT_TRUE(check("a.vcf", vcf(2) + "a:1\t10\t.\tA\tC" + rest + "\n")
                  .has(Severity::Error, "INVALID_CHROM", "line 4"));
  EXPECT_TRUE(check("a.vcf", vcf(3) + std::string(kRecord.substr(0, kRecord.size() - 1)))
                  .has(Severity::Error, "MISSING_LAST_NEWLINE", "line 4"));
}

TEST(CheckVcf, OrderAndRepeatedVariants) {
  const auto record = [](const std::string& contig, int at, const std::string& ref,
                         const std::string& alt) {
    return fmt::format("{}\t{}\t.\t{}\t{}\t.\t.\t.\tGT\t0/1\t.\n", contig, at, ref, alt);
  };
  const auto found = [](const std::string& records) { return check("a.vcf", vcf(3) + records); };
  EXPECT_TRUE(found(record("1", 5, "A", "C") + record("1", 4, "A", "C"))
                  .has(Severity::Error, "RECORD_OUT_OF_ORDER", "line 5"));
  EXPECT_TRUE(found(record("1", 5, "A", "C") + record("2", 4, "A", "C") + record("1", 6, "A", "C"))
                  .has(Severity::Error, "CONTIG_NOT_CONTIGUOUS", "line 6"));
  EXPECT_TRUE(found(record("1", 5, "A", "C") + record("1", 5, "A", "G,C"))
                  .has(Severity::Error, "DUPLICATE_VARIANT", "line 5"));
  // CAT to CGT at 4 is A to G at 5.
  EXPECT_TRUE(found(record("1", 4, "CAT", "CGT") + record("1", 5, "A", "G"))
                  .has(Severity::Error, "DUPLICATE_VARIANT", "line 5"));
  EXPECT_EQ(
      found(record("1", 4, "CAT", "CGT") + record("1", 5, "A", "T") + record("1", 6, "A", "G") +
            record("1", 6, "A", "<DEL>") + record("1", 6, "A", "<DEL>"))
          .findings.errors(),
      0U);
}

TEST(CheckVcf, AgainstAReference) {
  const Folder folder;
  const auto owned = reference_of(folder, {{"1", std::string(999, 'A') + "N"}});
  const auto found = [&](const std::string& at) {
    return check("a.vcf", vcf(3) + at + "\t.\t.\t.\tGT\t0/1\t.\n", &owned->reference);
  };
  EXPECT_EQ(found("1\t10\t.\tAA\tC").findings.errors(), 0U);
  EXPECT_EQ(found("1\t1000\t.\tG\tC").findings.errors(), 0U);
  EXPECT_TRUE(found("1\t10\t.\tAG\tC").has(Severity::Error, "REF_MISMATCH", "line 4"));
  EXPECT_TRUE(found("1\t1000\t.\tGG\tC").has(Severity::Error, "REF_MISMATCH", "line 4"));
}

TEST(CheckBed, Lines) {
  expect_cases("a.bed", "track name=x\n#comment\nbrowser hide all\nchr1\t0\t5\n", "\n", "line 5",
               {
                   {"", "chr1\t5\t9"},
                   {"TOO_FEW_COLUMNS", "chr1\t5"},
                   {"COLUMN_COUNT", "chr1\t5\t9\tname"},
                   {"INVALID_POSITION", "chr1\t-5\t9"},
                   {"INVALID_POSITION", "chr1\t5\tnine"},
                   {"END_BEFORE_START", "chr1\t9\t5"},
                   {"EMPTY_INTERVAL", "chr1\t9\t9", Severity::Warning},
                   {"INVALID_CHROM", "\t5\t9"},
               });
  const auto wide = [](const std::string& rest) { return "chr1\t10\t30\tn\t0\t+\t" + rest + "\n"; };
  EXPECT_EQ(check("a.bed", wide("10\t30\t0,0,255\t2\t5,6,\t0,14")).findings.errors(), 0U);
  EXPECT_TRUE(
      check("a.bed", wide("5\t30\t0\t1\t20\t0")).has(Severity::Error, "INVALID_THICK", "line 1"));
  EXPECT_TRUE(check("a.bed", wide("10\t30\t0,256,0\t1\t20\t0"))
                  .has(Severity::Error, "INVALID_COLOUR", "line 1"));
  for (const char* blocks : {"2\t20\t0", "1\t19\t0", "1\t20\t1", "2\t5,5\t0,x"})
    EXPECT_TRUE(check("a.bed", wide(std::string("10\t30\t0\t") + blocks))
                    .has(Severity::Error, "INVALID_BLOCKS", "line 1"));
}

TEST(CheckFile, TypesAreToldByContent) {
  const std::string sam = kSam + "r\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII\n";
  EXPECT_EQ(check("x", sam).file.type, FileType::Sam);
  EXPECT_EQ(check("x", bgzf(sam)).file.type, FileType::Sam);
  EXPECT_EQ(check("x.gz", gzip(sam)).file.records, 1U);
  EXPECT_EQ(check("x.fastq", sam).file.type, FileType::Sam);
  EXPECT_EQ(check("x", vcf(3) + std::string(kRecord)).file.type, FileType::Vcf);
  EXPECT_EQ(check("x", ">a\nACGT\n").file.type, FileType::Fasta);
  EXPECT_EQ(check("x", "@a\nACGT\n+\nIIII\n").file.type, FileType::Fastq);
  EXPECT_EQ(check("x.fastq", "@a\nACGT\n+\nIIII\n").findings.errors(), 0U);
  EXPECT_EQ(check("x", "chr1\t1\t2\n").file.type, FileType::Bed);
  EXPECT_TRUE(check("x", "what is this\n").has(Severity::Error, "UNKNOWN_FORMAT", ""));
  EXPECT_TRUE(
      check("x.fastq", "@a\nACGT\n+\nIII\n").has(Severity::Error, "INVALID_FASTQ", "record 1"));
  EXPECT_EQ(check("x.fa", ">a\nAC!T\n").findings.errors(), 1U);
  EXPECT_TRUE(check("x.bam", "").has(Severity::Error, "EMPTY_FILE", ""));
  EXPECT_TRUE(check("x.vcf", "").has(Severity::Error, "EMPTY_FILE", ""));
}

TEST(CheckFastq, GoesOnBehindBrokenRecords) {
  const auto good = [](int i) { return fmt::format("@r{}\nACGT\n+\n@III\n", i); };
  struct Broken {
    std::string text;
    std::uint64_t records;  ///< that it counts for
  };
  for (const Broken& broken : std::vector<Broken>{{"@x\nACGT\n+\n@II\n", 1},
                                                  {"@x\nACGT\n+\n@I I\n", 1},
                                                  {"@x\nAC!T\n+\n@III\n", 1},
                                                  {"@x\nACGT\n@III\n", 1},
                                                  {"@x\nAC\nGT\n+\n@I\nII\n", 1},
                                                  {"@x\nACGT\n+y\n@III\n", 1},
                                                  {"x\nACGT\n+\nIIII\n", 0},
                                                  {"\n\n", 0},
                                                  {"@\n", 1}}) {
    // Alone, in front, between and behind others, and twice in one file.
    const Checked found = check(
        "x.fastq", good(1) + broken.text + good(2) + good(3) + broken.text + good(4) + good(5));
    SCOPED_TRACE(broken.text + found.all());
    EXPECT_EQ(found.findings.errors(), 2U);
    EXPECT_EQ(found.file.records, 5 + 2 * broken.records);
    EXPECT_TRUE(found.has(Severity::Error, "INVALID_FASTQ", "record 2"));
    EXPECT_TRUE(
        found.has(Severity::Error, "INVALID_FASTQ", fmt::format("record {}", 4 + broken.records)));
  }
  // Across the pieces that are parsed at once, in and out of step with them.
  for (const int before : {0, 1, 1021, 1022, 1023, 1024, 1025, 5000}) {
    std::string text;
    for (int i = 0; i < before; ++i) text += good(i);
    text += "@x\nACGT\n+\nII\n";
    for (int i = 0; i < 3000; ++i) text += good(i);
    for (const std::string& packed : {text, bgzf(text), gzip(text)}) {
      const Checked found = check("x", packed);
      EXPECT_EQ(found.findings.errors(), 1U) << before << found.all();
      EXPECT_EQ(found.file.records, static_cast<std::uint64_t>(before) + 3001);
      EXPECT_TRUE(
          found.has(Severity::Error, "INVALID_FASTQ", fmt::format("record {}", before + 1)));
    }
  }
  EXPECT_TRUE(contains(check("x.fq", good(1) + "@x\nACGT\n+\nIII\n").all(),
                       "quality has 3 letters, sequence has 4 (the record begins at line 5)"));
  // Cut files, blank lines at the end, reads of length 0.
  EXPECT_TRUE(
      check("x.fq", good(1) + "@x\nACGT\n").has(Severity::Error, "INVALID_FASTQ", "record 2"));
  EXPECT_TRUE(
      check("x.fq", "@x\nAC\n+\nI\n@y\nACGT\n").has(Severity::Error, "INVALID_FASTQ", "record 2"));
  for (const char* tail : {"", "\n", "\n\n\n", "@e\n\n+\n\n", "@e\n\n+\n\n\n\n\n"})
    EXPECT_EQ(check("x.fq", good(1) + tail).findings.errors(), 0U) << tail;
  EXPECT_EQ(check("x.fq", "@x\r\nAC\r\n+\r\nII\r\n").findings.errors(), 0U);
  EXPECT_TRUE(check("x.fq", "").has(Severity::Warning, "NO_READS", ""));
  EXPECT_TRUE(check("x.fq", "@x\nacgt\n+\nIIII\n").has(Severity::Warning, "LOWER_CASE", ""));
}

TEST(CheckFasta, GoesOnAtTheNextContig) {
  const Checked found =
      check("x.fa", ">a\nAC!T\n??\n>b\nACGT\n>c\nAC\nA?\n>a\nAC\n>\nAC\n>d\n>e,\nRYKMacgtu\n");
  SCOPED_TRACE(found.all());
  EXPECT_EQ(found.file.records, 7U);
  EXPECT_EQ(found.findings.errors(), 4U);
  for (const char* line : {"line 2", "line 8", "line 9", "line 11"})
    EXPECT_TRUE(found.has(Severity::Error, "INVALID_FASTA", line)) << line;
  EXPECT_TRUE(found.has(Severity::Warning, "EMPTY_SEQUENCE", "line 13"));
  EXPECT_TRUE(found.has(Severity::Warning, "INVALID_SEQUENCE_NAME", "line 14"));
  EXPECT_TRUE(
      contains(found.all(), "contig \"c\", base 4: expected a IUPAC base letter, found \"?\""));
  EXPECT_EQ(check("x.fa", "ACGT\nACGT\n>a\nAC?\n").findings.errors(), 2U);
  EXPECT_EQ(check("x.fa", "\n>a\r\nAC GT\t\r\n").findings.errors(), 0U);
  EXPECT_EQ(check("x.fa", "\n\n").findings.errors(), 1U);
  const std::string large = ">a\n" + std::string(900'000, 'A') + "\n>b\n?\n";
  for (const std::string& packed : {large, gzip(large), bgzf(large)})
    EXPECT_TRUE(check("x", packed).has(Severity::Error, "INVALID_FASTA", "line 4"));
}

std::string bam_of(const std::string& sam) {
  const Folder folder;
  const std::filesystem::path in = folder.write("a.sam", sam), out = folder.path("a.bam");
  {
    const HtsFile from(hts_open(in.c_str(), "r")), to(hts_open(out.c_str(), "wb1"));
    const HtsHeader header(sam_hdr_read(from.get()));
    EXPECT_EQ(sam_hdr_write(to.get(), header.get()), 0);
    bam1_t* record = bam_init1();
    while (sam_read1(from.get(), header.get(), record) >= 0)
      EXPECT_GE(sam_write1(to.get(), header.get(), record), 0);
    bam_destroy1(record);
  }
  return read_file(out);
}

TEST(CheckFile, PipesAreReadLikeFiles) {
  std::string sam = kSam, fastq, fasta = ">a\n";
  for (int i = 0; i < 20'000; ++i) {
    sam += fmt::format("r{}\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII\n", i);
    fastq += fmt::format("@r{}\nACGT\n+\nIIII\n", i);
    fasta += "ACGTACGTACGT\n";
  }
  const Folder folder;
  const auto check_pipe = [&](std::string_view bytes) {
    const std::filesystem::path pipe = folder.path("pipe");
    EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::jthread writer([&] {
      // (Readers may go before all is written.)
      sigset_t broken_pipe;
      sigemptyset(&broken_pipe);
      sigaddset(&broken_pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
      std::ofstream out(pipe, std::ios::binary);
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    });
    Checked found(pipe, nullptr);
    std::filesystem::remove(pipe);
    return found;
  };
  const std::string packed = bgzf(sam), bam = bam_of(sam);
  struct Piped {
    FileType type;
    std::string bytes;
    std::uint64_t records;
  };
  for (const Piped& piped : std::vector<Piped>{{FileType::Sam, sam, 20'000},
                                               {FileType::Sam, packed, 20'000},
                                               {FileType::Sam, gzip(sam), 20'000},
                                               {FileType::Bam, bam, 20'000},
                                               {FileType::Fastq, fastq, 20'000},
                                               {FileType::Fastq, gzip(fastq), 20'000},
                                               {FileType::Fasta, fasta, 1},
                                               {FileType::Bed, "chr1\t1\t2\n", 1},
                                               {FileType::Vcf, vcf(3) + std::string(kRecord), 1}}) {
    const Checked found = check_pipe(piped.bytes);
    EXPECT_EQ(found.findings.errors(), 0U) << found.all();
    EXPECT_EQ(found.file.type, piped.type) << name(piped.type);
    EXPECT_EQ(found.file.records, piped.records) << name(piped.type);
  }
  EXPECT_TRUE(check_pipe("").has(Severity::Error, "EMPTY_FILE", ""));
  EXPECT_TRUE(check_pipe("what is this\n").has(Severity::Error, "UNKNOWN_FORMAT", ""));
  for (const std::string& whole : {packed, bam})
    EXPECT_TRUE(check_pipe(std::string_view(whole).substr(0, whole.size() - 28))
                    .has(Severity::Error, "MISSING_END_MARKER", ""));
  // What is not read any more must not keep its writer, nor us.
  const Checked early = check_pipe(std::string("what is this") + std::string(1 << 20, 'x'));
  EXPECT_TRUE(early.has(Severity::Error, "UNKNOWN_FORMAT", "")) << early.all();
}

TEST(CheckFile, CutAndDamagedFilesAreFindings) {
  std::string sam = kSam;
  for (int i = 0; i < 5000; ++i)
    sam += fmt::format("r{}\t0\tone\t5\t60\t4M\t*\t0\t0\tACGT\tIIII\n", i);
  const std::string packed = bgzf(sam);
  EXPECT_EQ(check("x.sam.gz", packed).findings.errors(), 0U);
  EXPECT_TRUE(check("x.sam.gz", packed.substr(0, packed.size() - 28))
                  .has(Severity::Error, "MISSING_END_MARKER", ""));
  for (std::size_t size = 1; size < packed.size() - 28; size += packed.size() / 40)
    EXPECT_GT(check("x.sam.gz", packed.substr(0, size)).findings.errors(), 0U) << size;
  for (std::size_t at = 30; at < packed.size() - 30; at += packed.size() / 40) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    EXPECT_GT(check("x.sam.gz", damaged).findings.errors(), 0U) << at;
  }
}

TEST(CheckApp, CountsLimitsAndExitCodes) {
  const Folder folder;
  std::string bad = kSam;
  for (int i = 0; i < 50; ++i) bad += "r\t0\tone\t5\t60\t5M\t*\t0\t0\tACGT\tIIII\n";
  const std::string input = folder.write("bad.sam", bad).string();
  const std::string good =
      folder.write("good.sam", kSam + "r\t0\tone\t5\t60\t4M\t*\t0\t0\tacgt\tIIII\n").string();
  const auto run = [&](const std::string& path, bool strict) {
    app::AppTable table;
    table.add(check_app());
    const app::App& app = table.all().front();
    std::vector<app::Mistake> mistakes;
    const app::Request request =
        app::check_request(app.description,
                           {{"inputs", {{"input", {path}}}},
                            {"outputs",
                             {{"list", folder.path("list.json").string()},
                              {"report_json", folder.path("r.json").string()}}},
                            {"options", {{"limit", 3}, {"strict", strict}}}},
                           app::paths_of_this_machine(), mistakes);
    EXPECT_TRUE(mistakes.empty()) << app::format_mistakes(mistakes);
    return app::run_app(app, request, {});
  };
  const app::RunResult failed = run(input, false);
  EXPECT_EQ(failed.exit_code(), 3);
  ASSERT_TRUE(failed.error);
  EXPECT_TRUE(contains(failed.error->what(), "line 6 (one:5): MISMATCH_CIGAR_SEQ_LENGTH"));
  EXPECT_TRUE(contains(failed.error->what(), "50 errors (50 MISMATCH_CIGAR_SEQ_LENGTH)"));
  const Json list = Json::parse(read_file(folder.path("list.json")));
  EXPECT_EQ(list["errors"], 50);
  EXPECT_EQ(list["details"]["findings"].size(), 3U);
  EXPECT_EQ(list["counts"]["error"]["MISMATCH_CIGAR_SEQ_LENGTH"], 50);
  EXPECT_EQ(failed.metrics["errors"], 50);
  // The report tells what was found, though the run failed.
  EXPECT_EQ(Json::parse(read_file(folder.path("r.json")))["status"], "failed");
  EXPECT_EQ(run(good, false).exit_code(), 0);
  EXPECT_EQ(run(good, true).exit_code(), 3);
}

TEST(CheckFindings, AddingIsAsIfFoundHere) {
  Findings one(3), first(3), second(3);
  const auto find = [](Findings& findings, const char* file, int errors, int warnings) {
    findings.begin_file(file);
    for (int i = 0; i < errors; ++i) {
      findings.at_line(static_cast<std::uint64_t>(i) + 1);
      findings.error("E", "{}", i);
      if (i < warnings) findings.warn("W", "{}", i);
    }
  };
  find(one, "a", 2, 5);
  find(one, "b", 5, 1);
  find(first, "a", 2, 5);
  find(second, "b", 5, 1);
  first.add(second);
  EXPECT_EQ(first.counts(), one.counts());
  EXPECT_EQ(first.errors(), one.errors());
  EXPECT_EQ(first.warnings(), one.warnings());
  ASSERT_EQ(first.kept().size(), one.kept().size());
  for (std::size_t i = 0; i < one.kept().size(); ++i)
    EXPECT_EQ(first.kept()[i].text(), one.kept()[i].text());
}

}  // namespace
}  // namespace aceso::genomics
