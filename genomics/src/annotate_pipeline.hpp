// Annotates a file of variants line by line.
#pragma once

#include "annotate_job.hpp"
#include "consequence.hpp"

#include "aceso/app/app.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

/// An allele whose gravest effect is worth a look.
struct NotableAllele {
  Effect effect = Effect::Intergenic;
  std::string contig, reference, alternative, id, gene, transcript, amino_acids;
  std::uint32_t position = 0;  ///< 1-based
};
inline constexpr std::size_t kNotableAlleles = 200;

struct TrackFigures {
  std::string file;
  std::vector<std::string> columns;
  std::uint64_t alleles = 0;  ///< of the variants that the track knows
};

struct AnnotateResult {
  std::uint64_t records = 0, alleles = 0, symbolic = 0;
  std::uint64_t joint = 0;                                   ///< entries of HCSQ
  std::array<std::uint64_t, kEffectNames.size()> gravest{};  ///< alleles by their gravest effect
  std::array<std::uint64_t, kEffectNames.size()> effects{};  ///< allele and transcript pairs
  std::uint64_t transcripts = 0, coding_transcripts = 0;
  std::vector<TrackFigures> tracks;
  std::vector<NotableAllele> notable;  ///< the gravest first, of those by place
};

/// \throws Error as VcfLines, read_genes and read_reference do; CorruptData where REF is not what
///         the reference has; InvalidArgument if genes come without a reference.
[[nodiscard]] AnnotateResult run_annotate(const AnnotateJob& job, app::RunContext& context);

}  // namespace aceso::genomics
