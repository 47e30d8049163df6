// What the tests of reads share: files in a folder of their own, compression by zlib, random reads.
#pragma once

#include "bgzf.hpp"
#include "reads_pipeline.hpp"
#include "reads_report.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <gtest/gtest.h>

#include <zlib.h>
#include <functional>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// For EXPECT_TRUE, with both texts in the message.
inline ::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << text << "' does not contain '" << part << "'";
}

/// A folder for one test, removed with it.
class Folder {
 public:
  Folder() : scratch_(std::filesystem::temp_directory_path()) {}
  [[nodiscard]] std::filesystem::path path(const std::string& name) const {
    return scratch_.path() / name;
  }
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    write_file(path(name), content);
    return path(name);
  }

 private:
  ScratchFolder scratch_;
};

/// One gzip member, made by zlib.
inline std::string gzip(std::string_view text, int level = 6) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// The text of a gzip file of any number of members, read by zlib.
inline std::string gunzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  while (stream.avail_in > 0) {
    char buffer[65536];
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof(buffer) - stream.avail_out);
    if (result == Z_STREAM_END)
      inflateReset(&stream);
    else if (result != Z_OK)
      ADD_FAILURE() << "zlib refuses the stream: " << result;
    if (result != Z_OK && result != Z_STREAM_END) break;
  }
  inflateEnd(&stream);
  return out;
}

inline std::string bgzf(std::string_view text, int level = 1) {
  std::string out;
  BgzfDeflater(level).deflate(text, out);
  return out.append(bgzf_end_marker());
}

/// Random reads; with a fixed seed always the same.
class ReadMaker {
 public:
  explicit ReadMaker(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string bases(std::size_t length) {
    std::string out(length, 'A');
    for (char& base : out) base = below(200) == 0 ? 'N' : "ACGT"[below(4)];
    return out;
  }
  std::string qualities(std::size_t length) {
    std::string out(length, '!');
    int level = 38;
    for (char& q : out) {
      level = std::clamp(
          level + static_cast<int>(below(7)) - 3 - (below(60) == 0 ? 15 : 0) + (level < 25 ? 1 : 0),
          2, 41);
      q = static_cast<char>(33 + level);
    }
    return out;
  }

  static std::string reverse_complement(std::string bases) {
    std::ranges::reverse(bases);
    for (char& base : bases)
      base = base == 'A' ? 'T' : base == 'C' ? 'G' : base == 'G' ? 'C' : base == 'T' ? 'A' : 'N';
    return bases;
  }

  /// Pairs of fragments of 40 to 400 bases, reads of `length`; adapters where they read through.
  std::pair<std::string, std::string> pairs(std::size_t count, std::size_t length = 100) {
    std::pair<std::string, std::string> out;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string fragment = bases(40 + below(360));
      std::string one =
          (fragment + "AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC" + bases(length)).substr(0, length);
      std::string two =
          (reverse_complement(fragment) + "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGTA" + bases(length))
              .substr(0, length);
      const std::string q1 = qualities(length), q2 = qualities(length);
      for (std::string* read : {&one, &two}) (*read)[below(length)] = "ACGT"[below(4)];
      const std::string name = "@A00100:1:X:1:" + std::to_string(i);
      out.first += name + " 1:N:0:ACGT+TTGA\n" + one + "\n+\n" + q1 + "\n";
      out.second += name + " 2:N:0:ACGT+TTGA\n" + two + "\n+\n" + q2 + "\n";
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

/// Runs a job and keeps what it told.
struct Ran {
  ReadsResult result;
  std::vector<WarningCount> warnings;
  Json metrics;
  Json details;

  [[nodiscard]] std::uint64_t warned(std::string_view kind) const {
    for (const WarningCount& count : warnings) {
      if (count.kind == kind) return count.count;
    }
    return 0;
  }
};

inline Ran run_job(const ReadsJob& job, unsigned threads = 1, std::stop_token stop = {}) {
  Progress progress;
  Warnings warnings;
  app::Report report;
  Ran ran;
  app::RunContext context{.progress = progress,
                          .log = {},
                          .warnings = warnings,
                          .report = report,
                          .metrics = ran.metrics,
                          .stop = stop,
                          .threads = threads,
                          .scratch = {}};
  ran.result = run_reads(job, context);
  report_reads(ran.result, context);
  ran.warnings = warnings.counts();
  ran.details = report.details();
  return ran;
}

/// Runs `act`, which must raise `code` with a message that has all of `parts`.
template <typename Act>
void expect_error(Errc code, const std::vector<std::string>& parts, const Act& act) {
  try {
    act();
    ADD_FAILURE() << "no error was raised; expected one with '" << (parts.empty() ? "" : parts[0])
                  << "'";
  } catch (const Error& error) {
    EXPECT_EQ(name(error.code()), name(code)) << error.what();
    for (const std::string& part : parts) EXPECT_TRUE(contains(error.what(), part));
  }
}

/// The message of the error that `action` throws; its code must be this one.
inline std::string refused(Errc code, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

}  // namespace aceso::genomics
