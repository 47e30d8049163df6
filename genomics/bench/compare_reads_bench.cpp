// Compares two FASTQ files read by read: for the benchmark of `genomics reads` beside a peer.
//
//   compare_reads_bench NAME_A A.fastq.gz NAME_B B.fastq.gz
//
// Prints one row of a Markdown table per class of difference, with up to three examples. Exits
// with 1 if there is any difference.

#include "aceso/genomics/fastq.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using namespace aceso;
using namespace aceso::genomics;

struct Kept {
  std::string bases, qualities;
  std::size_t place = 0;
};

/// Calls visit(name, record, place) for every read.
template <typename Visit>
void for_each_read(const char* file, const Visit& visit) {
  Warnings warnings;
  FastqReader reader({file}, warnings);
  ParsedChunk chunk;
  std::size_t place = 0;
  while (reader.next(chunk)) {
    for (const FastqRecord& record : chunk.records)
      visit(std::string(record.name_view()), record, place++);
  }
}

struct Class {
  std::string label;
  std::size_t count = 0;
  std::vector<std::string> examples;

  void add(const std::string& name) {
    ++count;
    if (examples.size() < 3) examples.push_back(name);
  }
};

void print(const Class& difference) {
  std::string examples;
  for (const std::string& example : difference.examples)
    examples += (examples.empty() ? "" : ", ") + example;
  std::printf("| %s | %zu | %s |\n", difference.label.c_str(), difference.count, examples.c_str());
}

int compare(const std::string& name_a, const char* file_a, const std::string& name_b,
            const char* file_b) {
  std::unordered_map<std::string, Kept> reads;
  for_each_read(file_a, [&](std::string name, const FastqRecord& record, std::size_t place) {
    reads[std::move(name)] = {std::string(record.bases_view()),
                              std::string(record.qualities_view()), place};
  });
  Class same{"same name, letters and qualities", 0, {}},
      moved{"of these at another place of the file", 0, {}};
  Class letters{"same name, trimmed or corrected otherwise", 0, {}};
  Class only_a{"only in the output of " + name_a, 0, {}},
      only_b{"only in the output of " + name_b, 0, {}};
  for_each_read(file_b, [&](const std::string& name, const FastqRecord& record, std::size_t place) {
    const auto found = reads.find(name);
    if (found == reads.end()) return only_b.add(name);
    const Kept& kept = found->second;
    if (kept.bases == record.bases_view() && kept.qualities == record.qualities_view()) {
      ++same.count;
      if (kept.place != place) moved.add(name);
    } else {
      letters.add(name);
    }
    reads.erase(found);
  });
  for (const auto& [name, kept] : reads) only_a.add(name);
  std::ranges::sort(only_a.examples);
  for (const Class* difference : {&same, &moved, &letters, &only_a, &only_b}) print(*difference);
  return moved.count + letters.count + only_a.count + only_b.count == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s NAME_A A.fastq.gz NAME_B B.fastq.gz\n", argv[0]);
    return 2;
  }
  try {
    return compare(argv[1], argv[2], argv[3], argv[4]);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return exit_code(error.code());
  }
}
