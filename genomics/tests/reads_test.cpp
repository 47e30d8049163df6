#include "reads_app.hpp"

#include "aceso/genomics/apps.hpp"

#include "reads_testing.hpp"

namespace aceso::genomics {
namespace {

ReadsJob pair_job(const Folder& folder, const std::string& text1, const std::string& text2,
                  const std::string& ending = ".fq") {
  ReadsJob job;
  job.reads = {folder.write("in_1" + ending, text1)};
  job.reads2 = {folder.write("in_2" + ending, text2)};
  job.output = folder.path("out_1.fq.gz");
  job.output2 = folder.path("out_2.fq.gz");
  return job;
}

std::string text_of(const std::filesystem::path& path) { return gunzip(read_file(path)); }

void expect_pair_refused(const std::string& text1, const std::string& text2,
                         const std::vector<std::string>& parts) {
  const Folder folder;
  const ReadsJob job = pair_job(folder, text1, text2);
  for (const unsigned threads : {1U, 3U})
    expect_error(Errc::CorruptData, parts, [&] { run_job(job, threads); });
  EXPECT_FALSE(std::filesystem::exists(*job.output))
      << "an output appeared although the run failed";
  EXPECT_FALSE(std::filesystem::exists(*job.output2));
}

TEST(Reads, BytesAndFiguresDoNotDependOnTheNumberOfThreads) {
  const auto [text1, text2] = ReadMaker(1).pairs(20'000);
  for (const bool packed : {false, true}) {
    const Folder folder;
    ReadsJob job = packed ? pair_job(folder, bgzf(text1), bgzf(text2), ".fq.gz")
                          : pair_job(folder, gzip(text1, 1), text2);
    job.failed = folder.path("failed.fq.gz");
    job.unpaired = folder.path("unpaired.fq");
    job.correct_overlap = true;
    job.cut_tail = true;
    std::vector<std::string> expected;
    Json details;
    for (const unsigned threads : {1U, 2U, 4U, 7U}) {
      const Ran ran = run_job(job, threads);
      const std::vector<std::string> bytes{read_file(*job.output), read_file(*job.output2),
                                           read_file(*job.failed), read_file(*job.unpaired)};
      if (expected.empty()) {
        expected = bytes;
        details = ran.details;
      }
      EXPECT_TRUE(bytes == expected) << threads;
      EXPECT_TRUE(ran.details == details) << threads;
    }
    EXPECT_FALSE(expected[2].empty());
  }
}

TEST(Reads, WhatIsWrittenIsReadBackTheSame) {
  const auto [text1, text2] = ReadMaker(2).pairs(5000);
  const Folder folder;
  ReadsJob job = pair_job(folder, text1, text2);
  job.keep_adapters = job.keep_low_quality = job.keep_any_length = true;
  job.poly_g = "off";
  run_job(job, 2);
  EXPECT_TRUE(text_of(*job.output) == text1);
  EXPECT_TRUE(text_of(*job.output2) == text2);
}

TEST(Reads, FiguresAfterFilteringAreThoseOfTheOutput) {
  const auto [text1, text2] = ReadMaker(3).pairs(6000);
  const Folder folder;
  ReadsJob job = pair_job(folder, text1, text2);
  job.correct_overlap = job.cut_front = job.cut_right = true;
  job.trim_front = 1;
  const Ran first = run_job(job, 2);
  ReadsJob again;
  again.reads = {*job.output};
  again.reads2 = {*job.output2};
  const Ran second = run_job(again, 2);
  EXPECT_EQ(first.details["summary"]["after_filtering"],
            second.details["summary"]["before_filtering"]);
  for (const std::string mate : {"read1", "read2"}) {
    const Json &after = first.details[mate + "_after_filtering"],
               &before = second.details[mate + "_before_filtering"];
    EXPECT_EQ(after["quality_curves"], before["quality_curves"]);
    EXPECT_EQ(after["content_curves"], before["content_curves"]);
    EXPECT_EQ(after["total_cycles"], before["total_cycles"]);
  }
}

TEST(Reads, InterleavedPairsGiveWhatPairsOfFilesGive) {
  const auto [text1, text2] = ReadMaker(4).pairs(3000);
  std::string woven;
  for (std::size_t a = 0, b = 0; a < text1.size();) {
    const auto take = [&](const std::string& text, std::size_t& at) {
      for (int line = 0; line < 4; ++line) {
        const std::size_t end = text.find('\n', at) + 1;
        woven.append(text, at, end - at);
        at = end;
      }
    };
    take(text1, a);
    take(text2, b);
  }
  const Folder folder;
  const ReadsJob pairs = pair_job(folder, text1, text2);
  const Ran expected = run_job(pairs, 2);
  ReadsJob job;
  job.reads = {folder.write("woven.fq", woven)};
  job.interleaved = true;
  job.output = folder.path("w_1.fq.gz");
  job.output2 = folder.path("w_2.fq.gz");
  const Ran ran = run_job(job, 2);
  EXPECT_EQ(text_of(*job.output), text_of(*pairs.output));
  EXPECT_EQ(text_of(*job.output2), text_of(*pairs.output2));
  EXPECT_EQ(ran.details["summary"], expected.details["summary"]);
  job.output2.reset();
  run_job(job, 2);
  ReadsJob rewoven;
  rewoven.reads = {*job.output};
  rewoven.interleaved = true;
  EXPECT_EQ(run_job(rewoven).details["summary"]["before_filtering"],
            expected.details["summary"]["after_filtering"]);
}

TEST(Reads, CarriageReturnsChangeNothingButTheLineEnds) {
  const auto [text1, text2] = ReadMaker(5).pairs(500);
  std::string with_returns;
  for (const char c : text1) {
    if (c == '\n') with_returns += '\r';
    with_returns += c;
  }
  const Folder folder, other;
  const ReadsJob job = pair_job(folder, text1, text2), dos = pair_job(other, with_returns, text2);
  run_job(job);
  run_job(dos);
  EXPECT_EQ(text_of(*dos.output), text_of(*job.output));
}

TEST(Reads, SingleReadsOfEveryLengthAreTaken) {
  const Folder folder;
  ReadsJob job;
  const std::string longest(100'000, 'C');
  job.reads = {folder.write("a.fq", "@a\n\n+\n\n@b\nA\n+\nI\n@c\n" + longest + "\n+\n" +
                                        std::string(longest.size(), 'I') +
                                        "\n@d\nNNNNNNNNNNNNNNNNNNNN\n+\nIIIIIIIIIIIIIIIIIIII\n")};
  job.output = folder.path("out.fq");
  const Ran ran = run_job(job, 2);
  EXPECT_EQ(ran.details["filtering_result"]["passed_filter_reads"], 1);
  EXPECT_EQ(ran.details["filtering_result"]["too_short_reads"], 2);
  EXPECT_EQ(ran.details["filtering_result"]["too_many_N_reads"], 1);
  EXPECT_EQ(read_file(*job.output),
            "@c\n" + longest + "\n+\n" + std::string(longest.size(), 'I') + "\n");
}

TEST(Reads, NothingAtAllGivesEmptyOutputsAndAWarning) {
  const Folder folder;
  const ReadsJob job = pair_job(folder, "", gzip(""));
  const Ran ran = run_job(job, 2);
  EXPECT_EQ(ran.warned("fastq.no_reads"), 2U);
  EXPECT_EQ(read_file(*job.output), bgzf_end_marker());
  EXPECT_EQ(ran.metrics["reads"]["before"], 0);
}

TEST(Reads, WithoutAnOutputOnlyFiguresAreMade) {
  const auto [text1, text2] = ReadMaker(6).pairs(100);
  const Folder folder;
  ReadsJob job = pair_job(folder, text1, text2);
  job.output.reset();
  job.output2.reset();
  EXPECT_EQ(run_job(job).metrics["reads"]["before"], 200);
}

TEST(Reads, AHundredThousandCopiesAreCountedAsDuplicates) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "@r\nACGTTGCAACGTTGCAACGT\n+\nIIIIIIIIIIIIIIIIIIII\n";
  const Folder folder;
  ReadsJob job;
  job.reads = {folder.write("a.fq", text)};
  const Ran ran = run_job(job, 2);
  EXPECT_NEAR(ran.metrics["duplication"]["rate"].get<double>(), 0.99999, 1e-9);
}

TEST(Reads, FragmentLengthsAreMeasured) {
  ReadMaker maker(7);
  std::string text1, text2;
  for (int i = 0; i < 2000; ++i) {
    const std::string fragment = maker.bases(150);
    text1 += "@r\n" + fragment.substr(0, 100) + "\n+\n" + std::string(100, 'I') + "\n";
    text2 += "@r\n" + ReadMaker::reverse_complement(fragment).substr(0, 100) + "\n+\n" +
             std::string(100, 'I') + "\n";
  }
  const Folder folder;
  EXPECT_EQ(run_job(pair_job(folder, text1, text2)).metrics["insert_size"]["peak"], 150);
}

TEST(Reads, TailsOfGAreCutForTwoColourInstrumentsOnly) {
  const auto kept = [](const std::string& name, const std::string& poly_g) {
    const Folder folder;
    ReadsJob job;
    job.reads = {folder.write("a.fq", "@" + name + "\nACTTACCATTACATACATAC" + std::string(30, 'G') +
                                          "\n+\n" + std::string(50, 'I') + "\n")};
    job.poly_g = poly_g;
    return run_job(job).metrics["bases"]["after"].get<int>();
  };
  EXPECT_EQ(kept("A00123:1:H:1:1:1:1", "auto"), 20);
  EXPECT_EQ(kept("NB551:1:H:1:1:1:1", "auto"), 20);
  EXPECT_EQ(kept("HSQ1004:134", "auto"), 50);
  EXPECT_EQ(kept("HSQ1004:134", "on"), 20);
  EXPECT_EQ(kept("A00123:1", "off"), 50);
}

TEST(Reads, QualitiesThatLookLikePhred64AreWarnedOf) {
  const Folder folder;
  ReadsJob job;
  job.reads = {folder.write("a.fq", "@a\nACGTACGTACGTACGTACGT\n+\nhhhhhhhhhhggggffffBB\n")};
  EXPECT_EQ(run_job(job).warned("fastq.phred64"), 1U);
  job.reads = {folder.write("a.fq", "@a\nACGTACGTACGTACGTACGT\n+\nIIIIIIIIIIHHHHFFFFBB\n")};
  EXPECT_EQ(run_job(job).warned("fastq.phred64"), 0U);
}

// Mates.

TEST(Reads, MatesOutOfStepAreRefused) {
  expect_pair_refused("@a/1\nA\n+\nI\n@b/1\nA\n+\nI\n", "@a/2\nA\n+\nI\n@c/2\nA\n+\nI\n",
                      {"record 2", "out of step", "'b/1'", "'c/2'"});
  expect_pair_refused("@a 1:N:0:A\nA\n+\nI\n", "@b 2:N:0:A\nA\n+\nI\n",
                      {"record 1", "out of step", "'a'", "'b'"});
}

TEST(Reads, UsualNamesOfMatesAreUnderstood) {
  for (const auto& [name1, name2] : {std::pair<std::string, std::string>{"a/1", "a/2"},
                                     {"a 1:N:0:ACGT", "a 2:N:0:ACGT"},
                                     {"a", "a"},
                                     {"SRR1.1.1 x", "SRR1.1.2 x"},
                                     {"a/1 c", "a/2 d"},
                                     {"a\t1", "a\t2"}}) {
    const Folder folder;
    const Ran ran =
        run_job(pair_job(folder, "@" + name1 + "\nA\n+\nI\n", "@" + name2 + "\nA\n+\nI\n"));
    EXPECT_EQ(ran.metrics["reads"]["before"], 2) << name1;
  }
}

TEST(Reads, ACopyOfTheFirstMatesIsRefusedAsSecondMates) {
  expect_pair_refused("@a/1\nA\n+\nI\n", "@a/1\nA\n+\nI\n", {"record 1", "same file given twice"});
}

TEST(Reads, FilesOfDifferentLengthAreRefused) {
  const auto [text1, text2] = ReadMaker(8).pairs(9000);
  const std::string shorter = text2.substr(0, text2.find("@A00100:1:X:1:7000 "));
  expect_pair_refused(text1, shorter,
                      {"in_1.fq: record 7001", "has no mate", "in_2.fq ends after 7000 reads"});
  const std::string one = text1.substr(0, text1.find("@A00100:1:X:1:1 "));
  expect_pair_refused(one, text2,
                      {"in_2.fq: record 2", "has no mate", "in_1.fq ends after 1 reads"});
}

TEST(Reads, AnOddNumberOfInterleavedReadsIsRefused) {
  const Folder folder;
  ReadsJob job;
  job.interleaved = true;
  job.reads = {folder.write("a.fq", "@a/1\nA\n+\nI\n@a/2\nA\n+\nI\n@b/1\nA\n+\nI\n")};
  expect_error(Errc::CorruptData, {"record 3", "mate is missing"}, [&] { run_job(job); });
}

TEST(Reads, ASecondFileThatIsCutOffFailsTheRun) {
  const auto [text1, text2] = ReadMaker(9).pairs(5000);
  const std::string cut = gzip(text2);
  expect_pair_refused(text1, cut.substr(0, cut.size() / 2), {"in_2.fq", "truncated"});
}

// Arguments.

TEST(Reads, FilesThatCannotBeMeantAreRefused) {
  const auto [text1, text2] = ReadMaker(10).pairs(10);
  const Folder folder;
  const ReadsJob good = pair_job(folder, text1, text2);
  const auto refused = [&](const std::vector<std::string>& parts, auto change) {
    ReadsJob job = good;
    change(job);
    expect_error(Errc::InvalidArgument, parts, [&] { run_job(job); });
  };
  refused({"as reads and as reads2"}, [](ReadsJob& job) { job.reads2 = job.reads; });
  refused({"an input and an output"}, [](ReadsJob& job) { job.output2 = job.reads[0]; });
  refused({"two outputs"}, [](ReadsJob& job) { job.output2 = job.output; });
  refused({"interleaved"}, [](ReadsJob& job) { job.interleaved = true; });
  refused({"not paired"}, [](ReadsJob& job) { job.reads2.clear(); });
  refused({"without output"}, [](ReadsJob& job) { job.output.reset(); });
  refused({"--adapter", "ACGX"}, [](ReadsJob& job) { job.adapter = "ACGX"; });
  refused({"umi_length"}, [](ReadsJob& job) { job.umi_location = "read1"; });
  EXPECT_EQ(read_file(good.reads[0]), text1);
}

TEST(Reads, AStopEndsTheRunWithoutOutputs) {
  const auto [text1, text2] = ReadMaker(11).pairs(20'000);
  const Folder folder;
  const ReadsJob job = pair_job(folder, text1, text2);
  std::stop_source stop;
  stop.request_stop();
  expect_error(Errc::Cancelled, {}, [&] { run_job(job, 2, stop.get_token()); });
  EXPECT_FALSE(std::filesystem::exists(*job.output));
}

TEST(Reads, AdaptersOfAFastaFileAreCut) {
  const Folder folder;
  ReadsJob job;
  job.reads = {folder.write(
      "a.fq", "@a\nCCTTCCTTCCTTCCTTCCTTTACATTGCAAGT\n+\n" + std::string(32, 'I') + "\n")};
  job.adapter_fasta = folder.write("adapters.fa", ">one\nTACATTGC\nAAGTCC\n>short\nACG\n");
  job.output = folder.path("out.fq");
  run_job(job);
  EXPECT_EQ(read_file(*job.output), "@a\nCCTTCCTTCCTTCCTTCCTT\n+\n" + std::string(20, 'I') + "\n");
  job.adapter_fasta = folder.write("adapters.fa", "ACGT\n");
  expect_error(Errc::CorruptData, {"adapters.fa", "FASTA"}, [&] { run_job(job); });
}

TEST(Reads, FailedReadsCarryTheirReason) {
  const Folder folder;
  ReadsJob job =
      pair_job(folder, "@a\nACGTACGTACGTACGTACGT\n+\n####################\n@b\nACG\n+\nIII\n",
               "@a\nTTGGCCAATTGGCCAATTGG\n+\nIIIIIIIIIIIIIIIIIIII\n@b\nNNN\n+\nIII\n");
  job.failed = folder.path("failed.fq");
  run_job(job);
  EXPECT_EQ(read_file(*job.failed),
            "@a low_quality\nACGTACGTACGTACGTACGT\n+\n####################\n@a "
            "mate_failed\nTTGGCCAATTGGCCAATTGG\n+\nIIIIIIIIIIIIIIIIIIII\n@b "
            "too_short\nACG\n+\nIII\n@b too_short\nNNN\n+\nIII\n");
  job.unpaired = folder.path("unpaired.fq");
  run_job(job);
  EXPECT_EQ(read_file(*job.unpaired), "@a\nTTGGCCAATTGGCCAATTGG\n+\nIIIIIIIIIIIIIIIIIIII\n");
}

TEST(Apps, DescriptionsAreWellFormed) {
  for (const app::App& described : apps())
    EXPECT_NO_THROW(app::check_description(described.description)) << described.description.name;
  EXPECT_EQ(apps()[0].description.name, "genomics reads");
}

TEST(Reads, RealReadsKeepTheirKnownCounts) {
  // From the folder that this file is in, the data are beside the repository.
  const auto folder = std::filesystem::path("../../../shared/data/genomics/na12878_real");
  if (!std::filesystem::exists(folder / "na12878_1.fq.gz"))
    GTEST_SKIP() << "the real reads are not here";
  ReadsJob job;
  job.reads = {folder / "na12878_1.fq.gz"};
  job.reads2 = {folder / "na12878_2.fq.gz"};
  const Ran ran = run_job(job, 2);
  EXPECT_EQ(ran.metrics["reads"]["before"], 51678);
  // As fastp 0.23.2 counts them.
  EXPECT_EQ(ran.details["filtering_result"]["passed_filter_reads"], 50642);
}

}  // namespace
}  // namespace aceso::genomics
