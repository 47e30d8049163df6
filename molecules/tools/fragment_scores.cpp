// fragment_scores IN.pkl.gz OUT.bin: turns the fragment contributions of the synthetic
// accessibility score, as RDKit's data package has them, into a sorted table. Runs while Aceso is
// built.
//
// The input is a pickle of protocol 0, that is text, of which this reads lists of one float and
// whole numbers only. OUT is little-endian: u32 count of scores, u32 count of fragments, f64
// scores, u32 fragments (rising), u16 the place of each one's score.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

struct Fragment {
  std::uint32_t id;
  std::uint16_t score;
};

[[noreturn]] void stop(const std::string& problem) {
  std::fprintf(stderr, "fragment_scores: %s\n", problem.c_str());
  std::exit(1);
}

std::string unpacked(const char* path) {
  gzFile file = gzopen(path, "rb");
  if (file == nullptr) stop(std::string(path) + ": cannot be read");
  std::string text;
  char block[1 << 16];
  int count = 0;
  while ((count = gzread(file, block, sizeof block)) > 0)
    text.append(block, static_cast<std::size_t>(count));
  if (count < 0) stop(std::string(path) + ": damaged");
  gzclose(file);
  return text;
}

/// Lines such as "(lp3", "aF-1.5", "aI1234", "a(lp4", "aa." with 'a' for what belongs to a list.
void read(const std::string& text, std::vector<double>& scores, std::vector<Fragment>& fragments) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    line.erase(0, std::min(line.find_first_not_of('a'), line.size()));
    if (line.empty() || line[0] == '(' || line[0] == '.') continue;
    if (line[0] == 'F')
      scores.push_back(std::strtod(line.c_str() + 1, nullptr));
    else if (line[0] == 'I' && !scores.empty() && scores.size() <= 0xffff)
      fragments.push_back({static_cast<std::uint32_t>(std::strtoull(line.c_str() + 1, nullptr, 10)),
                           static_cast<std::uint16_t>(scores.size() - 1)});
    else
      stop("expected lists of a score and fragments, found \"" + line.substr(0, 40) + "\"");
  }
}

template <typename T>
void write(std::FILE* file, const std::vector<T>& values) {
  if (std::fwrite(values.data(), sizeof(T), values.size(), file) != values.size())
    stop("cannot write");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) stop("expected IN.pkl.gz OUT.bin");
  std::vector<double> scores;
  std::vector<Fragment> fragments;
  read(unpacked(arguments[1]), scores, fragments);
  // A fragment that comes twice has the later score.
  std::stable_sort(fragments.begin(), fragments.end(),
                   [](const Fragment& a, const Fragment& b) { return a.id < b.id; });
  std::vector<std::uint32_t> ids;
  std::vector<std::uint16_t> places;
  for (const Fragment& fragment : fragments) {
    if (!ids.empty() && ids.back() == fragment.id) {
      places.back() = fragment.score;
      continue;
    }
    ids.push_back(fragment.id);
    places.push_back(fragment.score);
  }
  std::FILE* file = std::fopen(arguments[2], "wb");
  if (file == nullptr) stop(std::string(arguments[2]) + ": cannot be written");
  write(file, std::vector<std::uint32_t>{static_cast<std::uint32_t>(scores.size()),
                                         static_cast<std::uint32_t>(ids.size())});
  write(file, scores);
  write(file, ids);
  write(file, places);
  if (std::fclose(file) != 0) stop("cannot write");
}
