// Makes paired reads for the benchmark of `genomics reads`: fragments of a reference with
// sequencing errors that follow the qualities, read-through into adapters, duplicates, Ns and
// poly-G tails. The same arguments always give the same files.
//
//   make_pairs_bench PAIRS OUT_1.fq OUT_2.fq [REFERENCE.fa|-] [REAL_1.fq|-] [REAL_2.fq|-]

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr int kReadLength = 150;
constexpr const char* kAdapter1 =
    "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACACGTACGTATCTCGTATGCCGTCTTCTGCTTG";
constexpr const char* kAdapter2 = "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGTAGATCTCGGTGGTCGCCGTATCATT";

/// Marsaglia's xorshift64*, so that files do not depend on the standard library's generators.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 2685821657736338717ULL;
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(limit));
  }
  double normal() {
    return std::sqrt(-2 * std::log(1 - uniform())) *
           std::cos(2 * 3.14159265358979323846 * uniform());
  }

 private:
  std::uint64_t state_;
};

/// Qualities as a chain: the next depends on the one before and on the place in the read.
class QualityModel {
 public:
  explicit QualityModel(const std::string& fastq) {
    learn_prior();
    if (fastq.empty() || fastq == "-") return;
    std::ifstream in(fastq);
    std::string line;
    for (std::size_t n = 0; std::getline(in, line); ++n) {
      if (n % 4 == 3) learn(line, 1000);
    }
  }

  std::string sample(Random& random) const {
    std::string quality(kReadLength, '#');
    int last = 0;
    for (int i = 0; i < kReadLength; ++i) {
      const auto& row = counts_[static_cast<std::size_t>(i * kPlaces / kReadLength)]
                               [static_cast<std::size_t>(last)];
      std::uint64_t total = 0;
      for (const auto count : row) total += count;
      std::uint64_t pick = random.below(total);
      int q = 0;
      while (pick >= row[static_cast<std::size_t>(q)]) pick -= row[static_cast<std::size_t>(q++)];
      quality[static_cast<std::size_t>(i)] = static_cast<char>(33 + q);
      last = q;
    }
    return quality;
  }

 private:
  static constexpr int kLevels = 42;
  static constexpr int kPlaces = 50;

  // Keeps every row of the chain non-empty; drowned out by real reads when there are any.
  void learn_prior() {
    Random random(99);
    for (int n = 0; n < 2000; ++n) {
      std::string quality;
      double level = 37;
      for (int i = 0; i < kReadLength; ++i) {
        level += random.normal() * 1.6 - 0.02 + (38 - level) * 0.05 - i * 0.002;
        level = std::clamp(level, 2.0, 41.0);
        quality.push_back(static_cast<char>(33 + std::lround(level)));
      }
      learn(quality, 1);
    }
    for (auto& place : counts_) {
      for (auto& row : place) row[2] += 1;
    }
  }

  void learn(const std::string& quality, std::uint64_t weight) {
    int last = 0;
    for (std::size_t i = 0; i < quality.size(); ++i) {
      const int q = std::clamp(quality[i] - 33, 0, kLevels - 1);
      counts_[i * kPlaces / quality.size()][static_cast<std::size_t>(last)]
             [static_cast<std::size_t>(q)] += weight;
      last = q;
    }
  }

  std::array<std::array<std::array<std::uint64_t, kLevels>, kLevels>, kPlaces> counts_{};
};

char complement(char base) {
  switch (base) {
    case 'A':
      return 'T';
    case 'C':
      return 'G';
    case 'G':
      return 'C';
    case 'T':
      return 'A';
    default:
      return 'N';
  }
}

std::string load_reference(const std::string& fasta) {
  std::string bases;
  if (!fasta.empty() && fasta != "-") {
    std::ifstream in(fasta);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with('>')) continue;
      for (const char c : line) {
        if (const char base = static_cast<char>(c & ~0x20); base != 'N') bases.push_back(base);
      }
    }
  }
  Random random(7);
  while (bases.size() < 2'000'000) bases.push_back("ACGTAT"[random.below(6)]);
  return bases;
}

void add_errors(std::string& bases, const std::string& quality, Random& random) {
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const int q = quality[i] - 33;
    if (random.uniform() < std::pow(10.0, -q / 10.0) * 0.75) bases[i] = "ACGT"[random.below(4)];
    if (q <= 2 && random.uniform() < 0.02) bases[i] = 'N';
  }
}

/// The first kReadLength letters of `insert`, its adapter, and what a sequencer sees behind it.
std::string read_through(const std::string& insert, const char* adapter, Random& random) {
  std::string bases = insert + adapter;
  while (bases.size() < kReadLength) bases.push_back('G');
  bases.resize(kReadLength);
  if (random.uniform() < 0.003) {
    const std::size_t tail = 10 + random.below(60);
    std::fill(bases.end() - static_cast<std::ptrdiff_t>(tail), bases.end(), 'G');
  }
  return bases;
}

std::string degraded(std::string quality, Random& random) {
  const int loss = 14 + static_cast<int>(random.below(14));
  for (char& q : quality) q = static_cast<char>(std::max(33 + 2, q - loss));
  return quality;
}

struct Fragment {
  std::size_t begin = 0;
  std::size_t size = 0;
};

class Maker {
 public:
  Maker(const char* reference, const char* real1, const char* real2)
      : reference_(load_reference(reference)), model1_(real1), model2_(real2) {}

  void make(std::size_t pairs, std::FILE* out1, std::FILE* out2) {
    std::vector<Fragment> recent;
    for (std::size_t n = 0; n < pairs; ++n) {
      Fragment fragment = draw();
      if (!recent.empty() && random_.uniform() < 0.08)
        fragment = recent[random_.below(recent.size())];
      if (recent.size() < 5000)
        recent.push_back(fragment);
      else
        recent[random_.below(recent.size())] = fragment;
      write_pair(n, fragment, out1, out2);
    }
  }

 private:
  Fragment draw() {
    const double size = std::exp(5.65 + 0.38 * random_.normal());
    Fragment fragment;
    fragment.size = static_cast<std::size_t>(std::clamp(size, 20.0, 1500.0));
    fragment.begin = random_.below(reference_.size() - fragment.size);
    return fragment;
  }

  void write_pair(std::size_t n, const Fragment& fragment, std::FILE* out1, std::FILE* out2) {
    std::string forward = reference_.substr(fragment.begin, fragment.size);
    std::string reverse(forward.rbegin(), forward.rend());
    std::transform(reverse.begin(), reverse.end(), reverse.begin(), complement);
    if ((n & 1) != 0) std::swap(forward, reverse);
    const bool bad = random_.uniform() < 0.04;
    write_read(n, 1, read_through(forward, kAdapter1, random_), model1_, bad, out1);
    write_read(n, 2, read_through(reverse, kAdapter2, random_), model2_, bad && (n % 3 == 0), out2);
  }

  void write_read(std::size_t n, int mate, std::string bases, const QualityModel& model, bool bad,
                  std::FILE* out) {
    std::string quality = model.sample(random_);
    if (bad) quality = degraded(quality, random_);
    add_errors(bases, quality, random_);
    std::fprintf(out, "@A00123:45:HXXXXXXXX:%zu:%zu:%zu:%zu %d:N:0:ACGTACGT\n%s\n+\n%s\n",
                 1 + n % 4, 1101 + n / 40000, 1000 + n * 7919 % 30000, 1000 + n * 104729 % 36000,
                 mate, bases.c_str(), quality.c_str());
  }

  std::string reference_;
  QualityModel model1_, model2_;
  Random random_{20240517};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: %s PAIRS OUT_1.fq OUT_2.fq [REFERENCE.fa|-] [REAL_1.fq|-] [REAL_2.fq|-]\n",
                 argv[0]);
    return 2;
  }
  const auto argument = [&](int i) { return i < argc ? argv[i] : "-"; };
  std::FILE* out1 = std::fopen(argv[2], "w");
  std::FILE* out2 = std::fopen(argv[3], "w");
  if (out1 == nullptr || out2 == nullptr) {
    std::fprintf(stderr, "cannot write %s and %s\n", argv[2], argv[3]);
    return 3;
  }
  Maker(argument(4), argument(5), argument(6))
      .make(std::strtoull(argv[1], nullptr, 10), out1, out2);
  const bool good = std::fclose(out1) == 0 && std::fclose(out2) == 0;
  return good ? 0 : 4;
}
