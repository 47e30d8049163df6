#include "reference_blocks.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace aceso::genomics {
namespace {

constexpr std::array kBands = {0, 1, 5, 10, 20, 30, 40, 50, 60, 80, 99};
// A read that says something else is an error of about this phred if the reference is right.
constexpr double kErrorCost = 27;
constexpr int kMostQuality = 99;

std::size_t band_of(int quality) {
  return static_cast<std::size_t>(std::ranges::upper_bound(kBands, quality) - kBands.begin());
}

/// Blocks under construction, base by base.
class BlockBuilder {
 public:
  explicit BlockBuilder(int ploidy) : ploidy_(ploidy) {}

  void add(std::uint32_t position, const ColumnDepth& column) {
    const int quality = reference_quality(column, ploidy_);
    const bool goes_on =
        !depths_.empty() && open_.end == position && band_of(quality) == band_of(open_.quality);
    if (!goes_on) {
      close();
      open_ = {position, position, 0, 0, quality, ploidy_};
    }
    open_.end = position + 1;
    open_.quality = std::min(open_.quality, quality);
    depths_.push_back(column.reads);
  }

  void close() {
    if (depths_.empty()) return;
    const auto middle = depths_.begin() + static_cast<std::ptrdiff_t>(depths_.size() / 2);
    std::ranges::nth_element(depths_, middle);
    open_.median_depth = *middle;
    open_.least_depth = *std::ranges::min_element(depths_);
    blocks.push_back(open_);
    depths_.clear();
  }

  std::vector<ReferenceBlock> blocks;

 private:
  int ploidy_;
  ReferenceBlock open_;
  std::vector<std::uint16_t> depths_;
};

}  // namespace

int reference_quality(const ColumnDepth& column, int ploidy) {
  const double agree = column.reads - column.others;
  // Against one copy of another allele each agreeing read comes from one of the p - 1 that are
  // left; against the only other allele of a haploid genome it is an error.
  const double each = ploidy == 1 ? kErrorCost : 10 * std::log10(ploidy / (ploidy - 1.0));
  const double margin = agree * each - column.others * kErrorCost;
  return std::clamp(static_cast<int>(std::lround(margin)), 0, kMostQuality);
}

std::vector<ReferenceBlock> reference_blocks(const Reference& reference,
                                             std::span<const ColumnDepth> columns,
                                             std::span<const VariantCall> calls,
                                             std::uint32_t begin, std::uint32_t end, int ploidy) {
  std::vector<bool> covered(end - begin, false);
  for (const VariantCall& call : calls) {
    for (std::size_t i = 0; i < call.reference.size(); ++i) {
      const std::uint64_t position = call.position + i;
      if (position >= begin && position < end) covered[position - begin] = true;
    }
  }
  BlockBuilder builder(ploidy);
  for (std::uint32_t position = begin; position < end; ++position) {
    if (covered[position - begin] || reference.codes()[position] >= kCodeN) continue;
    builder.add(position, columns[position - begin]);
  }
  builder.close();
  return std::move(builder.blocks);
}

}  // namespace aceso::genomics
