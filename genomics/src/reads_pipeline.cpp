#include "reads_pipeline.hpp"

#include "adapter_guess.hpp"
#include "fastq_flow.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <algorithm>
#include <cctype>
#include <deque>
#include <tuple>

namespace aceso::genomics {
namespace {

using Path = std::filesystem::path;

/// Illumina's two-colour instruments see no light as G.
bool is_two_colour(std::string_view name) {
  static constexpr std::string_view kInstruments[] = {"NS", "NB", "NDX", "A0"};
  return std::ranges::any_of(kInstruments, [&](std::string_view i) { return name.starts_with(i); });
}

// Operators.

/// What every worker needs.
struct Shop {
  Rules rules;
  SinkPlan plan;
  Warnings* warnings = nullptr;
  bool interleaved = false;
};

ReadsWorker& worker_of(std::shared_ptr<ReadsWorker>& worker, const Shop& shop) {
  // Made at the first tick: each copy of an operator has its own.
  if (!worker) worker = std::make_shared<ReadsWorker>(shop.rules, shop.plan, *shop.warnings);
  return *worker;
}

struct WorkOnPairs {
  static constexpr bool kUnequalStreams = true;
  graph::In<FastqChunk> in1{"reads"}, in2{"reads2"};
  graph::Out<Packet> out{"packets"};
  std::shared_ptr<const Shop> shop;
  std::shared_ptr<const std::vector<std::string>> files1, files2;
  std::shared_ptr<ReadsWorker> worker;

  auto ports() { return std::tie(in1, in2, out); }
  graph::Flow compute(const graph::Tick&) {
    if (!in1.has()) refuse_rest(in2.take(), *files1);
    if (!in2.has()) refuse_rest(in1.take(), *files2);
    out.send(worker_of(worker, *shop).pairs(in1.take(), in2.take()));
    return graph::Flow::Continue;
  }
};

struct WorkOnReads {
  graph::In<FastqChunk> in{"reads"};
  graph::Out<Packet> out{"packets"};
  std::shared_ptr<const Shop> shop;
  std::shared_ptr<ReadsWorker> worker;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    ReadsWorker& mine = worker_of(worker, *shop);
    out.send(shop->interleaved ? mine.interleaved(in.take()) : mine.single(in.take()));
    return graph::Flow::Continue;
  }
};

/// The files being written.
class Outputs {
 public:
  Outputs(const ReadsJob& job, SinkPlan& plan) {
    open(Sink::Read1, job.output, plan);
    open(Sink::Read2, job.output2, plan);
    open(Sink::Unpaired, job.unpaired, plan);
    open(Sink::Failed, job.failed, plan);
  }

  void write(const Packet& packet) {
    for (std::size_t s = 0; s < kSinks; ++s) {
      if (files_[s]) files_[s]->write(packet.bytes[s]);
    }
  }

  void commit(const SinkPlan& plan) {
    for (std::size_t s = 0; s < kSinks; ++s) {
      if (files_[s] && plan.sinks[s].packed) files_[s]->write(bgzf_end_marker());
    }
    for (auto& file : files_) {
      if (file) file->commit();
    }
  }

 private:
  void open(Sink sink, const std::optional<Path>& path, SinkPlan& plan) {
    if (!path) return;
    plan.of(sink).wanted = true;
    plan.of(sink).packed = path->extension() == ".gz" || path->extension() == ".bgz";
    files_[static_cast<std::size_t>(sink)].emplace(*path);
  }

  std::array<std::optional<AtomicFile>, kSinks> files_;
};

struct WritePackets {
  graph::In<Packet> in{"packets"};
  std::shared_ptr<Outputs> outputs;
  Progress* progress = nullptr;

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    const Packet packet = in.take();
    outputs->write(packet);
    progress->advance(packet.source_bytes);
    return graph::Flow::Continue;
  }
};

// From the job to the graph.

QualityCut quality_cut(bool enabled, std::optional<int> window, std::optional<int> mean,
                       const ReadsJob& job) {
  return {enabled, window.value_or(job.cut_window), mean.value_or(job.cut_mean_quality)};
}

UmiPlace umi_place(const std::string& location) {
  static constexpr std::pair<std::string_view, UmiPlace> kPlaces[] = {
      {"index1", UmiPlace::Index1},      {"index2", UmiPlace::Index2},
      {"read1", UmiPlace::Read1},        {"read2", UmiPlace::Read2},
      {"per_index", UmiPlace::PerIndex}, {"per_read", UmiPlace::PerRead},
  };
  for (const auto& [word, place] : kPlaces) {
    if (location == word) return place;
  }
  return UmiPlace::None;
}

std::string checked_adapter(const std::string& bases, std::string_view option) {
  std::string upper;
  for (const char c : bases)
    upper.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  if (upper.find_first_not_of("ACGTN") != std::string::npos)
    fail(Errc::InvalidArgument, "{}: expected letters A C G T N, found '{}'", option, bases);
  if (upper.size() < 4)
    fail(Errc::InvalidArgument, "{}: expected at least 4 letters, found '{}'", option, bases);
  return upper;
}

std::vector<std::string> adapters_of_fasta(const Path& path) {
  constexpr std::size_t kShortest = 6;
  std::vector<std::string> adapters;
  std::string bases;
  const auto keep = [&] {
    if (bases.size() >= kShortest) adapters.push_back(checked_adapter(bases, path.string()));
    bases.clear();
  };
  const std::string text = read_file(path, 64 << 20);
  if (!text.empty() && text[0] != '>')
    fail(Errc::CorruptData, "{}: expected FASTA, found no '>' at its beginning", path.string());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    if (line.starts_with('>'))
      keep();
    else
      for (const char c : line)
        if (std::isspace(static_cast<unsigned char>(c)) == 0) bases.push_back(c);
    at = end + 1;
  }
  keep();
  return adapters;
}

Rules rules_of(const ReadsJob& job) {
  Rules rules;
  rules.paired = !job.reads2.empty() || job.interleaved;
  rules.fixed[0] = {job.trim_front, job.trim_tail, job.crop_length};
  rules.fixed[1] = {job.trim_front2.value_or(job.trim_front),
                    job.trim_tail2.value_or(job.trim_tail),
                    job.crop_length2.value_or(job.crop_length)};
  rules.cut_front =
      quality_cut(job.cut_front, job.cut_front_window, job.cut_front_mean_quality, job);
  rules.cut_tail = quality_cut(job.cut_tail, job.cut_tail_window, job.cut_tail_mean_quality, job);
  rules.cut_right =
      quality_cut(job.cut_right, job.cut_right_window, job.cut_right_mean_quality, job);
  rules.poly_g_least = job.poly_g_min_length;
  rules.poly_x = job.trim_poly_x;
  rules.poly_x_least = job.poly_x_min_length;
  rules.trim_adapters = !job.keep_adapters;
  rules.correct = job.correct_overlap;
  rules.overlap = {static_cast<std::uint32_t>(job.overlap_min_length),
                   static_cast<std::uint32_t>(job.overlap_max_mismatches),
                   job.overlap_max_mismatch_percent / 100.0};
  if (job.adapter) rules.adapter[0] = checked_adapter(*job.adapter, "--adapter");
  if (job.adapter2)
    rules.adapter[1] = checked_adapter(*job.adapter2, "--adapter2");
  else
    rules.adapter[1] = rules.adapter[0];
  if (job.adapter_fasta) rules.more_adapters = adapters_of_fasta(*job.adapter_fasta);
  rules.filter = {!job.keep_low_quality,
                  job.qualified_quality,
                  job.max_unqualified_percent,
                  job.max_n_bases,
                  job.min_mean_quality,
                  !job.keep_any_length,
                  job.min_length,
                  job.max_length,
                  job.drop_low_complexity,
                  job.min_complexity_percent};
  rules.umi = {umi_place(job.umi_location), job.umi_length, job.umi_skip,
               job.umi_prefix.value_or("")};
  return rules;
}

bool same_file(const Path& a, const Path& b) {
  std::error_code error;
  return std::filesystem::equivalent(a, b, error) && std::filesystem::is_regular_file(a, error);
}

void check_files(const ReadsJob& job) {
  if (job.reads.empty()) fail(Errc::InvalidArgument, "no reads are given");
  if (job.interleaved && !job.reads2.empty())
    fail(Errc::InvalidArgument,
         "interleaved reads have both mates in one file, but reads2 is given as well");
  if (job.output2 && job.reads2.empty() && !job.interleaved)
    fail(Errc::InvalidArgument,
         "output2 is given, but the reads are not paired: give reads2, or say interleaved");
  if (job.output2 && !job.output) fail(Errc::InvalidArgument, "output2 is given without output");
  for (const Path& read : job.reads) {
    for (const Path& mate : job.reads2) {
      if (same_file(read, mate))
        fail(Errc::InvalidArgument, "{} is given as reads and as reads2", read.string());
    }
  }
  const std::optional<Path>* outputs[] = {&job.output, &job.output2, &job.unpaired, &job.failed};
  for (const auto* output : outputs) {
    if (!*output) continue;
    for (const auto* files : {&job.reads, &job.reads2}) {
      for (const Path& file : *files) {
        if (same_file(file, **output))
          fail(Errc::InvalidArgument, "{} is an input and an output", file.string());
      }
    }
    for (const auto* other : outputs) {
      if (other != output && *other && **other == **output &&
          !std::filesystem::is_character_file(**output))
        fail(Errc::InvalidArgument, "{} is given for two outputs", (*output)->string());
    }
  }
}

void check_umi(const ReadsJob& job) {
  const UmiPlace place = umi_place(job.umi_location);
  const bool of_reads =
      place == UmiPlace::Read1 || place == UmiPlace::Read2 || place == UmiPlace::PerRead;
  if (of_reads && job.umi_length == 0)
    fail(Errc::InvalidArgument, "umi_location is {}: expected an umi_length above 0",
         job.umi_location);
}

std::string guess(const std::vector<std::string>& reads, const FixedTrim& fixed) {
  const std::vector<std::string_view> views(reads.begin(), reads.end());
  return guess_adapter(views, fixed.tail);
}

/// Everything that stands before the graph runs.
struct Prepared {
  ReadsResult result;
  std::shared_ptr<FastqFiles> source1, source2;
  std::uint32_t records = 0;
};

Prepared prepare(const ReadsJob& job, app::RunContext& context) {
  check_files(job);
  check_umi(job);
  Prepared out;
  Rules& rules = out.result.rules;
  rules = rules_of(job);
  out.source1 = std::make_shared<FastqFiles>(job.reads, context.warnings);
  const bool guessing =
      rules.trim_adapters && (!rules.paired || (job.guess_pair_adapters && !job.interleaved));
  const std::size_t wanted1 = guessing && rules.adapter[0].empty() ? kGuessMostReads : 0;
  const FastqHead head1 = look_at_head(*out.source1, wanted1);
  std::size_t bytes_per_record = head1.bytes_per_record;
  if (wanted1 > 0) rules.adapter[0] = guess(head1.reads, rules.fixed[0]);
  out.result.adapter_guessed = wanted1 > 0 && !rules.adapter[0].empty();
  if (!job.reads2.empty()) {
    out.source2 = std::make_shared<FastqFiles>(job.reads2, context.warnings);
    const std::size_t wanted2 = guessing && rules.adapter[1].empty() ? kGuessMostReads : 0;
    const FastqHead head2 = look_at_head(*out.source2, wanted2);
    if (wanted2 > 0) rules.adapter[1] = guess(head2.reads, rules.fixed[1]);
    bytes_per_record = std::max(bytes_per_record, head2.bytes_per_record);
  }
  out.result.two_colour = is_two_colour(head1.first_name);
  rules.poly_g = job.poly_g == "on" || (job.poly_g == "auto" && out.result.two_colour);
  out.records = records_per_chunk(bytes_per_record);
  return out;
}

template <typename Node>
void gather(const Node& node, Tally& tally) {
  for (const auto& op : node.copies()) {
    if (op.worker) tally.add(op.worker->tally());
  }
}

void warn_of_odd_qualities(const Tally& tally, const ReadsJob& job, Warnings& warnings) {
  // phred+64 begins at ';' (Solexa) or '@' and Illumina's went up to 'h'; phred+33 begins at '!'.
  constexpr std::uint8_t kLeast64 = ';', kMost33 = 'P';
  for (const MateTally& mate : tally.mates) {
    if (mate.quality_least < kLeast64 || mate.quality_most <= kMost33 || mate.quality_most == 0)
      continue;
    warnings.add("fastq.phred64",
                 fmt::format("{}: qualities lie between '{}' and '{}': they look like phred+64, "
                             "but are read as phred+33",
                             job.reads.front().string(), static_cast<char>(mate.quality_least),
                             static_cast<char>(mate.quality_most)));
    return;
  }
}

}  // namespace

ReadsResult run_reads(const ReadsJob& job, app::RunContext& context) {
  Prepared prepared = prepare(job, context);
  SinkPlan plan;
  auto outputs = std::make_shared<Outputs>(job, plan);
  plan.compression_level = job.compression_level;
  plan.interleave = prepared.result.rules.paired && !job.output2;
  const auto shop = std::make_shared<const Shop>(
      Shop{prepared.result.rules, plan, &context.warnings, job.interleaved});

  context.progress.stage("reads", total_size(job.reads) + total_size(job.reads2), "bytes");
  graph::Graph g;
  const unsigned threads = context.threads;
  auto write = g.add("write", WritePackets{.outputs = outputs, .progress = &context.progress});
  auto cut1 = add_reading(g, "1", prepared.source1, prepared.records, threads);
  Tally& tally = prepared.result.tally;
  const graph::RunOptions options{.threads = threads, .stop = context.stop};
  if (prepared.source2) {
    auto cut2 = add_reading(g, "2", prepared.source2, prepared.records, threads);
    auto work = g.add("work",
                      WorkOnPairs{.shop = shop,
                                  .files1 = prepared.source1->names(),
                                  .files2 = prepared.source2->names(),
                                  .worker = nullptr},
                      {.copies = threads});
    g.connect(cut1, &Cut::out, work, &WorkOnPairs::in1);
    g.connect(cut2, &Cut::out, work, &WorkOnPairs::in2);
    g.connect(work, &WorkOnPairs::out, write, &WritePackets::in);
    g.run(options);
    gather(work, tally);
  } else {
    auto work = g.add("work", WorkOnReads{.shop = shop, .worker = nullptr}, {.copies = threads});
    g.connect(cut1, &Cut::out, work, &WorkOnReads::in);
    g.connect(work, &WorkOnReads::out, write, &WritePackets::in);
    g.run(options);
    gather(work, tally);
  }
  prepared.result.plan = g.plan().text(g.stats());
  warn_of_odd_qualities(tally, job, context.warnings);
  outputs->commit(plan);
  context.progress.finish();
  return std::move(prepared.result);
}

}  // namespace aceso::genomics
