// Calling from reads that are aligned already.
#include "align_app.hpp"
#include "calling_testing.hpp"
#include "germline_app.hpp"

#include <csignal>
#include <thread>

#include <unistd.h>

namespace aceso::genomics {
namespace {

/// The lines of a VCF file behind its header.
std::string body_of(const std::filesystem::path& path) {
  std::string out;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with('#')) out += line + "\n";
  }
  return out;
}

class CallingAligned : public Calling {
 protected:
  CallingAligned() : Calling(14'000) {}

  /// Aligns the reads into a file of that name.
  std::filesystem::path align(const std::string& name) {
    AppRun aligning = run;
    aligning.outputs = {{"alignments", folder.path(name)}};
    run_app(align_app(), aligning);
    return folder.path(name);
  }
  Json call(const std::filesystem::path& aligned, const std::string& calls) {
    AppRun calling = run;
    calling.inputs.erase("reads");
    calling.inputs.erase("reads2");
    calling.inputs["aligned"] = {aligned};
    calling.outputs = {{"variants", folder.path(calls)}};
    return run_app(germline_app(), calling);
  }
};

TEST_F(CallingAligned, SaysWhatOnePassSays) {
  run.outputs = {{"variants", folder.path("one.vcf")}};
  const Json expected = run_app(germline_app(), run);
  const std::string body = body_of(folder.path("one.vcf"));
  ASSERT_FALSE(body.empty());
  for (const std::string name : {"a.bam", "a.cram"}) {
    const Json metrics = call(align(name), "two.vcf");
    EXPECT_TRUE(body_of(folder.path("two.vcf")) == body) << name;
    EXPECT_EQ(metrics["reads"], expected["reads"]) << name;
  }
}

TEST_F(CallingAligned, OrderOfRecordsDoesNotMatter) {
  const std::filesystem::path sam = align("a.sam");
  call(sam, "sorted.vcf");
  std::vector<std::string> head, records;
  std::istringstream text(read_file(sam));
  for (std::string line; std::getline(text, line);)
    (line.starts_with('@') ? head : records).push_back(line + "\n");
  ReadMaker maker(5);
  for (std::size_t i = records.size(); i-- > 1;) std::swap(records[i], records[maker.below(i + 1)]);
  std::string shuffled;
  for (const auto& lines : {head, records}) {
    for (const std::string& line : lines) shuffled += line;
  }
  call(folder.write("shuffled.sam", shuffled), "shuffled.vcf");
  EXPECT_TRUE(read_file(folder.path("shuffled.vcf")) == read_file(folder.path("sorted.vcf")));
}

TEST_F(CallingAligned, ReadsOnlyWhatTheRegionsNeed) {
  const std::filesystem::path bam = align("a.bam");
  const Json whole = call(bam, "whole.vcf");
  const std::string all = body_of(folder.path("whole.vcf"));
  std::string pieces;
  // 261,120 is where a bucket ends; other borders are anywhere.
  for (const std::string region : {"0\t51999", "51999\t261120", "261120\t270000"}) {
    run.inputs["regions"] = {folder.write("some.bed", "one\t" + region + "\n")};
    const Json metrics = call(bam, "piece.vcf");
    EXPECT_LE(metrics["reads"]["total"], whole["reads"]["total"]);
    pieces += body_of(folder.path("piece.vcf"));
  }
  EXPECT_TRUE(pieces == all);
  // Without the index as well.
  std::filesystem::remove(bam.string() + ".bai");
  run.inputs["regions"] = {folder.write("some.bed", "one\t261120\t270000\n")};
  const Json metrics = call(bam, "piece.vcf");
  EXPECT_LT(metrics["reads"]["total"], whole["reads"]["total"].get<std::uint64_t>() / 2);
  EXPECT_TRUE(all.ends_with(body_of(folder.path("piece.vcf"))));
}

/// Writes a file into a pipe that has a name.
class Pipe {
 public:
  explicit Pipe(const std::filesystem::path& file) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe(ends), 0);
    read_end_ = ends[0];
    thread_ = std::jthread([bytes = read_file(file), end = ends[1]] {
      // Where nobody reads any more, write() shall say so and not end the program.
      sigset_t broken_pipe;
      sigemptyset(&broken_pipe);
      sigaddset(&broken_pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
      for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t count = write(end, bytes.data() + at, bytes.size() - at);
        if (count <= 0) break;
        at += static_cast<std::size_t>(count);
      }
      close(end);
    });
  }
  ~Pipe() { close(read_end_); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] std::filesystem::path path() const {
    return "/dev/fd/" + std::to_string(read_end_);
  }

 private:
  int read_end_ = -1;
  std::jthread thread_;
};

TEST_F(CallingAligned, PipesAreReadOnce) {
  const std::filesystem::path bam = align("a.bam");
  call(bam, "file.vcf");
  call(Pipe(bam).path(), "pipe.vcf");
  EXPECT_TRUE(body_of(folder.path("pipe.vcf")) == body_of(folder.path("file.vcf")));
  run.inputs["regions"] = {folder.write("some.bed", "one\t51999\t270000\n")};
  call(bam, "file.vcf");
  call(Pipe(bam).path(), "pipe.vcf");
  EXPECT_TRUE(body_of(folder.path("pipe.vcf")) == body_of(folder.path("file.vcf")));
  run.options["resume"] = true;
  const Pipe again(bam);
  expect_error(Errc::InvalidArgument, {"/dev/fd/", "steps", "pipe"},
               [&] { call(again.path(), "steps.vcf"); });
}

/// Short files of SAM, written by hand.
class HandMadeAlignments : public ::testing::Test {
 protected:
  HandMadeAlignments() {
    ReadMaker maker(9);
    genome = random_genome(maker, 1000);
    run.inputs = {{"reference", {folder.write("genome.fa", ">one\n" + genome + "\n")}}};
    run.outputs = {{"variants", folder.path("calls.vcf")}};
  }
  static std::string record(const std::string& rest) { return "r\t0\tone\t" + rest + "\n"; }
  Json call(const std::string& sam) {
    run.inputs["aligned"] = {folder.write("hand.sam", sam)};
    return run_app(germline_app(), run);
  }

  Folder folder;
  std::string genome, head = "@SQ\tSN:one\tLN:1000\n";
  AppRun run;
};

TEST_F(HandMadeAlignments, DefectsAreNamed) {
  const std::string good =
      record("101\t60\t10M\t*\t0\t0\t" + genome.substr(100, 10) + "\tIIIIIIIIII");
  EXPECT_EQ(call(head + good)["reads"]["total"], 1U);
  expect_error(Errc::CorruptData, {"hand.sam", "one", "900", "1000"},
               [&] { call("@SQ\tSN:one\tLN:900\n" + good); });
  expect_error(Errc::CorruptData, {"hand.sam", "reference"},
               [&] { call("@SQ\tSN:two\tLN:1000\n"); });
  expect_error(Errc::CorruptData, {"record 2", "two"}, [&] {
    call(head + "@SQ\tSN:two\tLN:500\n" + good + "s\t0\ttwo\t1\t60\t4M\t*\t0\t0\tACGT\tIIII\n");
  });
  expect_error(Errc::CorruptData, {"record 1", "reaches out of one"},
               [&] { call(head + record("998\t60\t10M\t*\t0\t0\tACGTACGTAC\tIIIIIIIIII")); });
  expect_error(Errc::CorruptData, {"record 1"},
               [&] { call(head + record("101\t60\t11M\t*\t0\t0\tACGTACGTAC\tIIIIIIIIII")); });
  expect_error(Errc::CorruptData, {"hand.sam"}, [&] { call("not a file of alignments\n"); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("other.vcf")));
}

TEST_F(HandMadeAlignments, WhatCannotBeUsedIsLeftOut) {
  const std::string spliced = record("101\t60\t4M100N6M\t*\t0\t0\tACGTACGTAC\tIIIIIIIIII");
  const std::string bare = record("101\t60\t*\t*\t0\t0\t*\t*");
  const std::string odd = record("101\t255\t2H2S3=1X4M1P1H\t*\t0\t0\tACGTACGTAC\t*");
  EXPECT_EQ(call(head + spliced + bare + odd)["reads"]["total"], 3U);
  EXPECT_EQ(call(head)["reads"]["total"], 0U);
}

TEST_F(HandMadeAlignments, SamplesAreToldApart) {
  const std::string groups = "@RG\tID:1\tSM:anna\n@RG\tID:2\tSM:otto\n";
  const std::string read = record("101\t60\t4M\t*\t0\t0\tACGT\tIIII\tRG:Z:1");
  expect_error(Errc::InvalidArgument, {"anna", "otto", "--sample"},
               [&] { call(head + groups + read); });
  run.options["sample"] = std::string("otto");
  EXPECT_EQ(call(head + groups + read)["reads"]["total"], 0U);
  run.options["sample"] = std::string("anna");
  EXPECT_EQ(call(head + groups + read)["reads"]["total"], 1U);
  run.options.erase("sample");
  call(head + "@RG\tID:1\tSM:anna\n" + read);
  EXPECT_NE(read_file(folder.path("calls.vcf")).find("FORMAT\tanna\n"), std::string::npos);
}

TEST_F(HandMadeAlignments, ReadsAndAlignedExcludeEachOther) {
  run.inputs["reads"] = {folder.write("r.fq", "@a\nACGT\n+\nIIII\n")};
  expect_error(Errc::InvalidArgument, {"reads", "aligned"}, [&] { call(head); });
  run.inputs.erase("reads");
  run.outputs["alignments"] = folder.path("out.bam");
  expect_error(Errc::InvalidArgument, {"alignments"}, [&] { call(head); });
  run.inputs.erase("aligned");
  expect_error(Errc::InvalidArgument, {"reads", "aligned"}, [&] { run_app(germline_app(), run); });
}

}  // namespace
}  // namespace aceso::genomics
