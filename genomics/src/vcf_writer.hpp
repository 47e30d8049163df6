// Writes variant calls as VCF 4.2 (samtools.github.io/hts-specs/VCFv4.2.pdf), plain or as BGZF with
// a tabix index.
#pragma once

#include "call_net.hpp"
#include "filter_model.hpp"
#include "reference_blocks.hpp"
#include "variant_call.hpp"
#include "vcf_text_file.hpp"

#include "aceso/genomics/reference.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aceso::genomics {

struct VcfOptions {
  std::string sample;
  double pass_quality = 20;  ///< calls below have the filter LowQual
  double most_strand_bias =
      40;                  ///< calls above have the filter StrandBias: one true call in 10,000
  bool blocks = false;     ///< the header of a gVCF
  bool polyploid = false;  ///< there may be calls of more than two copies
  /// Scores calls of one or two copies and decides which of them pass, instead of the two limits;
  /// null: none.
  std::shared_ptr<const FilterModel> model;
  /// Whose corrections, which the calls bring along, are added to the model's; null: none.
  std::shared_ptr<const CallNet> net;

  /// The least scores that pass, if there is a model.
  [[nodiscard]] const ScoreLimits& limits() const {
    return net ? net->scoring().limits : model->limits();
  }
};

/// A line with its newline, and whether its filter is PASS.
struct CalledLine {
  std::string text;
  bool passed = false;
};

/// The lines of some calls, one for each. Any thread.
[[nodiscard]] std::vector<CalledLine> vcf_lines(const Reference& reference,
                                                const std::vector<VariantCall>& calls,
                                                const VcfOptions& options);

/// The same as gVCF: each call with the allele <NON_REF>, and blocks without a variant between
/// them.
[[nodiscard]] std::string gvcf_lines(const Reference& reference,
                                     const std::vector<VariantCall>& calls,
                                     const std::vector<ReferenceBlock>& blocks,
                                     const VcfOptions& options);

/// \throws Error InvalidArgument if the name ends neither in .vcf nor in .vcf.gz.
void check_vcf_name(const std::filesystem::path& path);

class VcfWriter {
 public:
  /// The format is told by the ending: .vcf or .vcf.gz.
  /// \throws Error NotFound, Io, InvalidArgument (another ending).
  VcfWriter(const std::filesystem::path& path, const Reference& reference,
            const VcfOptions& options);

  void write(std::string_view lines) { file_.write(lines); }
  /// Ends the file, indexes it and gives both their names.
  void commit();

 private:
  VcfTextFile file_;
  std::uint64_t longest_contig_ = 0;
};

}  // namespace aceso::genomics
