#include "read_simulator.hpp"

#include "syncmers.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

namespace aceso::genomics {
namespace {

constexpr std::uint64_t kReadStream = 3ULL << 60;
constexpr std::size_t kContextBases = 12;
constexpr std::size_t kSteadyRun = 5;  ///< longer runs stutter
constexpr int kWorstQuality = 2, kBestQuality = 41;
/// What a sequencer reads behind a fragment that is shorter than the read (Illumina's TruSeq).
constexpr std::string_view kAdapters[2] = {"AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC",
                                           "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGTA"};

/// Mean quality falls with the third power of the position, more so for second mates.
std::vector<double> quality_curve(const SimulateJob& job, double fall) {
  std::vector<double> out;
  for (std::uint32_t i = 0; i < job.length; ++i) {
    const double way = static_cast<double>(i) / job.length;
    out.push_back(job.quality - fall * way * way * way);
  }
  return out;
}

const std::array<double, kBestQuality + 1>& error_rates() {
  static const auto rates = [] {
    std::array<double, kBestQuality + 1> out{};
    for (std::size_t q = 0; q < out.size(); ++q)
      out[q] = std::pow(10, -static_cast<double>(q) / 10);
    return out;
  }();
  return rates;
}

double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

std::string reverse_complement(std::string_view codes) {
  std::string out(codes.rbegin(), codes.rend());
  for (char& code : out) code = static_cast<char>(complement(static_cast<std::uint8_t>(code)));
  return out;
}

struct Fragment {
  std::size_t haplotype = 0;
  std::uint64_t begin = 0, size = 0;
  bool forward = true;  ///< the first mate reads along the reference
};

}  // namespace

/// The fragments of one block, one behind the other.
class BlockSimulator {
 public:
  BlockSimulator(const ReadSimulator& owner, std::uint64_t index)
      : owner_(owner),
        job_(owner.job_),
        random_(job_.seed,
                kReadStream + (static_cast<std::uint64_t>(owner.contig_index_) << 40U) + index) {}

  void add(std::uint64_t number, SimulatedReads& out) {
    const bool copy = !fragments_.empty() && random_.chance(job_.duplicate_rate);
    std::optional<Fragment> fragment;
    if (copy)
      fragment = random_.pick(fragments_);
    else
      fragment = draw();
    if (!fragment) return;
    if (!copy) fragments_.push_back(*fragment);
    write(*fragment, fmt::format("{}.{}", copy ? "dup" : "sim", number), out);
    ++out.fragments;
    out.duplicates += copy;
  }

 private:
  /// A fragment without unknown bases in its reads; nothing if the contig has hardly any.
  std::optional<Fragment> draw() {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      Fragment out;
      out.haplotype = random_.below(2);
      out.forward = random_.chance(0.5);
      const std::string& codes = owner_.haplotypes_[out.haplotype].codes();
      double size = job_.length;
      if (owner_.paired_) size = std::round(job_.insert_mean + job_.insert_sd * normal(random_));
      out.size = static_cast<std::uint64_t>(std::max(size, 20.0));
      if (out.size > codes.size()) continue;
      out.begin = random_.below(codes.size() - out.size + 1);
      if (known(codes, out)) return out;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool known(const std::string& codes, const Fragment& f) const {
    const std::uint64_t size = std::min<std::uint64_t>(f.size, job_.length);
    const auto has_unknown = [&](std::uint64_t begin) {
      return std::string_view(codes).substr(begin, size).find(static_cast<char>(kCodeN)) !=
             std::string_view::npos;
    };
    return !has_unknown(f.begin) && !has_unknown(f.begin + f.size - size);
  }

  void write(const Fragment& f, const std::string& name, SimulatedReads& out) {
    const SampleHaplotype& haplotype = owner_.haplotypes_[f.haplotype];
    const std::string_view codes = std::string_view(haplotype.codes()).substr(f.begin, f.size);
    const std::uint64_t reach = std::min<std::uint64_t>(f.size, job_.length);
    const std::uint32_t left = haplotype.on_reference(f.begin) + 1;
    const std::uint32_t right = haplotype.on_reference(f.begin + f.size - reach) + 1;
    const std::uint32_t first = f.forward ? left : right, second = f.forward ? right : left;
    const std::string title =
        fmt::format("@{}:{}:{}:{}:{}:{}", name, f.haplotype + 1, f.forward ? '+' : '-', first,
                    owner_.paired_ ? second : 0, owner_.contig_);
    // One base more than a read, for one that is deleted.
    const std::string_view ahead = codes.substr(0, job_.length + 1);
    const std::string back =
        reverse_complement(codes.substr(codes.size() - std::min(codes.size(), ahead.size())));
    write_read(title, f.forward ? ahead : std::string_view(back), 0, out.reads);
    if (owner_.paired_)
      write_read(title, f.forward ? std::string_view(back) : ahead, 1, out.reads2);
    out.bases += job_.length * (owner_.paired_ ? 2U : 1U);
  }

  void write_read(const std::string& title, std::string_view codes, std::size_t mate,
                  std::string& out) {
    std::string bases(codes);
    if (random_.chance(job_.indel_error_rate * job_.length)) make_indel(bases);
    if (job_.stutter_rate > 0) stutter(bases);
    for (std::size_t i = 0; bases.size() < job_.length; ++i)
      bases += static_cast<char>(i < kAdapters[mate].size() ? code_of_base(kAdapters[mate][i])
                                                            : random_.below(4));
    bases.resize(job_.length);
    std::string qualities(job_.length, '!');
    const double shift = 1.5 * normal(random_);
    Context context;
    for (std::size_t i = 0; i < bases.size(); ++i) {
      // One draw for both: its upper part is the noise of the quality, the rest the error.
      const double draw = random_.uniform() * 8, noise = std::floor(draw);
      const int quality =
          std::clamp(static_cast<int>(std::lround(owner_.quality_curve_[mate][i] + shift + noise -
                                                  3.5 - (noise == 0 ? 6 : 0))),
                     kWorstQuality, kBestQuality);
      qualities[i] = static_cast<char>('!' + quality);
      if (job_.artifact_rate > 0 && context.full() &&
          err_by_context(context, bases[i], qualities[i]))
        continue;
      context.add(bases[i]);
      if (draw - noise < error_rates()[static_cast<std::size_t>(quality)])
        bases[i] = static_cast<char>((bases[i] + 1 + static_cast<int>(random_.below(3))) & 3);
      bases[i] = base_of_code(static_cast<std::uint8_t>(bases[i]));
    }
    out += title;
    out += '\n';
    out += bases;
    out += "\n+\n";
    out += qualities;
    out += '\n';
  }

  /// The bases read before one.
  class Context {
   public:
    void add(char code) {
      bases_ = (bases_ << 2 | (static_cast<std::uint64_t>(code) & 3U)) & kMask;
      ++count_;
    }
    [[nodiscard]] bool full() const { return count_ >= kContextBases; }
    [[nodiscard]] std::uint64_t bases() const { return bases_; }

   private:
    static constexpr std::uint64_t kMask = (1ULL << (2 * kContextBases)) - 1;
    std::uint64_t bases_ = 0;
    std::size_t count_ = 0;
  };

  /// Some contexts make reads err often, all in the same way, and in one direction only: the other
  /// strand's reads come from another context. Writes letter and quality if this one does.
  bool err_by_context(Context& context, char& base, char& quality) {
    const std::uint64_t fate = mix(mix(job_.seed) ^ context.bases());
    if (static_cast<double>(fate >> 11U) * 0x1p-53 >= job_.artifact_rate) return false;
    const double how_often = 0.1 + 0.5 * static_cast<double>(mix(fate) >> 11U) * 0x1p-53;
    const auto shift = static_cast<int>(1 + mix(fate + 1) % 3);
    if (!random_.chance(how_often)) return false;
    context.add(base);
    base = base_of_code(static_cast<std::uint8_t>((base + shift) & 3));
    quality = static_cast<char>(std::max(quality - 8, '!' + kWorstQuality));
    return true;
  }

  /// Runs of one base gain or lose one, the longer the more often.
  void stutter(std::string& bases) {
    for (std::size_t begin = 0; begin < bases.size();) {
      std::size_t end = begin + 1;
      while (end < bases.size() && bases[end] == bases[begin]) ++end;
      if (const std::size_t run = end - begin;
          run > kSteadyRun &&
          random_.chance(job_.stutter_rate * static_cast<double>(run - kSteadyRun))) {
        if (random_.chance(0.5))
          bases.erase(--end, 1);
        else
          bases.insert(end++, 1, bases[begin]);
      }
      begin = end;
    }
  }

  void make_indel(std::string& bases) {
    const std::size_t at = random_.below(bases.size());
    if (random_.chance(0.5))
      bases.erase(at, 1);
    else
      bases.insert(at, 1, static_cast<char>(random_.below(4)));
  }

  const ReadSimulator& owner_;
  const SimulateJob& job_;
  Random random_;
  std::vector<Fragment> fragments_;
};

SampleHaplotype::SampleHaplotype(std::span<const std::uint8_t> contig,
                                 std::span<const VariantPiece> pieces, int which) {
  const auto h = static_cast<std::size_t>(which);
  const char* codes = reinterpret_cast<const char*>(contig.data());
  std::uint32_t at = 0;
  codes_.reserve(contig.size());
  stretches_.push_back({0, 0, false});
  for (const VariantPiece& piece : pieces) {
    if (!piece.alters[h]) continue;
    codes_.append(codes + at, piece.begin - at);
    const std::size_t size = piece.end - piece.begin, alternative = piece.alleles[h].size();
    if (alternative > size) stretches_.push_back({codes_.size() + size, piece.end, true});
    codes_ += piece.alleles[h];
    at = piece.end;
    if (alternative != size) stretches_.push_back({codes_.size(), piece.end, false});
  }
  codes_.append(codes + at, contig.size() - at);
}

std::uint32_t SampleHaplotype::on_reference(std::uint64_t at) const {
  const auto after = std::ranges::upper_bound(stretches_, at, {}, &Stretch::begin);
  const Stretch& stretch = *(after - 1);
  return stretch.reference +
         (stretch.inserted ? 0 : static_cast<std::uint32_t>(at - stretch.begin));
}

ReadSimulator::ReadSimulator(const SimulateJob& job, std::string contig, std::uint32_t contig_index,
                             std::span<const std::uint8_t> codes,
                             std::span<const VariantPiece> variants, bool paired)
    : job_(job), contig_(std::move(contig)), contig_index_(contig_index), paired_(paired) {
  quality_curve_[0] = quality_curve(job, 6);
  quality_curve_[1] = quality_curve(job, 9);
  if (codes.size() < job.length) return;
  const auto known = std::ranges::count_if(codes, [](std::uint8_t code) { return code < kCodeN; });
  const double bases_per_fragment = job.length * (paired ? 2.0 : 1.0);
  fragments_ = static_cast<std::uint64_t>(
      std::llround(job.coverage * static_cast<double>(known) / bases_per_fragment));
  for (const int which : {0, 1}) haplotypes_.emplace_back(codes, variants, which);
}

SimulatedReads ReadSimulator::block(std::uint64_t index, std::uint64_t first_number) const {
  SimulatedReads out;
  BlockSimulator block(*this, index);
  const std::uint64_t begin = index * kFragmentsPerBlock;
  const std::uint64_t end = std::min(begin + kFragmentsPerBlock, fragments_);
  for (std::uint64_t i = begin; i < end; ++i) block.add(first_number + i, out);
  return out;
}

}  // namespace aceso::genomics
