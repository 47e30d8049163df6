// What the tests of alignment and calling share: made-up genomes, samples and reads, and running an
// app in this process.
#pragma once

#include "allele.hpp"
#include "packed_record.hpp"
#include "reads_testing.hpp"

#include "aceso/app/request.hpp"
#include "aceso/genomics/reference.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

namespace aceso::genomics {

/// Random letters without N.
inline std::string random_genome(ReadMaker& maker, std::size_t length) {
  std::string out(length, 'A');
  for (char& base : out) base = "ACGT"[maker.below(4)];
  return out;
}

inline std::vector<std::uint8_t> codes_of(std::string_view letters) {
  std::vector<std::uint8_t> out;
  for (const char letter : letters) out.push_back(code_of_base(letter));
  return out;
}

inline std::string added(std::string_view letters) {
  std::string out;
  for (const char letter : letters) out.push_back(static_cast<char>(code_of_base(letter)));
  return out;
}

/// A reference of these contigs, read from a file as a user's is.
inline std::shared_ptr<const OwnedReference> reference_of(
    const Folder& folder, const std::vector<std::pair<std::string, std::string>>& contigs) {
  std::string text;
  for (const auto& [name, bases] : contigs) text += ">" + name + "\n" + bases + "\n";
  return std::make_shared<const OwnedReference>(read_reference(folder.write("genome.fa", text)));
}

/// A record at a global position, put together by hand; its bases have the quality 30.
class HandRecord {
 public:
  HandRecord(std::uint32_t position, const std::string& letters,
             const std::vector<std::uint32_t>& cigar)
      : words_(16 + cigar.size() + letters.size()) {
    PackedRecord head;
    head.position = position;
    head.read_length = static_cast<std::uint32_t>(letters.size());
    head.cigar_count = static_cast<std::uint16_t>(cigar.size());
    auto* data = reinterpret_cast<std::uint8_t*>(words_.data());
    std::memcpy(data, &head, sizeof head);
    std::memcpy(data + sizeof head, cigar.data(), cigar.size() * 4);
    auto* bases = const_cast<std::uint8_t*>(record().bases());
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const auto code = static_cast<std::uint8_t>(1U << code_of_base(letters[i]));
      bases[i / 2] = static_cast<std::uint8_t>(bases[i / 2] | (i % 2 == 0 ? code << 4 : code));
    }
    std::fill_n(const_cast<std::uint8_t*>(record().qualities()), letters.size(), std::uint8_t{30});
  }
  [[nodiscard]] const PackedRecord& record() const {
    return *reinterpret_cast<const PackedRecord*>(words_.data());
  }

 private:
  std::vector<std::uint64_t> words_;
};

/// One change of a sample, in letters; position is 0-based.
struct Change {
  std::size_t position = 0;
  std::size_t removed = 0;
  std::string added;
  int copies = 1;  ///< 1: on the first haplotype only, 2: on both
};

/// One haplotype. Changes in rising order, apart from each other.
inline std::string haplotype_of(const std::string& genome, const std::vector<Change>& changes,
                                int haplotype) {
  std::string out;
  std::size_t at = 0;
  for (const Change& change : changes) {
    if (haplotype == 1 && change.copies < 2) continue;
    out += genome.substr(at, change.position - at) + change.added;
    at = change.position + change.removed;
  }
  return out + genome.substr(at);
}

/// Pairs of 2 x `length` from all of `haplotypes` by turns, of fragments of 300 to 500 bases, one
/// base in 500 wrong. Names tell haplotype and place.
inline std::pair<std::string, std::string> sequence(ReadMaker& maker,
                                                    const std::vector<std::string>& haplotypes,
                                                    std::size_t pairs, std::size_t length = 150) {
  std::pair<std::string, std::string> out;
  const auto read = [&](std::string bases) {
    for (char& base : bases) {
      if (maker.below(500) == 0) base = "ACGT"[maker.below(4)];
    }
    return bases;
  };
  for (std::size_t i = 0; i < pairs; ++i) {
    const std::size_t h = i % haplotypes.size();
    const std::size_t fragment = 300 + maker.below(200);
    const std::size_t at = maker.below(haplotypes[h].size() - fragment);
    std::string bases = haplotypes[h].substr(at, fragment);
    if (maker.below(2) == 0) bases = ReadMaker::reverse_complement(bases);
    const std::string name =
        "@h" + std::to_string(h) + "_" + std::to_string(at) + "_" + std::to_string(i);
    const std::string qualities(length, 'H');
    out.first += name + "/1\n" + read(bases.substr(0, length)) + "\n+\n" + qualities + "\n";
    out.second += name + "/2\n" + read(ReadMaker::reverse_complement(bases).substr(0, length)) +
                  "\n+\n" + qualities + "\n";
  }
  return out;
}

/// Files and options of a run, by name.
struct AppRun {
  std::map<std::string, std::vector<std::filesystem::path>> inputs;
  std::map<std::string, std::filesystem::path> outputs;
  std::map<std::string, app::Value> options = {};
  unsigned threads = 1;
};

/// Runs an app as a user does; returns its metrics. `sections` gets those of
/// the report.
inline Json run_app(const app::App& app, const AppRun& run, Json* sections = nullptr) {
  app::Request request{run.inputs, run.options, run.outputs};
  for (const app::OptionSpec& option : app.description.options) {
    if (option.default_value) request.options.try_emplace(option.name, *option.default_value);
  }
  const ScratchFolder scratch(std::filesystem::temp_directory_path());
  Progress progress;
  Warnings warnings;
  app::Report report;
  Json metrics;
  app::RunContext context{.progress = progress,
                          .log = {},
                          .warnings = warnings,
                          .report = report,
                          .metrics = metrics,
                          .stop = {},
                          .threads = run.threads,
                          .scratch = scratch.path()};
  app.run(request, context);
  if (sections != nullptr) *sections = report.sections();
  return metrics;
}

}  // namespace aceso::genomics
