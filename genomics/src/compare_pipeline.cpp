#include "compare_pipeline.hpp"

#include "compare_lines.hpp"
#include "genotype_order.hpp"
#include "superloci.hpp"
#include "vcf_text_file.hpp"

#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aceso::genomics {
namespace {

/// The variants of one file, contig by contig.
class VariantSide {
 public:
  VariantSide(const std::filesystem::path& path, const Reference& reference, const CompareJob& job,
              bool is_truth, app::RunContext& context)
      : path_(path.string()),
        reference_(reference),
        warnings_(context.warnings),
        min_quality_(is_truth ? 0 : job.min_quality),
        use_filtered_(job.use_filtered),
        records_(path, reference, context.warnings,
                 {.sample = is_truth ? job.truth_sample : job.sample,
                  .score_field = is_truth ? "QUAL" : job.score_field,
                  .sample_option = is_truth ? "truth-sample" : "sample"}),
        is_truth_(is_truth) {
    advance();
  }

  /// The variants of a contig, sorted. What the file has before it is kept for its turn.
  std::vector<VariantPiece> take(std::uint32_t contig, const std::stop_token& stop) {
    if (const auto found = waiting_.find(contig); found != waiting_.end()) {
      std::vector<VariantPiece> out = std::move(found->second);
      waiting_.erase(found);
      return out;
    }
    while (more_) {
      const int here = record_.contig;
      std::vector<VariantPiece> pieces = read_contig(stop);
      if (here == static_cast<int>(contig)) return pieces;
      if (here >= 0) waiting_[static_cast<std::uint32_t>(here)] = std::move(pieces);
    }
    return {};
  }

  /// Fails if the file had records, but none on the reference.
  void check_contigs() const {
    if (left_out.other_contig > 0 && known_ == 0)
      fail(Errc::CorruptData, "{}: none of its contigs is in the reference: {}{}", path_,
           printable(first_unknown_), contig_hint(reference_, first_unknown_));
  }
  [[nodiscard]] const std::string& sample() const { return records_.sample(); }

  LeftOut left_out;

 private:
  void advance() { more_ = records_.next(record_); }

  std::vector<VariantPiece> read_contig(const std::stop_token& stop) {
    std::vector<VariantPiece> out;
    const std::string name = record_.contig_name;
    for (; more_ && record_.contig_name == name; advance()) {
      add(out);
      if (record_.number % 4096 == 0 && stop.stop_requested())
        fail(Errc::Cancelled, "{}: stopped", path_);
    }
    std::ranges::stable_sort(out, [](const VariantPiece& a, const VariantPiece& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    return out;
  }

  void add(std::vector<VariantPiece>& out) {
    if (record_.contig < 0) {
      if (first_unknown_.empty()) first_unknown_ = record_.contig_name;
      ++left_out.other_contig;
      warn("unknown_contig", "is on a contig that the reference lacks");
      return;
    }
    ++known_;
    if (!record_.passed && !use_filtered_) {
      ++left_out.filtered;
    } else if (min_quality_ > 0 && record_.quality < min_quality_) {
      ++left_out.low_quality;
    } else {
      cut(out);
    }
  }

  void cut(std::vector<VariantPiece>& out) {
    const auto contig = static_cast<std::uint32_t>(record_.contig);
    switch (cut_to_pieces(reference_.codes(contig), record_, out)) {
      case Unused::No:
        note_oddities();
        return;
      case Unused::Filtered:
        ++left_out.filtered;
        return;
      case Unused::NoGenotype:
        ++left_out.no_genotype;
        return;
      case Unused::ReferenceGenotype:
        ++left_out.reference_genotype;
        return;
      case Unused::Symbolic:
        ++left_out.symbolic;
        warn("symbolic_allele", "has an allele that is not spelled out in bases");
        return;
      case Unused::Polyploid:
        ++left_out.polyploid;
        warn("polyploid", fmt::format("has more than {} alleles in its genotype", kMostPloidy));
        return;
      case Unused::NoPlace:
        ++left_out.no_place;
        warn("no_place", "lies on no base of its contig");
        return;
    }
  }

  void note_oddities() {
    if (std::ranges::count(record_.genotype, kMissingAllele) > 0)
      warn("half_call", "has one allele missing; it is taken for the reference's");
    if (!is_truth_ && record_.score < 0)
      warn("no_score", "has no score; it comes last in the curve");
  }

  void warn(std::string_view kind, std::string_view what) {
    warnings_.add(fmt::format("compare.{}", kind),
                  fmt::format("{}: record {} ({}:{}) {}", path_, record_.number,
                              printable(record_.contig_name), record_.position + 1, what));
  }

  std::string path_;
  const Reference& reference_;
  Warnings& warnings_;
  double min_quality_;
  bool use_filtered_;
  VcfRecords records_;
  bool is_truth_;
  GenotypeRecord record_;
  bool more_ = false;
  std::uint64_t known_ = 0;
  std::string first_unknown_;
  std::map<std::uint32_t, std::vector<VariantPiece>> waiting_;
};

/// Where judged variants go, sorted.
class CompareWriter {
 public:
  CompareWriter(const CompareJob& job, const Reference& reference, CompareResult& result)
      : reference_(reference), result_(result) {
    if (job.annotated) {
      annotated_.emplace(*job.annotated);
      annotated_->write(annotated_header(reference));
    }
    if (job.errors) {
      errors_.emplace(*job.errors);
      errors_->write(errors_header());
    }
  }

  void write_contig(std::uint32_t contig, std::span<const VariantPiece> truth,
                    std::span<const VariantPiece> calls, const ContigJudgements& judged) {
    std::size_t t = 0, c = 0;
    std::vector<CompareError> pieces;
    while (t < truth.size() || c < calls.size()) {
      const bool from_truth =
          c == calls.size() || (t < truth.size() && truth[t].begin <= calls[c].begin);
      const VariantPiece& piece = from_truth ? truth[t] : calls[c];
      const Judgement& judgement = from_truth ? judged.truth[t++] : judged.calls[c++];
      result_.counts.add(from_truth, judgement);
      const bool miss = judgement.outcome == CompareOutcome::Miss;
      if (!annotated_ && !miss) continue;
      pieces.push_back(describe_piece(reference_, contig, piece, from_truth, judgement));
    }
    // A line's position is a base before the piece's where it needs an anchor.
    std::ranges::stable_sort(pieces, {}, &CompareError::position);
    for (const CompareError& piece : pieces) write(piece);
  }

  void commit() {
    std::uint64_t longest = 0;
    for (const Contig& contig : reference_.contigs())
      longest = std::max<std::uint64_t>(longest, contig.length);
    if (annotated_) annotated_->commit(longest);
    if (errors_) errors_->commit();
  }

 private:
  void write(const CompareError& piece) {
    if (annotated_) annotated_->write(annotated_line(piece));
    if (piece.judgement.outcome != CompareOutcome::Miss) return;
    if (errors_) errors_->write(errors_line(piece));
    if (result_.first_errors.size() < kShownErrors) result_.first_errors.push_back(piece);
  }

  const Reference& reference_;
  CompareResult& result_;
  std::optional<VcfTextFile> annotated_;
  std::optional<AtomicFile> errors_;
};

}  // namespace

CompareResult run_compare(const CompareJob& job, app::RunContext& context,
                          const CompareObserver& observer) {
  context.progress.stage("reference", 0, "bases");
  const OwnedReference owned = read_reference(job.reference, context.stop);
  const Reference& reference = owned.reference;
  const BedRegions regions =
      job.regions ? read_bed(*job.regions, reference, context.warnings) : BedRegions(reference);
  CompareResult result;
  result.region_bases = regions.base_count();
  VariantSide truth(job.truth, reference, job, true, context);
  VariantSide calls(job.calls, reference, job, false, context);
  CompareWriter writer(job, reference, result);
  context.progress.stage("variants", reference.base_count(), "bases");
  for (std::uint32_t contig = 0; contig < reference.contigs().size(); ++contig) {
    const std::vector<VariantPiece> true_pieces = truth.take(contig, context.stop);
    const std::vector<VariantPiece> called_pieces = calls.take(contig, context.stop);
    const ContigJudgements judged =
        judge_contig(reference.codes(contig), contig, regions, true_pieces, called_pieces,
                     context.threads, context.stop);
    writer.write_contig(contig, true_pieces, called_pieces, judged);
    if (observer) observer(called_pieces, judged.calls);
    result.counts.superloci += judged.superloci;
    result.counts.superloci_too_complex += judged.too_complex;
    context.progress.advance(reference.contigs()[contig].length);
  }
  truth.check_contigs();
  calls.check_contigs();
  writer.commit();
  context.progress.finish();
  result.left_out_truth = truth.left_out;
  result.left_out_calls = calls.left_out;
  result.truth_sample = truth.sample();
  result.sample = calls.sample();
  return result;
}

}  // namespace aceso::genomics
