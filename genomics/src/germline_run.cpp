#include "germline_run.hpp"

#include "align_reads.hpp"
#include "align_report.hpp"
#include "call_figures.hpp"
#include "call_variants.hpp"
#include "read_alignments.hpp"
#include "report_figures.hpp"
#include "steps.hpp"
#include "write_alignments.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_set>

namespace aceso::genomics {
namespace {

// Buckets called in one step: four megabases.
constexpr std::size_t kPieceBuckets = 16;

std::vector<bool> haploid_contigs(const Reference& reference, std::string_view names) {
  std::unordered_set<std::string> wanted;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    wanted.emplace(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  std::vector<bool> out;
  for (const Contig& contig : reference.contigs()) out.push_back(wanted.contains(contig.name));
  return out;
}

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

CallShop make_shop(const GermlineJob& job, const Reference& reference, app::RunContext& context) {
  CallShop shop{.reference = reference,
                .call = {},
                .vcf = {},
                .ploidy = job.ploidy,
                .haploid = haploid_contigs(reference, job.haploid_contigs),
                .regions = {}};
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
      return net->asks(trees->log_odds(features_of(c, figures_of(c))));
    };
  return shop;
}

/// The records to be called; the sample's name becomes that of the file, unless one is given.
SortedReads reads_of(const GermlineJob& job, const Genome& genome, CallShop& shop,
                     app::RunContext& context) {
  if (!job.aligned) return align_reads(job, *genome.index, job.alignments.has_value(), context);
  AlignmentFileOptions options{
      .sample = job.sample, .threads = context.threads, .scratch = context.scratch, .only = {}};
  if (shop.regions) options.only = intervals_to_read(genome.reference(), *shop.regions);
  ReadAlignments read =
      read_alignments(*job.aligned, genome.reference(), options, job.memory, context);
  if (job.sample == GermlineJob{}.sample && !read.sample.empty()) shop.vcf.sample = read.sample;
  return std::move(read.reads);
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

/// Where the buckets of a graph go on their way, and their calls in order.
struct CallSinks {
  std::function<void(const CalledBucket&)> take;
  SamWriter* alignments = nullptr;
  RecordFigures* figures = nullptr;
};

/// Calls the buckets from `begin` on that `sorting` hands out.
void call_buckets(graph::Graph& g, const graph::NodeRef<SortBuckets>& sorting, const CallShop& shop,
                  std::size_t begin, const CallSinks& sinks, app::RunContext& context) {
  auto tasks = g.add("tasks", MakeTasks{.writer = sinks.alignments,
                                        .figures = sinks.figures,
                                        .first = begin,
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
  CallFiles files(job, shop);
  CallCounts counts;
  context.progress.stage("call", reads.record_count(), "reads");
  graph::Graph g;
  const auto sorting = reads.add_sorting(g, context.threads);
  CallPlots plots;
  CallPileups pileups;
  RecordFigures figures;
  const CallSinks sinks{.take =
                            [&](const CalledBucket& bucket) {
                              files.write(bucket.lines, bucket.gvcf_lines);
                              counts.add(bucket.counts);
                              plots.merge(bucket.plots);
                              pileups.append(bucket.pileups);
                            },
                        .alignments = alignments ? &*alignments : nullptr,
                        .figures = &figures};
  call_buckets(g, sorting, shop, 0, sinks, context);
  reads.note_duplicates(sorting);
  if (alignments) alignments->commit();
  files.commit();
  if (job.pileups) write_pileups(*job.pileups, pileups);
  context.progress.finish();
  report_calls(counts, context);
  plots.report(context.report);
  report_alignment(reads.figures(), context);
  figures.report(reference, context.report);
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
  return {{"version", version()},
          {"reads", file_identity(job.reads)},
          {"reads2", file_identity(job.reads2)},
          {"reference", file_identity({job.reference})},
          {"model", job.filter_model ? file_identity({*job.filter_model}) : Json()},
          {"net", job.filter_net ? file_identity({*job.filter_net}) : Json(job.net)},
          {"regions", job.regions ? file_identity({*job.regions}) : Json()},
          {"options",
           {job.interleaved, job.sample, job.read_group.value_or(""), job.keep_duplicates_unmarked,
            job.least_mapping_quality, job.ploidy, job.haploid_contigs, job.least_quality,
            job.pass_quality, job.hard_filter}}};
}

Json counts_to_json(const CallCounts& c, std::uint64_t duplicates) {
  return {c.snv,        c.indel,       c.passed,        c.heterozygous,
          c.homozygous, c.transitions, c.transversions, duplicates};
}

/// Adds what counts_to_json wrote; returns the duplicates.
std::uint64_t add_counts(const std::filesystem::path& path, CallCounts& to) {
  const Json json = parse_json(read_file(path), path.string());
  if (!json.is_array() || json.size() != 8)
    fail(Errc::CorruptData, "{}: expected eight counts; remove it to call this piece again",
         path.string());
  CallCounts counts;
  std::size_t at = 0;
  for (std::uint64_t* count : {&counts.snv, &counts.indel, &counts.passed, &counts.heterozygous,
                               &counts.homozygous, &counts.transitions, &counts.transversions})
    *count = json[at++].get<std::uint64_t>();
  to.add(counts);
  return json[at].get<std::uint64_t>();
}

/// Calls one piece and keeps its lines; its counts come last and say that it is whole.
void call_piece(std::size_t piece, SortedReads& reads, const CallShop& shop,
                const StepFolder& folder, app::RunContext& context) {
  const std::size_t begin = piece * kPieceBuckets;
  const std::size_t end = std::min(begin + kPieceBuckets, reads.bucket_count() - 1);
  std::string lines, gvcf_lines;
  CallCounts counts;
  std::uint64_t duplicates = 0;
  graph::Graph g;
  const auto sorting =
      reads.add_sorting(g, context.threads, begin - std::min<std::size_t>(begin, 1), end + 1);
  const CallSinks sinks{.take = [&](const CalledBucket& bucket) {
    lines += bucket.lines;
    gvcf_lines += bucket.gvcf_lines;
    counts.add(bucket.counts);
    duplicates += bucket.duplicates;
  }};
  call_buckets(g, sorting, shop, begin, sinks, context);
  write_file(folder.file("piece", piece, ".vcf"), lines);
  write_file(folder.file("piece", piece, ".g.vcf"), gvcf_lines);
  write_file(folder.file("piece", piece, ".json"), counts_to_json(counts, duplicates).dump());
}

/// Writes the outputs from the pieces, and the alignments from the parts.
void merge_pieces(const GermlineJob& job, std::size_t pieces, SortedReads& reads,
                  const CallShop& shop, const StepFolder& folder, app::RunContext& context) {
  context.progress.stage("merge", job.alignments ? reads.record_count() : 0, "reads");
  CallFiles files(job, shop);
  CallCounts counts;
  std::uint64_t duplicates = 0;
  for (std::size_t p = 0; p < pieces; ++p) {
    const std::filesystem::path told = folder.file("piece", p, ".json");
    if (!std::filesystem::exists(told))
      fail(Errc::NotFound,
           "{}: not all pieces are called yet; the step call of all shards comes "
           "before the last one",
           folder.path().string());
    duplicates += add_counts(told, counts);
    constexpr std::uint64_t kMost = 1ULL << 32;
    files.write(read_file(folder.file("piece", p, ".vcf"), kMost),
                job.gvcf ? read_file(folder.file("piece", p, ".g.vcf"), kMost) : std::string());
  }
  if (std::optional<SamWriter> alignments = open_alignments(job, shop.reference, context)) {
    write_alignments(reads, &*alignments, nullptr, context);
    alignments->commit();
  }
  files.commit();
  context.progress.finish();
  report_calls(counts, context);
  AlignFigures figures = reads.figures();
  figures.duplicates = duplicates;
  report_alignment(figures, context);
}

void run_in_steps(const GermlineJob& job, app::RunContext& context) {
  const Share share = share_of(job.shard);
  const StepFolder folder(work_of(job), identity_of(job));
  AlignedParts parts(folder, job);
  context.progress.stage("index", 0, "bases");
  const Genome genome = open_genome(job, context);
  if ((job.step == "all" || job.step == "align") && !parts.complete())
    parts.align(*genome.index, true, share, context);
  if (job.step == "align") return context.progress.finish();
  CallShop shop = make_shop(job, genome.reference(), context);
  shop.call.pileup.keep_columns = true;  // for whoever merges
  SortedReads reads = parts.open(genome.reference(), context);
  const std::size_t pieces = (reads.bucket_count() - 1 + kPieceBuckets - 1) / kPieceBuckets;
  if (job.step != "merge") {
    context.progress.stage("call", reads.record_count(), "reads");
    for (std::size_t p = 0; p < pieces; ++p) {
      if (share.owns(p) && !std::filesystem::exists(folder.file("piece", p, ".json")))
        call_piece(p, reads, shop, folder, context);
    }
  }
  if (job.step == "call") return context.progress.finish();
  merge_pieces(job, pieces, reads, shop, folder, context);
  folder.remove();
}

void check_steps(const GermlineJob& job) {
  const Share share = share_of(job.shard);
  if (job.aligned)
    fail(Errc::InvalidArgument,
         "steps are kept of runs that begin with reads; share a run of aligned by regions");
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
