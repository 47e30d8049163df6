// A line of a VCF while it is annotated.
#pragma once

#include "joint_consequence.hpp"
#include "normal_allele.hpp"
#include "phased_genotypes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// What a line gets in INFO.
struct InfoUpdate {
  std::string_view key;  ///< of what outlives the line
  std::string value;
  bool flag = false;  ///< there is no value
};

/// An alternative and what is known of it.
struct AlleleWork {
  std::string_view text;  ///< of the line
  std::optional<NormalAllele> normal;
  Effects effects;                   ///< the gravest on each transcript
  const Transcript* told = nullptr;  ///< of the gravest of all
  std::string amino_acids;           ///< there
};

/// A line under way. Used again for others, so that their memory is; it stays where it is.
struct LineWork {
  VcfLine line;
  int contig = -1;  ///< of the reference
  std::vector<AlleleWork> alleles;
  std::vector<InfoUpdate> updates;
  std::vector<std::string> ids;
  std::vector<Effects> pairs;  ///< of each allele on each transcript
  std::string consequences;    ///< BCSQ
  std::vector<CodingAllele> coding;
  PhasedGenotypes genotypes;         ///< read if there are coding alleles
  std::string joint;                 ///< HCSQ
  std::string names, genomic_names;  ///< HGVS, HGVSG

  void clear();
};

/// Appends `text` with '_' for what separates fields of BCSQ or of INFO.
void append_safe(std::string& out, std::string_view text);

/// Appends "missense|gene|transcript|biotype|+".
void append_consequence(std::string& out, Effects effects, const Transcript& transcript);

/// Appends "100A>T", as the line writes it.
void append_dna_change(std::string& out, const VcfLine& line, std::string_view alternative);

/// Appends the identifiers of a column and those found that it lacks.
void append_ids(std::string& out, std::string_view old, const std::vector<std::string>& found);

/// Appends the line with what it got, and its end. Of updates of the same key the last one counts.
void append_line(std::string& out, const LineWork& work);

}  // namespace aceso::genomics
