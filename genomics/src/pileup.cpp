#include "pileup.hpp"

#include "kernels/band.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace aceso::genomics {
namespace {

// Clips shorter than this are what an end bonus did not save.
constexpr std::uint32_t kLeastClip = 4;
// A puzzle takes in this many bases on both sides of what gave rise to it.
constexpr std::uint32_t kPuzzleMargin = 80;
constexpr std::uint32_t kMostPuzzle = 400;

}  // namespace

void PileupBuilder::build(const CallReads& reads, std::uint32_t begin, std::uint32_t end,
                          Pileup& out) {
  begin_ = begin;
  end_ = end;
  const std::size_t size = end - begin;
  depth_.assign(size + 1, 0);
  bases_.assign(size, {});
  clips_.assign(size, 0);
  gaps_.assign(size, 0);
  indels_.clear();
  out.candidates.clear();
  out.puzzles.clear();
  for (const CallRead& read : reads.reads) add_read(reads, read);
  std::int32_t running = 0;
  for (std::int32_t& depth : depth_) depth = running += depth;
  emit_snvs(out);
  emit_indels(out);
  std::ranges::sort(out.candidates, {}, &CandidateAllele::allele);
  emit_puzzles(out);
  if (options_.keep_columns) emit_columns(out);
}

void PileupBuilder::add_read(const CallReads& reads, const CallRead& read) {
  if (read.end <= begin_ || read.position >= end_) return;
  ++depth_[std::max(read.position, begin_) - begin_];
  --depth_[std::min(read.end, end_) - begin_];
  std::uint32_t in_read = 0, position = read.position;
  for (const std::uint32_t op : read.cigar) {
    const std::uint32_t length = cigar_length(op);
    switch (cigar_op(op)) {
      case CigarOp::Match:
        add_match(reads, read, in_read, position, length);
        in_read += length;
        position += length;
        break;
      case CigarOp::Insertion: {
        const auto* codes = reinterpret_cast<const char*>(reads.codes_of(read) + in_read);
        add_indel({position, 0, std::string(codes, length)});
        in_read += length;
        break;
      }
      case CigarOp::Deletion:
        add_indel({position, length, {}});
        position += length;
        break;
      case CigarOp::SoftClip:
        if (length >= kLeastClip) add_clip(in_read == 0 ? position : position - 1);
        in_read += length;
        break;
      case CigarOp::HardClip:
        break;
    }
  }
}

void PileupBuilder::add_match(const CallReads& reads, const CallRead& read, std::uint32_t in_read,
                              std::uint32_t position, std::uint32_t length) {
  mask_.resize(length / 64 + 1);
  const std::uint8_t* codes = reads.codes_of(read) + in_read;
  const std::uint8_t* qualities = reads.qualities_of(read) + in_read;
  align_kernels().mismatches(codes, reference_.codes().data() + position, length, mask_.data());
  for (std::uint32_t word = 0; word * 64 < length; ++word) {
    for (std::uint64_t bits = mask_[word]; bits != 0; bits &= bits - 1) {
      const auto at = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      if (!inside(position + at) || codes[at] > 3 || qualities[at] < options_.least_quality)
        continue;
      ++bases_[position + at - begin_][codes[at]];
    }
  }
}

void PileupBuilder::add_clip(std::uint32_t position) {
  if (inside(position)) ++clips_[position - begin_];
}

void PileupBuilder::add_indel(Allele allele) {
  if (std::ranges::any_of(allele.added, [](char code) { return code > 3; })) return;
  normalise(allele, reference_, begin_);
  if (!inside(allele.position)) return;
  ++gaps_[allele.position - begin_];
  indels_.push_back(std::move(allele));
}

void PileupBuilder::emit_snvs(Pileup& out) {
  for (std::size_t i = 0; i < bases_.size(); ++i) {
    for (std::uint8_t code = 0; code < 4; ++code) {
      const std::uint32_t support = bases_[i][code];
      const auto depth = static_cast<std::uint32_t>(depth_[i]);
      if (support == 0 || !enough(support, depth)) continue;
      const auto position = begin_ + static_cast<std::uint32_t>(i);
      if (reference_.codes()[position] > 3) continue;
      out.candidates.push_back(
          {{position, 1, std::string(1, static_cast<char>(code))}, support, depth});
    }
  }
}

void PileupBuilder::emit_indels(Pileup& out) {
  std::ranges::sort(indels_);
  for (std::size_t i = 0; i < indels_.size();) {
    std::size_t same = i;
    while (same < indels_.size() && indels_[same] == indels_[i]) ++same;
    const auto support = static_cast<std::uint32_t>(same - i);
    const auto depth = static_cast<std::uint32_t>(depth_[indels_[i].position - begin_]);
    if (enough(support, depth) || depth <= options_.few_reads)
      out.candidates.push_back({indels_[i], support, depth});
    i = same;
  }
}

void PileupBuilder::emit_puzzles(Pileup& out) {
  for (std::uint32_t i = 0; i < clips_.size(); ++i) {
    const auto depth = static_cast<std::uint32_t>(depth_[i]);
    const std::uint32_t signs = clips_[i] + gaps_[i];
    if (signs < options_.least_support || signs < options_.least_share * depth) continue;
    const std::uint32_t at = begin_ + i;
    const std::uint32_t from = at < kPuzzleMargin ? 0 : at - kPuzzleMargin;
    if (!out.puzzles.empty() && from <= out.puzzles.back().end &&
        at + kPuzzleMargin - out.puzzles.back().begin <= kMostPuzzle)
      out.puzzles.back().end = at + kPuzzleMargin;
    else
      out.puzzles.push_back({from, at + kPuzzleMargin});
  }
}

void PileupBuilder::emit_columns(Pileup& out) const {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
  out.columns.resize(bases_.size());
  for (std::size_t i = 0; i < bases_.size(); ++i) {
    std::uint32_t others = gaps_[i];
    for (const std::uint16_t count : bases_[i]) others += count;
    const auto reads = static_cast<std::uint32_t>(depth_[i]);
    out.columns[i] = {static_cast<std::uint16_t>(std::min(reads, kMost)),
                      static_cast<std::uint16_t>(std::min({others, reads, kMost}))};
  }
}

}  // namespace aceso::genomics
