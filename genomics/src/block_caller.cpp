#include "block_caller.hpp"

#include "call_evidence.hpp"
#include "call_pileup.hpp"

#include "syncmers.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace aceso::genomics {
namespace {

// Alleles whose reach comes this near belong to one block.
constexpr std::uint32_t kBlockGap = 12;
// What an assembled allele counts as at least, when some must be left out.
constexpr std::uint32_t kAssembledSupport = 3;
// So sure can no fragment be of the haplotype it is from.
constexpr int kMostFragmentCost = 45;

/// Bases an allele touches, with the room it can be moved in.
std::uint32_t reach_begin(const Allele& allele) { return allele.position - 1; }
std::uint32_t reach_end(const Allele& allele, const Reference& reference) {
  return allele.end() + room_right(allele, reference) + 1;
}

CostTable by_fragment(const CallReads& all, const ReadTable& table, std::size_t haplotypes) {
  std::map<std::uint64_t, std::pair<std::vector<int>, int>> fragments;
  for (std::size_t r = 0; r < table.reads.size(); ++r) {
    const CallRead& read = all.reads[table.reads[r]];
    auto& [costs, quality] = fragments[read.fragment];
    costs.resize(haplotypes);
    for (std::size_t h = 0; h < haplotypes; ++h) costs[h] += table.costs[r][h];
    quality = std::max<int>(quality, read.mapping_quality);
  }
  CostTable out(haplotypes);
  for (auto& [number, fragment] : fragments)
    out.add(std::move(fragment.first), std::min(kMostFragmentCost, fragment.second));
  return out;
}

std::string letters(std::string_view codes) {
  std::string out;
  for (const char code : codes) out += base_of_code(static_cast<std::uint8_t>(code));
  return out;
}

std::string letters(const Reference& reference, std::uint32_t begin, std::uint32_t end) {
  std::string out;
  for (std::uint32_t i = begin; i < end; ++i) out += base_of_code(reference.codes()[i]);
  return out;
}

/// Where a VCF line of the allele begins: an indel takes the base in front of it along.
std::uint32_t line_position(const Allele& allele) {
  return allele.removed == 0 || allele.added.empty() ? allele.position - 1 : allele.position;
}

/// The alleles of a set by line: of one position, and either all indels or all of one size.
std::vector<Site> sites_of(std::span<const Allele> alleles, AlleleSet set) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Site> sites;
  for (std::size_t i = 0; i < alleles.size(); ++i) {
    if ((set >> i & 1) == 0) continue;
    const std::uint32_t kind = alleles[i].is_indel() ? 0 : alleles[i].removed;
    sites[{line_position(alleles[i]), kind}].alleles.push_back(i);
  }
  std::vector<Site> out;
  for (auto& [key, site] : sites) out.push_back(std::move(site));
  return out;
}

/// REF and ALT of a site.
void write_alleles(const Reference& reference, std::span<const Allele> alleles, const Site& site,
                   VariantCall& call) {
  call.position = line_position(alleles[site.alleles[0]]);
  std::uint32_t end = call.position + 1;
  for (const std::size_t a : site.alleles) end = std::max(end, alleles[a].end());
  call.reference = letters(reference, call.position, end);
  for (const std::size_t a : site.alleles) {
    const Allele& allele = alleles[a];
    call.alternatives.push_back(letters(reference, call.position, allele.position) +
                                letters(allele.added) + letters(reference, allele.end(), end));
  }
}

/// Two heterozygous calls or more of one block are told as they stand on the haplotypes.
void phase(std::vector<VariantCall>& calls) {
  const bool phased = std::ranges::count_if(calls, &VariantCall::heterozygous) > 1;
  for (VariantCall& call : calls) {
    if (phased)
      call.phase_set = calls.front().position;
    else
      std::ranges::sort(call.genotype);
  }
}

/// What is not called is the reference, as surely as its quality is low.
void tell_as_reference(VariantCall& call) {
  std::ranges::fill(call.genotype, 0);
  const double wrong = 1 - std::pow(10.0, -call.quality / 10);
  call.genotype_quality = wrong > 0 ? std::clamp(-10 * std::log10(wrong), 0.0, 99.0) : 99;
}

double prior_of(const Allele& allele, const Reference& reference, const Priors& priors) {
  if (!allele.is_indel()) return Priors::kSnv;
  const RepeatChange change = repeat_change(allele, reference, GapCosts::kMostUnit);
  if (change.unit == 0 || change.copies <= GapCosts::free_copies(change.unit))
    return Priors::kIndel;
  return priors.indel(change.unit, change.copies, change.units);
}

std::vector<double> priors_of(std::span<const Allele> alleles, const Reference& reference,
                              const Priors& priors) {
  std::vector<double> out;
  for (const Allele& allele : alleles) out.push_back(prior_of(allele, reference, priors));
  return out;
}

}  // namespace

BlockCaller::BlockCaller(const Reference& reference, CallOptions options)
    : reference_(reference),
      options_(std::move(options)),
      pileup_builder_(reference, options_.pileup),
      assembler_(reference, options_.assembly) {}

std::vector<std::uint32_t> BlockCaller::reads_over(const CallReads& reads, std::uint32_t begin,
                                                   std::uint32_t end) const {
  const std::uint32_t from = begin - std::min(begin, reads.longest);
  const auto first = std::ranges::lower_bound(reads.reads, from, {}, &CallRead::position);
  std::vector<std::uint32_t> out;
  for (auto read = first; read != reads.reads.end() && read->position < end + reads.longest;
       ++read) {
    if (read->left < end && read->right > begin)
      out.push_back(static_cast<std::uint32_t>(read - reads.reads.begin()));
  }
  if (out.size() <= options_.most_reads) return out;
  // Very deep: a share of the fragments, chosen by their numbers alone.
  std::ranges::sort(out, {}, [&](std::uint32_t r) { return mix(reads.reads[r].fragment); });
  out.resize(options_.most_reads);
  std::ranges::sort(out);
  return out;
}

void BlockCaller::add_assembled(const CallReads& reads, Pileup& pileup) {
  for (const Puzzle& puzzle : pileup.puzzles) {
    const std::vector<std::uint32_t> over = reads_over(reads, puzzle.begin, puzzle.end);
    for (Allele& allele : assembler_.assemble(reads, over, puzzle.begin, puzzle.end)) {
      const auto known = std::ranges::find(pileup.candidates, allele, &CandidateAllele::allele);
      if (known != pileup.candidates.end())
        known->support = std::max(known->support, kAssembledSupport);
      else
        pileup.candidates.push_back(
            {std::move(allele), kAssembledSupport, static_cast<std::uint32_t>(over.size())});
    }
  }
  std::ranges::sort(pileup.candidates, {}, &CandidateAllele::allele);
}

std::vector<BlockCaller::Block> BlockCaller::blocks_of(const Pileup& pileup) const {
  std::vector<Block> out;
  for (const CandidateAllele& candidate : pileup.candidates) {
    const std::uint32_t begin = reach_begin(candidate.allele);
    const std::uint32_t end = reach_end(candidate.allele, reference_);
    if (out.empty() || begin > out.back().end + kBlockGap) out.push_back({begin, end, {}});
    out.back().end = std::max(out.back().end, end);
    out.back().alleles.push_back(candidate);
  }
  return out;
}

BucketCalls BlockCaller::call(const CallReads& reads, std::uint32_t begin, std::uint32_t end,
                              const PloidyMap& ploidy) {
  Pileup pileup;
  const std::uint32_t first = begin - std::min(begin, kMargin);
  const auto size = static_cast<std::uint32_t>(reference_.codes().size());
  pileup_builder_.build(reads, first, std::min(end + kMargin, size), pileup);
  add_assembled(reads, pileup);
  BucketCalls out;
  for (const Block& block : blocks_of(pileup)) {
    const int copies = ploidy.at(block.alleles.front().allele.position);
    if (block.end >= begin && block.begin <= end && copies > 0)
      call_block(reads, block, copies, out);
  }
  std::ranges::stable_sort(out.variants, {}, &VariantCall::position);
  // A block across the border is called on both sides; each side tells of the calls that begin
  // there, and knows which of its bases the others cover.
  const auto elsewhere = [&](const VariantCall& c) {
    return c.position < begin || c.position >= end;
  };
  std::vector<VariantCall> all = out.variants;
  all.insert(all.end(), out.weak.begin(), out.weak.end());
  std::erase_if(out.variants, elsewhere);
  std::erase_if(out.weak, elsewhere);
  if (options_.pileup.keep_columns)
    out.blocks = blocks_between(
        std::span<const ColumnDepth>(pileup.columns).subspan(begin - first, end - begin), all,
        begin, end, ploidy);
  return out;
}

/// The blocks without a variant of [begin, end), where `columns` begin; `calls` may lie beside it.
std::vector<ReferenceBlock> BlockCaller::blocks_between(std::span<const ColumnDepth> columns,
                                                        std::span<const VariantCall> calls,
                                                        std::uint32_t begin, std::uint32_t end,
                                                        const PloidyMap& ploidy) const {
  std::vector<ReferenceBlock> out;
  // A bucket may hold several contigs, and stretches of different ploidy.
  for (std::uint64_t at = begin; at < end;) {
    const PloidyStretch& stretch = ploidy.stretch_at(at);
    const auto from = static_cast<std::uint32_t>(at);
    const auto to = static_cast<std::uint32_t>(std::min<std::uint64_t>(end, stretch.end));
    at = to;
    if (stretch.ploidy == 0) continue;
    const std::vector<ReferenceBlock> blocks = reference_blocks(
        reference_, columns.subspan(from - begin, to - from), calls, from, to, stretch.ploidy);
    out.insert(out.end(), blocks.begin(), blocks.end());
  }
  return out;
}

/// The alleles that most reads show, in order of place.
std::vector<CandidateAllele> BlockCaller::chosen(const Block& block, std::size_t most) {
  std::vector<CandidateAllele> out = block.alleles;
  if (out.size() <= most) return out;
  std::ranges::stable_sort(out, std::ranges::greater{}, &CandidateAllele::support);
  out.resize(most);
  std::ranges::sort(out, {}, &CandidateAllele::allele);
  return out;
}

ReadTable BlockCaller::cost_reads(const CallReads& all, const Block& block,
                                  std::span<const Allele> alleles,
                                  std::span<const AlleleSet> sets) const {
  ReadTable table;
  table.reads = reads_over(all, block.begin, block.end);
  // Haplotypes reach as far as the reads, but not out of the contig.
  std::int64_t left = block.begin, right = block.end;
  for (const std::uint32_t r : table.reads) {
    left = std::min(left, all.reads[r].left);
    right = std::max(right, all.reads[r].right);
  }
  const Contig& contig = reference_.contigs()[reference_.contig_at(alleles[0].position)];
  const auto first = static_cast<std::int64_t>(contig.begin);
  const auto begin = static_cast<std::uint32_t>(std::max(left, first));
  const auto end = static_cast<std::uint32_t>(std::min(right, first + contig.length));
  table.costs.assign(table.reads.size(), std::vector<int>(sets.size()));
  for (std::size_t h = 0; h < sets.size(); ++h) {
    std::vector<const Allele*> on;
    for (std::size_t a = 0; a < alleles.size(); ++a) {
      if ((sets[h] >> a & 1) != 0) on.push_back(&alleles[a]);
    }
    const Haplotype haplotype(reference_, begin, end, std::move(on), options_.gaps);
    for (std::size_t r = 0; r < table.reads.size(); ++r)
      table.costs[r][h] = haplotype.cost(all, all.reads[table.reads[r]]);
  }
  return table;
}

void BlockCaller::call_block(const CallReads& all, const Block& block, int ploidy,
                             BucketCalls& out) {
  const std::vector<CandidateAllele> candidates = chosen(block, options_.most_alleles);
  std::vector<Allele> alleles;
  for (const CandidateAllele& c : candidates) alleles.push_back(c.allele);
  std::vector<std::size_t> order(alleles.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return candidates[i].support; });
  const std::vector<AlleleSet> sets =
      haplotype_sets(alleles, order, most_haplotypes(ploidy, options_.most_haplotypes));
  const ReadTable table = cost_reads(all, block, alleles, sets);
  if (table.reads.empty()) return;

  const GenotypeTable genotypes(by_fragment(all, table, sets.size()), sets,
                                priors_of(alleles, reference_, options_.priors), ploidy);
  const std::vector<AlleleSet> copies = genotypes.best();
  AlleleSet seen = 0;
  for (const AlleleSet set : copies) seen |= set;
  const auto call_of = [&](const Site& site) {
    const SiteCall found = genotypes.call(site);
    VariantCall call;
    write_alleles(reference_, alleles, site, call);
    call.quality = found.quality;
    call.genotype_quality = found.genotype_quality;
    call.likelihoods = found.likelihoods;
    for (const AlleleSet set : copies) call.genotype.push_back(site.number_on(set));
    weigh_reads(reference_, all, table, votes_of(table, sets, site), alleles, site, call);
    return call;
  };
  std::vector<VariantCall> calls, weak;
  std::vector<Site> told;
  for (const Site& site : sites_of(alleles, seen)) {
    VariantCall call = call_of(site);
    if (call.quality < options_.least_quality) {
      weak.push_back(std::move(call));
      continue;
    }
    calls.push_back(std::move(call));
    told.push_back(site);
  }
  phase(calls);
  for (std::size_t i = 0; i < calls.size() && options_.wants_pileup; ++i) {
    if (!options_.wants_pileup(calls[i])) continue;
    calls[i].pileup = pileup_of(reference_, all, table.reads, votes_of(table, sets, told[i]),
                                alleles[told[i].alleles[0]].position);
  }
  if (options_.pileup.keep_columns) {
    const AlleleSet every =
        alleles.size() < kMostAlleles ? (AlleleSet{1} << alleles.size()) - 1 : ~AlleleSet{0};
    for (const Site& site : sites_of(alleles, every & ~seen)) weak.push_back(call_of(site));
    add_weak(std::move(weak), calls, out);
  }
  std::ranges::move(calls, std::back_inserter(out.variants));
}

/// Takes those of a block that may be there after all, unless their bases are told of already.
void BlockCaller::add_weak(std::vector<VariantCall> found, std::span<const VariantCall> calls,
                           BucketCalls& out) const {
  std::ranges::stable_sort(found, {}, &VariantCall::position);
  const auto overlap = [](const VariantCall& a, const VariantCall& b) {
    return a.position < b.position + b.reference.size() &&
           b.position < a.position + a.reference.size();
  };
  const auto unsure = [&](const VariantCall& call) {
    // (An allele that no read tells from the others fits as well as they do, whatever it is.)
    return call.strands[2] + call.strands[3] >= options_.pileup.least_support &&
           *std::ranges::min_element(call.likelihoods.begin() + 1, call.likelihoods.end()) <=
               options_.weak_likelihood;
  };
  for (VariantCall& call : found) {
    const auto taken = [&](const VariantCall& other) { return overlap(call, other); };
    if (!unsure(call) || std::ranges::any_of(calls, taken) ||
        (!out.weak.empty() && taken(out.weak.back())))
      continue;
    out.weak.push_back(std::move(call));
    tell_as_reference(out.weak.back());
  }
}

}  // namespace aceso::genomics
