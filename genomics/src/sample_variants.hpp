// The variants that a simulated sample has: read from a file, or drawn.
#pragma once

#include "simulate_job.hpp"
#include "variant_pieces.hpp"

#include "aceso/core/warnings.hpp"

#include <stop_token>

namespace aceso::genomics {

/// Variants per contig, sorted, none overlapping another on one haplotype. alleles[0] stands on
/// the first haplotype.
using SampleVariants = std::vector<std::vector<VariantPiece>>;

/// Draws variants over all bases that are known. Substitutions are transitions two times of three.
/// Lengths of indels fall with the power -1.8, as they do in people (Mills et al. 2006, Genome Res
/// 16:1182); half of them stand in runs of one base, where they change the run's length.
[[nodiscard]] SampleVariants draw_variants(const Reference& reference, const SimulateJob& job,
                                           const std::stop_token& stop);

/// Reads VCF or BCF of one sample, or a list of sites, of which a share is taken with genotypes
/// drawn: VCF without samples, or HISAT2's .snp (name, single | insertion | deletion, contig,
/// 0-based position, the bases or how many are deleted).
/// Overlapping variants and contigs that the reference lacks are warned of and left out.
/// \throws Error CorruptData naming the file and record or line; as VcfRecords does.
[[nodiscard]] SampleVariants read_variants(const Reference& reference, const SimulateJob& job,
                                           Warnings& warnings, const std::stop_token& stop);

}  // namespace aceso::genomics
