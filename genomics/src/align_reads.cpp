#include "align_reads.hpp"

#include "collect_records.hpp"
#include "fastq_flow.hpp"
#include "kernels/band.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace aceso::genomics {
namespace {

// Pairs from the beginning of the files that teach the lengths of fragments.
constexpr std::size_t kModelPairs = 20'000;

std::vector<std::uint8_t> codes_of(std::string_view bases) {
  std::vector<std::uint8_t> out(bases.size());
  std::ranges::transform(bases, out.begin(), code_of_base);
  return out;
}

InsertModel learn_model(const SeedIndex& index, const std::vector<std::string>& reads1,
                        const std::vector<std::string>& reads2) {
  Aligner aligner(index);
  std::vector<std::int32_t> lengths;
  for (std::size_t i = 0; i < std::min(reads1.size(), reads2.size()); ++i)
    lengths.push_back(aligner.fragment_length(codes_of(reads1[i]), codes_of(reads2[i])));
  return InsertModel::learn(std::move(lengths));
}

/// What every worker needs.
struct Shop {
  const SeedIndex& index;
  InsertModel model;
  std::string read_group;
  bool complete = false;
  std::uint32_t records_per_chunk = 0;
  std::size_t secondary = 0;
  std::function<bool(std::uint64_t)> wants;  ///< chunks by number; empty: all
  Warnings* warnings = nullptr;

  [[nodiscard]] std::uint64_t number_of(const FastqChunk& chunk) const {
    return chunk.first_record / records_per_chunk;
  }
  [[nodiscard]] bool wanted(const FastqChunk& chunk) const {
    return !wants || wants(number_of(chunk));
  }
};

/// Aligns the records of chunks.
class Worker {
 public:
  explicit Worker(const Shop& shop)
      : shop_(shop),
        aligner_(shop.index, shop.secondary),
        builder_(shop.index.reference(), shop.read_group, shop.complete) {}

  RecordBatch pairs(const FastqChunk& chunk1, const FastqChunk& chunk2) {
    parse_fastq(chunk1, kQualified, *shop_.warnings, parsed_[0]);
    parse_fastq(chunk2, kQualified, *shop_.warnings, parsed_[1]);
    check_pairs(chunk1, parsed_[0], chunk2, parsed_[1]);
    RecordBatch out;
    for (std::uint32_t i = 0; i < parsed_[0].records.size(); ++i) {
      const FastqRecord &a = parsed_[0].records[i], &b = parsed_[1].records[i];
      add_pair(chunk1.first_record + i, a, b, out);
    }
    return out;
  }

  RecordBatch interleaved(const FastqChunk& chunk) {
    parse_fastq(chunk, kQualified, *shop_.warnings, parsed_[0]);
    const auto& records = parsed_[0].records;
    check_interleaved(chunk, parsed_[0]);
    RecordBatch out;
    for (std::uint32_t i = 0; i + 1 < records.size(); i += 2)
      add_pair((chunk.first_record + i) / 2, records[i], records[i + 1], out);
    return out;
  }

  RecordBatch singles(const FastqChunk& chunk) {
    parse_fastq(chunk, kQualified, *shop_.warnings, parsed_[0]);
    RecordBatch out;
    for (std::uint32_t i = 0; i < parsed_[0].records.size(); ++i) {
      const FastqRecord& read = parsed_[0].records[i];
      const ReadPlaces places = aligner_.align(code(read, 0));
      builder_.add_read(chunk.first_record + i, read, places, out);
    }
    return out;
  }

 private:
  static constexpr std::uint8_t kQualified = 15;

  std::span<const std::uint8_t> code(const FastqRecord& read, std::size_t mate) {
    std::vector<std::uint8_t>& codes = codes_[mate];
    if (read.length > kMostReadLength)
      shop_.warnings->add("align.long_read",
                          fmt::format("a read of {} bases stays unmapped: the longest that can be "
                                      "aligned have {}",
                                      read.length, kMostReadLength));
    codes.resize(read.length);
    std::ranges::transform(read.bases_view(), codes.begin(), code_of_base);
    return codes;
  }

  void add_pair(std::uint64_t number, const FastqRecord& a, const FastqRecord& b,
                RecordBatch& out) {
    const PairPlaces places = aligner_.align_pair(code(a, 0), code(b, 1), shop_.model);
    builder_.add_pair(number, a, b, places, out);
  }

  const Shop& shop_;
  Aligner aligner_;
  RecordBuilder builder_;
  std::array<ParsedChunk, 2> parsed_;
  std::array<std::vector<std::uint8_t>, 2> codes_;
};

Worker& worker_of(std::shared_ptr<Worker>& worker, const Shop& shop) {
  // Made at the first tick: each copy of an operator has its own.
  if (!worker) worker = std::make_shared<Worker>(shop);
  return *worker;
}

struct AlignPairs {
  static constexpr bool kUnequalStreams = true;
  graph::In<FastqChunk> in1{"reads"}, in2{"reads2"};
  graph::Out<AlignedPacket> out{"records"};
  const Shop* shop = nullptr;
  std::shared_ptr<const std::vector<std::string>> files1, files2;
  std::shared_ptr<Worker> worker;

  auto ports() { return std::tie(in1, in2, out); }
  graph::Flow compute(const graph::Tick&) {
    if (!in1.has()) refuse_rest(in2.take(), *files1);
    if (!in2.has()) refuse_rest(in1.take(), *files2);
    const FastqChunk a = in1.take(), b = in2.take();
    AlignedPacket packet{{}, a.source_bytes + b.source_bytes, shop->number_of(a)};
    if (shop->wanted(a)) packet.batch = worker_of(worker, *shop).pairs(a, b);
    out.send(std::move(packet));
    return graph::Flow::Continue;
  }
};

struct AlignReads {
  graph::In<FastqChunk> in{"reads"};
  graph::Out<AlignedPacket> out{"records"};
  const Shop* shop = nullptr;
  bool interleaved = false;
  std::shared_ptr<Worker> worker;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    const FastqChunk chunk = in.take();
    AlignedPacket packet{{}, chunk.source_bytes, shop->number_of(chunk)};
    if (shop->wanted(chunk)) {
      Worker& mine = worker_of(worker, *shop);
      packet.batch = interleaved ? mine.interleaved(chunk) : mine.singles(chunk);
    }
    out.send(std::move(packet));
    return graph::Flow::Continue;
  }
};

/// The end of the flow.
struct HandOver {
  graph::In<AlignedPacket> in{"records"};
  const std::function<void(const AlignedPacket&)>* take = nullptr;
  Progress* progress = nullptr;

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    const AlignedPacket packet = in.take();
    (*take)(packet);
    progress->advance(packet.source_bytes);
    return graph::Flow::Continue;
  }
};

std::string with_tabs(const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size() && line[i + 1] == 't';
    out += escape ? '\t' : line[i];
    if (escape) ++i;
  }
  return out;
}

/// The files of a job, looked into.
struct FastqParts {
  std::shared_ptr<FastqFiles> files1, files2;
  FastqHead head1, head2;
  std::uint32_t records_per_chunk = 0;
};

FastqParts open_parts(const AlignJob& job, app::RunContext& context) {
  FastqParts out;
  out.files1 = std::make_shared<FastqFiles>(job.reads, context.warnings);
  const bool pairs = !job.reads2.empty();
  out.head1 = look_at_head(*out.files1, pairs             ? kModelPairs
                                        : job.interleaved ? 2 * kModelPairs
                                                          : 0);
  std::size_t bytes_per_record = out.head1.bytes_per_record;
  if (pairs) {
    out.files2 = std::make_shared<FastqFiles>(job.reads2, context.warnings);
    out.head2 = look_at_head(*out.files2, kModelPairs);
    bytes_per_record = std::max(bytes_per_record, out.head2.bytes_per_record);
  }
  out.records_per_chunk = records_per_chunk(bytes_per_record);
  return out;
}

InsertModel model_of(const AlignJob& job, const SeedIndex& index, const FastqParts& parts) {
  if (!job.reads2.empty()) return learn_model(index, parts.head1.reads, parts.head2.reads);
  if (!job.interleaved) return {};
  std::array<std::vector<std::string>, 2> mates;
  for (std::size_t i = 0; i < parts.head1.reads.size(); ++i)
    mates[i % 2].push_back(parts.head1.reads[i]);
  return learn_model(index, mates[0], mates[1]);
}

}  // namespace

ReadGroup read_group_of(const AlignJob& job) {
  if (!job.read_group)
    return {"1", fmt::format("@RG\tID:1\tSM:{0}\tLB:{0}\tPL:ILLUMINA\n", job.sample)};
  const std::string line = with_tabs(*job.read_group);
  const std::size_t at = line.find("\tID:");
  if (!line.starts_with("@RG\t") || at == std::string::npos)
    fail(Errc::InvalidArgument,
         "read_group: expected a line like '@RG\\tID:1\\tSM:NA12878', found '{}'", *job.read_group);
  const std::string id = line.substr(at + 4, line.find('\t', at + 4) - at - 4);
  return {id, line + "\n"};
}

void check_align_job(const AlignJob& job) {
  if (job.reads.empty()) fail(Errc::InvalidArgument, "no reads are given");
  if (job.interleaved && !job.reads2.empty())
    fail(Errc::InvalidArgument,
         "interleaved reads have both mates in one file, but reads2 is given as well");
  if (job.tag_duplicates && job.keep_duplicates_unmarked)
    fail(Errc::InvalidArgument,
         "tag_duplicates tells kinds of duplicates, but keep_duplicates_unmarked looks for none");
  if (job.original_qualities && !job.recalibrate)
    fail(Errc::InvalidArgument,
         "original_qualities keeps what recalibrate changes, but recalibrate is not given");
  for (const std::filesystem::path& read : job.reads) {
    for (const std::filesystem::path& mate : job.reads2) {
      std::error_code error;
      if (std::filesystem::equivalent(read, mate, error) &&
          std::filesystem::is_regular_file(read, error))
        fail(Errc::InvalidArgument, "{} is given as reads and as reads2", read.string());
    }
  }
}

InsertModel align_chunks(const AlignJob& job, const SeedIndex& index, bool complete,
                         const AlignSink& sink, app::RunContext& context) {
  const FastqParts parts = open_parts(job, context);
  Shop shop{index,
            model_of(job, index, parts),
            read_group_of(job).id,
            complete,
            parts.records_per_chunk,
            static_cast<std::size_t>(job.secondary),
            sink.wants,
            &context.warnings};
  context.progress.stage("align", total_size(job.reads) + total_size(job.reads2), "bytes");
  graph::Graph g;
  const unsigned threads = context.threads;
  auto collect = g.add("collect", HandOver{.take = &sink.take, .progress = &context.progress});
  auto cut1 = add_reading(g, "1", parts.files1, parts.records_per_chunk, threads);
  if (parts.files2) {
    auto cut2 = add_reading(g, "2", parts.files2, parts.records_per_chunk, threads);
    auto align = g.add("align",
                       AlignPairs{.shop = &shop,
                                  .files1 = parts.files1->names(),
                                  .files2 = parts.files2->names(),
                                  .worker = nullptr},
                       {.copies = threads});
    g.connect(cut1, &Cut::out, align, &AlignPairs::in1);
    g.connect(cut2, &Cut::out, align, &AlignPairs::in2);
    g.connect(align, &AlignPairs::out, collect, &HandOver::in);
  } else {
    auto align =
        g.add("align", AlignReads{.shop = &shop, .interleaved = job.interleaved, .worker = nullptr},
              {.copies = threads});
    g.connect(cut1, &Cut::out, align, &AlignReads::in);
    g.connect(align, &AlignReads::out, collect, &HandOver::in);
  }
  g.run({.threads = threads, .stop = context.stop});
  return shop.model;
}

SortedReads align_reads(const AlignJob& job, const SeedIndex& index, bool complete,
                        app::RunContext& context) {
  BucketStore records = record_store(index.reference(), job.memory, context);
  BucketStore keys = key_store(index.reference(), job.memory, context);
  AlignFigures figures;
  figures.model = align_chunks(job, index, complete,
                               {.wants = {},
                                .take =
                                    [&](const AlignedPacket& packet) {
                                      put_into_buckets(packet.batch, records, keys);
                                      figures.counts.add(packet.batch.counts);
                                    }},
                               context);
  std::optional<Duplicates> duplicates;
  if (!job.keep_duplicates_unmarked)
    duplicates =
        find_duplicates(keys, figures.counts.numbers(), job.optical_distance, context.stop);
  figures.spilled_bytes = records.spilled_bytes() + keys.spilled_bytes();
  SortedReads out(std::move(records), std::move(duplicates), figures);
  out.set_finishing({.recalibration = nullptr, .tag_duplicates = job.tag_duplicates});
  return out;
}

}  // namespace aceso::genomics
