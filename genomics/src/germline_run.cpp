#include "germline_run.hpp"

#include "align_reads.hpp"
#include "align_report.hpp"
#include "call_figures.hpp"
#include "call_variants.hpp"
#include "kept_table.hpp"
#include "learn_repeats.hpp"
#include "read_alignments.hpp"
#include "recalibrate_reads.hpp"
#include "report_figures.hpp"
#include "steps.hpp"
#include "write_alignments.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace aceso::genomics {
namespace {

// Buckets called in one step: four megabases.
constexpr std::size_t kPieceBuckets = 16;

void report_calls(const CallCounts& counts, app::RunContext& context) {
  context.metric("variants.passed", counts.passed);
  context.metric("variants.snv", counts.snv);
  context.metric("variants.indel", counts.indel);
  context.metric("variants.heterozygous", counts.heterozygous);
  context.metric("variants.homozygous", counts.homozygous);
  context.metric("variants.ti_tv", ratio(counts.transitions, counts.transversions));
  context.metric("variants.het_hom", ratio(counts.heterozygous, counts.homozygous));
  app::Report& report = context.report;
  report.section("Variants", "Calls that passed.");
  report.figure("single-base variants", static_cast<std::int64_t>(counts.snv));
  report.figure("insertions and deletions", static_cast<std::int64_t>(counts.indel));
  report.figure("transitions to transversions", ratio(counts.transitions, counts.transversions));
  report.figure("heterozygous to homozygous", ratio(counts.heterozygous, counts.homozygous));
}

void check_net(const GermlineJob& job) {
  if (job.net == "off" && job.filter_net)
    fail(Errc::InvalidArgument, "filter_net is given, but net is off; set it on");
  if (job.net == "off") return;
  if (job.hard_filter)
    fail(Errc::InvalidArgument, "the net corrects the learnt filter, which hard_filter turns off");
  if (job.filter_model.has_value() != job.filter_net.has_value())
    fail(Errc::InvalidArgument,
         "a filter and its net are trained together: give both filter_model and filter_net, or "
         "neither");
}

void check_germline_job(const GermlineJob& job) {
  if (job.ploidy > 2 && job.filter_model)
    fail(Errc::InvalidArgument,
         "filter_model judges calls of one or two copies; with ploidy {} calls pass by limits of "
         "quality and strand bias",
         job.ploidy);
  check_net(job);
  if (!job.aligned) {
    if (job.reads.empty())
      fail(Errc::InvalidArgument, "give reads (FASTQ) or aligned (BAM, CRAM, SAM)");
    check_align_job(job);
    return;
  }
  if (!job.reads.empty() || !job.reads2.empty())
    fail(Errc::InvalidArgument, "reads and aligned are both given; one of them is called");
  if (job.alignments)
    fail(Errc::InvalidArgument,
         "alignments are written of reads only; those of aligned are there already");
  if (job.original_qualities)
    fail(Errc::InvalidArgument,
         "original_qualities are kept in alignments, which are written of reads only");
}

/// A genome, from its index or from its FASTA file.
struct Genome {
  std::optional<SeedIndex> index;
  OwnedReference owned;

  [[nodiscard]] const Reference& reference() const {
    return index ? index->reference() : owned.reference;
  }
};

/// Reads that are aligned already need no seeds: an index is taken if there is one, not made.
Genome open_genome(const GermlineJob& job, const app::RunContext& context) {
  const std::filesystem::path path = index_path(job.reference);
  if (!job.aligned) return {open_or_build_index(job.reference, context.threads, context.stop), {}};
  if (SeedIndex::is_current(path, job.reference)) return {SeedIndex::open(path), {}};
  return {std::nullopt, read_reference(job.reference, context.stop)};
}

/// An allele of one copy in many is shown by few reads: half of those expected are enough.
void set_least_share(int ploidy, CallOptions& options) {
  const double expected = 1.0 / std::max(ploidy, 1);
  options.pileup.least_share = std::min(options.pileup.least_share, expected / 2);
  options.assembly.least_share = std::min(options.assembly.least_share, expected * 0.4);
}

CallShop make_shop(const GermlineJob& job, const Reference& reference, app::RunContext& context) {
  // (Not within the braces below: what throws there is undone twice by some compilers.)
  PloidyMap ploidy = ploidy_map(reference,
                                {.ploidy = job.ploidy,
                                 .haploid_contigs = job.haploid_contigs,
                                 .sex = job.sex,
                                 .file = job.ploidy_file},
                                context.warnings);
  CallShop shop{
      .reference = reference, .call = {}, .vcf = {}, .ploidy = std::move(ploidy), .regions = {}};
  set_least_share(shop.ploidy.most(), shop.call);
  shop.vcf.polyploid = shop.ploidy.most() > 2;
  if (job.regions) shop.regions = read_bed(*job.regions, reference, context.warnings);
  shop.call.filter.least_mapping_quality = static_cast<std::uint8_t>(job.least_mapping_quality);
  shop.call.least_quality = job.least_quality;
  shop.vcf.sample = job.sample;
  shop.vcf.pass_quality = job.pass_quality;
  if (job.filter_model)
    shop.vcf.model = FilterModel::open(*job.filter_model);
  else if (!job.hard_filter)
    shop.vcf.model = FilterModel::built_in();
  shop.call.pileup.keep_columns = job.gvcf.has_value();
  shop.keep_pileups = job.pileups.has_value();
  if (job.net == "on")
    shop.vcf.net = job.filter_net ? CallNet::open(*job.filter_net) : CallNet::built_in();
  if (shop.keep_pileups)
    shop.call.wants_pileup = [](const VariantCall&) { return true; };
  else if (shop.vcf.net)
    shop.call.wants_pileup = [trees = shop.vcf.model, net = shop.vcf.net](const VariantCall& c) {
      return c.ploidy() <= 2 && net->asks(trees->log_odds(features_of(c, figures_of(c))));
    };
  return shop;
}

AlignmentFileOptions file_options(const GermlineJob& job, const app::RunContext& context) {
  return {.sample = job.sample,
          .threads = context.threads,
          .scratch = context.scratch,
          .only = {},
          .read_groups = job.recalibrate};
}

/// Calls the sample as its file does, unless the job names it.
void take_sample(const GermlineJob& job, const std::string& told, CallShop& shop) {
  if (job.sample == GermlineJob{}.sample && !told.empty()) shop.vcf.sample = told;
}

/// Whether only the records that the regions need are read. (A pipe is read once: all of it.)
bool reads_regions_only(const GermlineJob& job, const CallShop& shop) {
  return job.aligned && shop.regions && std::filesystem::is_regular_file(*job.aligned);
}

/// The records to be called; the sample's name becomes that of the file, unless one is given.
SortedReads reads_of(const GermlineJob& job, const Genome& genome, CallShop& shop,
                     app::RunContext& context) {
  if (!job.aligned) return align_reads(job, *genome.index, job.alignments.has_value(), context);
  AlignmentFileOptions options = file_options(job, context);
  if (reads_regions_only(job, shop))
    options.only = intervals_to_read(genome.reference(), *shop.regions);
  ReadAlignments read =
      read_alignments(*job.aligned, genome.reference(), options, job.memory, context);
  take_sample(job, read.sample, shop);
  return std::move(read.reads);
}

/// What the reads say of their qualities, all of them, whichever are called: so that calls depend
/// on neither regions nor steps. `reads` is null if not all are at hand: the file is read for it.
std::shared_ptr<const Recalibration> learn_qualities(
    const GermlineJob& job, SortedReads* reads, const Reference& reference,
    const std::optional<std::filesystem::path>& kept, app::RunContext& context) {
  const auto count = [&] {
    if (reads != nullptr) return count_base_errors(*reads, reference, context);
    SortedReads all =
        read_alignments(*job.aligned, reference, file_options(job, context), job.memory, context)
            .reads;
    return count_base_errors(all, reference, context);
  };
  return learn_recalibration(job, count, kept, context);
}

/// What the reads of the genome, or of a part of it that regions do not change, tell of repeats.
/// `reads` is null if not all are at hand: those of the file that are needed are read then.
RepeatTable counted_repeats(const GermlineJob& job, SortedReads* reads, const CallShop& shop,
                            app::RunContext& context) {
  if (reads != nullptr) return count_repeats(*reads, shop.reference, shop.call.filter, context);
  AlignmentFileOptions options = file_options(job, context);
  options.only = intervals_to_learn_from(shop.reference);
  SortedReads sample =
      read_alignments(*job.aligned, shop.reference, options, job.memory, context).reads;
  return count_repeats(sample, shop.reference, shop.call.filter, context);
}

/// Has gaps weighed by what the reads tell, if the job asks for it. `kept` is where the counts are
/// kept among the steps of a run.
std::optional<RepeatTable> learn_repeats(const GermlineJob& job, SortedReads* reads,
                                         const std::optional<std::filesystem::path>& kept,
                                         CallShop& shop, app::RunContext& context) {
  if (job.repeat_errors != "learn") return std::nullopt;
  RepeatTable table = kept_or_counted<RepeatTable>(
      kept, [&] { return counted_repeats(job, reads, shop, context); });
  const RepeatModel model = table.model(std::max(shop.ploidy.most(), 1));
  shop.call.gaps = costs_of(model);
  shop.call.priors = priors_of(model);
  return table;
}

/// The files of calls that a job asks for.
class CallFiles {
 public:
  CallFiles(const GermlineJob& job, const CallShop& shop) {
    if (job.variants) variants_.emplace(*job.variants, shop.reference, shop.vcf);
    if (!job.gvcf) return;
    VcfOptions options = shop.vcf;
    options.blocks = true;
    gvcf_.emplace(*job.gvcf, shop.reference, options);
  }
  void write(std::string_view lines, std::string_view gvcf_lines) {
    if (variants_) variants_->write(lines);
    if (gvcf_) gvcf_->write(gvcf_lines);
  }
  void commit() {
    if (variants_) variants_->commit();
    if (gvcf_) gvcf_->commit();
  }

 private:
  std::optional<VcfWriter> variants_, gvcf_;
};

/// What a report tells of calls and reads.
struct CallSums {
  CallCounts counts;
  CallPlots plots;
  RecordFigures figures;

  void add(const CalledBucket& bucket) {
    counts.add(bucket.counts);
    plots.merge(bucket.plots);
  }
};

/// `aligned` is not told by runs in steps of reads that were aligned already.
void report_sums(const CallSums& sums, const std::optional<AlignFigures>& aligned,
                 const Reference& reference, app::RunContext& context) {
  report_calls(sums.counts, context);
  sums.plots.report(context.report);
  if (aligned)
    report_alignment(*aligned, context);
  else
    context.report.section("Aligned reads");
  sums.figures.report(reference, context.report);
}

/// Where the buckets of a graph go on their way, and their calls in order.
struct CallSinks {
  std::function<void(const CalledBucket&)> take;
  SamWriter* alignments = nullptr;
  RecordFigures* figures = nullptr;
};

/// Buckets from `begin` to in front of `end`.
struct BucketRange {
  std::size_t begin = 0, end = std::numeric_limits<std::size_t>::max();
};

/// Calls those of `range` that `sorting` hands out.
void call_buckets(graph::Graph& g, const graph::NodeRef<SortBuckets>& sorting, const CallShop& shop,
                  const BucketRange& range, const CallSinks& sinks, app::RunContext& context) {
  auto tasks = g.add("tasks", MakeTasks{.writer = sinks.alignments,
                                        .figures = sinks.figures,
                                        .first = range.begin,
                                        .last = range.end,
                                        .before = nullptr,
                                        .own = nullptr});
  auto call = g.add("call", CallVariants{.shop = &shop, .caller = nullptr, .reads = nullptr},
                    {.copies = context.threads});
  auto write = g.add("write", TakeCalls{.take = &sinks.take, .progress = &context.progress});
  // Few buckets at a time: each may be large.
  g.connect(sorting, &SortBuckets::out, tasks, &MakeTasks::in, graph::block(2));
  g.connect(tasks, &MakeTasks::out, call, &CallVariants::in);
  g.connect(call, &CallVariants::out, write, &TakeCalls::in);
  g.run({.threads = context.threads, .stop = context.stop});
}

void run_in_one_pass(const GermlineJob& job, app::RunContext& context) {
  context.progress.stage("index", 0, "bases");
  const Genome genome = open_genome(job, context);
  const Reference& reference = genome.reference();
  std::optional<SamWriter> alignments = open_alignments(job, reference, context);
  CallShop shop = make_shop(job, reference, context);
  SortedReads reads = reads_of(job, genome, shop, context);
  SortedReads* const all = reads_regions_only(job, shop) ? nullptr : &reads;
  const auto recalibration = learn_qualities(job, all, reference, std::nullopt, context);
  apply_recalibration(job, recalibration, reads);
  const auto repeats = learn_repeats(job, all, std::nullopt, shop, context);
  CallFiles files(job, shop);
  CallSums sums;
  context.progress.stage("call", reads.record_count(), "reads");
  graph::Graph g;
  const auto sorting = reads.add_sorting(g, context.threads);
  CallPileups pileups;
  const CallSinks sinks{.take =
                            [&](const CalledBucket& bucket) {
                              files.write(bucket.lines, bucket.gvcf_lines);
                              sums.add(bucket);
                              pileups.append(bucket.pileups);
                            },
                        .alignments = alignments ? &*alignments : nullptr,
                        .figures = &sums.figures};
  call_buckets(g, sorting, shop, {}, sinks, context);
  reads.note_duplicates(sorting);
  if (alignments) alignments->commit();
  files.commit();
  if (job.pileups) write_pileups(*job.pileups, pileups);
  context.progress.finish();
  report_sums(sums, reads.figures(), reference, context);
  report_recalibration(recalibration.get(), context);
  if (repeats) report_repeats(*repeats, std::max(shop.ploidy.most(), 1), context);
}

// In steps.

std::filesystem::path work_of(const GermlineJob& job) {
  if (job.work) return *job.work;
  for (const auto& output : {job.variants, job.gvcf, job.alignments}) {
    if (output) return output->string() + ".work";
  }
  fail(Errc::InvalidArgument, "nothing is written: name variants, gvcf or alignments, or work");
}

Json identity_of(const GermlineJob& job) {
  return {{"align", align_identity(job)},
          {"aligned", job.aligned ? file_identity({*job.aligned}) : Json()},
          {"model", job.filter_model ? file_identity({*job.filter_model}) : Json()},
          {"net", job.filter_net ? file_identity({*job.filter_net}) : Json(job.net)},
          {"regions", job.regions ? file_identity({*job.regions}) : Json()},
          {"ploidy", job.ploidy_file ? file_identity({*job.ploidy_file}) : Json()},
          {"options",
           {job.least_mapping_quality, job.ploidy, job.haploid_contigs, job.least_quality,
            job.pass_quality, job.hard_filter, job.sex, job.repeat_errors}}};
}

constexpr std::array kCounts = {&CallCounts::snv,          &CallCounts::indel,
                                &CallCounts::passed,       &CallCounts::heterozygous,
                                &CallCounts::homozygous,   &CallCounts::transitions,
                                &CallCounts::transversions};

Json sums_to_json(const CallSums& sums, std::uint64_t duplicates) {
  Json counts = Json::array();
  for (const auto count : kCounts) counts.push_back(sums.counts.*count);
  return {{"counts", std::move(counts)},
          {"duplicates", duplicates},
          {"plots", sums.plots.to_json()},
          {"figures", sums.figures.to_json()}};
}

/// Adds what sums_to_json wrote; returns the duplicates.
std::uint64_t add_sums(const std::filesystem::path& path, CallSums& to) {
  const Json json = parse_json(read_file(path), path.string());
  try {
    CallCounts counts;
    for (std::size_t i = 0; i < kCounts.size(); ++i)
      counts.*kCounts[i] = json.at("counts").at(i).get<std::uint64_t>();
    to.counts.add(counts);
    to.plots.merge(CallPlots::from_json(json.at("plots"), path.string()));
    to.figures.merge(RecordFigures::from_json(json.at("figures"), path.string()));
    return json.at("duplicates").get<std::uint64_t>();
  } catch (const Json::exception&) {
    fail(Errc::CorruptData, "{}: expected counts of calls; remove it to call this piece again",
         path.string());
  }
}

/// Calls one piece and keeps its lines; its sums come last and say that it is whole.
void call_piece(std::size_t piece, SortedReads& reads, const CallShop& shop,
                const StepFolder& folder, app::RunContext& context) {
  const std::size_t begin = piece * kPieceBuckets;
  const std::size_t end = std::min(begin + kPieceBuckets, reads.bucket_count() - 1);
  std::string lines, gvcf_lines;
  CallSums sums;
  std::uint64_t duplicates = 0;
  graph::Graph g;
  const auto sorting =
      reads.add_sorting(g, context.threads, begin - std::min<std::size_t>(begin, 1), end + 1);
  const CallSinks sinks{.take =
                            [&](const CalledBucket& bucket) {
                              lines += bucket.lines;
                              gvcf_lines += bucket.gvcf_lines;
                              sums.add(bucket);
                              duplicates += bucket.duplicates;
                            },
                        .figures = &sums.figures};
  call_buckets(g, sorting, shop, {begin, end}, sinks, context);
  write_file(folder.file("piece", piece, ".vcf"), lines);
  write_file(folder.file("piece", piece, ".g.vcf"), gvcf_lines);
  write_file(folder.file("piece", piece, ".json"), sums_to_json(sums, duplicates).dump());
}

/// The regions that begin in one piece: all of it, or what is wanted of it.
BedRegions regions_of_piece(std::size_t piece, const CallShop& shop) {
  const std::uint64_t begin = (piece * kPieceBuckets) << kBucketBits;
  const std::uint64_t end = ((piece + 1) * kPieceBuckets) << kBucketBits;
  const BedRegions whole(shop.reference);
  const BedRegions& wanted = shop.regions ? *shop.regions : whole;
  std::vector<std::vector<BedInterval>> out(shop.reference.contigs().size());
  for (std::uint32_t c = 0; c < out.size(); ++c) {
    const Contig& contig = shop.reference.contigs()[c];
    const auto in_contig = [&](std::uint64_t global) {
      return static_cast<std::uint32_t>(
          std::clamp(global, contig.begin, contig.begin + contig.length) - contig.begin);
    };
    for (const BedInterval& interval : wanted.of(c)) {
      const BedInterval part{std::max(interval.begin, in_contig(begin)),
                             std::min(interval.end, in_contig(end))};
      if (part.begin < part.end) out[c].push_back(part);
    }
  }
  return BedRegions(std::move(out));
}

/// The records of a file that calling one piece needs.
SortedReads reads_of_piece(const GermlineJob& job, std::size_t piece, const CallShop& shop,
                           app::RunContext& context) {
  const BedRegions regions = regions_of_piece(piece, shop);
  if (regions.base_count() == 0)
    return {record_store(shop.reference, job.memory, context), std::nullopt, {}};
  AlignmentFileOptions options = file_options(job, context);
  options.only = intervals_to_read(shop.reference, regions);
  return read_alignments(*job.aligned, shop.reference, options, job.memory, context).reads;
}

/// Writes the outputs from the pieces, and the alignments from the parts. `reads` is null if they
/// were aligned already.
void merge_pieces(const GermlineJob& job, std::size_t pieces, SortedReads* reads,
                  const CallShop& shop, const StepFolder& folder, app::RunContext& context) {
  context.progress.stage("merge", job.alignments ? reads->record_count() : 0, "reads");
  CallFiles files(job, shop);
  CallSums sums;
  std::uint64_t duplicates = 0;
  for (std::size_t p = 0; p < pieces; ++p) {
    const std::filesystem::path told = folder.file("piece", p, ".json");
    if (!std::filesystem::exists(told))
      fail(Errc::NotFound,
           "{}: not all pieces are called yet; the step call of all shards comes "
           "before the last one",
           folder.path().string());
    duplicates += add_sums(told, sums);
    constexpr std::uint64_t kMost = 1ULL << 32;
    files.write(read_file(folder.file("piece", p, ".vcf"), kMost),
                job.gvcf ? read_file(folder.file("piece", p, ".g.vcf"), kMost) : std::string());
  }
  if (std::optional<SamWriter> alignments = open_alignments(job, shop.reference, context)) {
    write_alignments(*reads, &*alignments, nullptr, context);
    alignments->commit();
  }
  files.commit();
  context.progress.finish();
  std::optional<AlignFigures> figures;
  if (reads != nullptr) {
    figures = reads->figures();
    figures->duplicates = duplicates;
  }
  report_sums(sums, figures, shop.reference, context);
}

/// Aligns the reads of a share and, if all are, opens them; none if the step ends with it.
std::optional<SortedReads> aligned_in_steps(const GermlineJob& job, const Genome& genome,
                                            const StepFolder& folder, const Share& share,
                                            app::RunContext& context) {
  AlignedParts parts(folder, job);
  if ((job.step == "all" || job.step == "align") && !parts.complete())
    parts.align(*genome.index, true, share, context);
  if (job.step == "align") return std::nullopt;
  return parts.open(genome.reference(), context);
}

void run_in_steps(const GermlineJob& job, app::RunContext& context) {
  const Share share = share_of(job.shard);
  const StepFolder folder(work_of(job), identity_of(job));
  context.progress.stage("index", 0, "bases");
  const Genome genome = open_genome(job, context);
  std::optional<SortedReads> all;
  if (!job.aligned) {
    all = aligned_in_steps(job, genome, folder, share, context);
    if (!all) return context.progress.finish();
  }
  CallShop shop = make_shop(job, genome.reference(), context);
  shop.call.pileup.keep_columns = true;  // for whoever merges
  const auto recalibration = learn_qualities(job, all ? &*all : nullptr, shop.reference,
                                             folder.path() / kErrorsFile, context);
  if (all)
    apply_recalibration(job, recalibration, *all);
  else
    take_sample(
        job,
        AlignmentFile(*job.aligned, shop.reference, context.warnings, file_options(job, context))
            .sample(),
        shop);
  const auto repeats =
      learn_repeats(job, all ? &*all : nullptr, folder.path() / kRepeatsFile, shop, context);
  const std::size_t buckets = bucket_count(shop.reference.codes().size()) - 1;
  const std::size_t pieces = (buckets + kPieceBuckets - 1) / kPieceBuckets;
  if (job.step != "merge") {
    if (all) context.progress.stage("call", all->record_count(), "reads");
    for (std::size_t p = 0; p < pieces; ++p) {
      if (!share.owns(p) || std::filesystem::exists(folder.file("piece", p, ".json"))) continue;
      std::optional<SortedReads> own;
      if (!all) {
        own = reads_of_piece(job, p, shop, context);
        apply_recalibration(job, recalibration, *own);
        context.progress.stage("call", own->record_count(), "reads");
      }
      call_piece(p, all ? *all : *own, shop, folder, context);
    }
  }
  if (job.step == "call") return context.progress.finish();
  merge_pieces(job, pieces, all ? &*all : nullptr, shop, folder, context);
  report_recalibration(recalibration.get(), context);
  if (repeats) report_repeats(*repeats, std::max(shop.ploidy.most(), 1), context);
  folder.remove();
}

void check_steps(const GermlineJob& job) {
  const Share share = share_of(job.shard);
  if (job.aligned && job.step == "align")
    fail(Errc::InvalidArgument, "the reads of aligned are aligned already: begin with step call");
  if (job.step == "all" && share.count > 1)
    fail(Errc::InvalidArgument,
         "a shard does one step: name align or call, and merge when all shards are done");
  if (job.pileups)
    fail(Errc::InvalidArgument, "pileups are written by runs that are not done in steps");
  if ((job.step != "all" || share.count > 1) && !job.work)
    fail(Errc::InvalidArgument, "single steps need work, the folder that all shards use");
}

}  // namespace

void run_germline(const GermlineJob& job, app::RunContext& context) {
  check_germline_job(job);
  if (job.variants) check_vcf_name(*job.variants);
  if (job.gvcf) check_vcf_name(*job.gvcf);
  if (!job.resume && !job.work && job.step == "all" && job.shard == "1/1")
    return run_in_one_pass(job, context);
  check_steps(job);
  run_in_steps(job, context);
}

}  // namespace aceso::genomics
