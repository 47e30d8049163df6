// Transcripts of genes, from GFF3 or GTF.
#pragma once

#include "aceso/genomics/reference.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace aceso::genomics {

/// Bases of a contig, 0-based, half open.
struct Span {
  std::uint32_t begin = 0, end = 0;

  [[nodiscard]] std::uint32_t size() const noexcept { return end - begin; }
  friend bool operator==(const Span&, const Span&) = default;
};

struct Transcript {
  std::string id, gene, biotype;
  bool reverse = false;
  std::uint32_t begin = 0, end = 0;
  std::vector<Span> exons;   ///< rising, apart; at least one
  std::vector<Span> coding;  ///< likewise, the stop codon included; empty: not coding
  std::uint32_t phase = 0;   ///< bases in front of the first whole codon

  [[nodiscard]] std::uint32_t coding_begin() const { return coding.front().begin; }
  [[nodiscard]] std::uint32_t coding_end() const { return coding.back().end; }
};

/// The transcripts of a contig, findable by place.
class TranscriptIndex {
 public:
  TranscriptIndex() = default;
  explicit TranscriptIndex(std::vector<Transcript> transcripts);

  [[nodiscard]] const std::vector<Transcript>& all() const noexcept { return transcripts_; }
  /// Calls `use(transcript)` for those that overlap [begin, end), in order of their beginnings.
  template <typename Use>
  void for_overlapping(std::uint32_t begin, std::uint32_t end, const Use& use) const {
    for (std::size_t i = first_reaching(begin); i < transcripts_.size(); ++i) {
      if (transcripts_[i].begin >= end) break;
      if (transcripts_[i].end > begin) use(transcripts_[i]);
    }
  }

 private:
  /// The first transcript such that none before it ends behind `begin`.
  [[nodiscard]] std::size_t first_reaching(std::uint32_t begin) const;

  std::vector<Transcript> transcripts_;      ///< by beginning
  std::vector<std::uint32_t> furthest_end_;  ///< of the transcripts up to each
};

struct GeneModels {
  std::vector<TranscriptIndex> by_contig;  ///< of the reference
  std::uint64_t transcripts = 0, coding = 0;
};

/// Reads GFF3 (as of Ensembl, GENCODE, RefSeq) or GTF, plain or compressed, in any order of lines.
/// Features that are exons, CDS, UTRs or codons belong to the transcript that they name as parent
/// or transcript_id. Contigs the reference calls by the other of two names (chr1 and 1) are taken.
/// \throws Error CorruptData naming the file and line: fewer than nine columns, no numbers, an end
///         before its beginning or behind the contig's, no transcript on any contig of the
///         reference; NotFound, Io.
[[nodiscard]] GeneModels read_genes(const std::filesystem::path& path, const Reference& reference,
                                    Warnings& warnings);

}  // namespace aceso::genomics
