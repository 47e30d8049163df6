#include "reads_worker.hpp"

#include "fastq_flow.hpp"
#include "record_sheet.hpp"
#include "umi.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <deque>
#include <span>

namespace aceso::genomics {
namespace {

/// Why a read is in the file of failed reads; appended to its name.
constexpr std::string_view kReasons[kVerdicts] = {
    " mate_failed", " too_many_N", " too_short", " too_long", " low_quality", " low_complexity"};

/// One read on its way.
struct Side {
  const FastqRecord* record = nullptr;
  ReadFacts facts;
  Window window;
  Verdict verdict = Verdict::Passed;
  /// The letters as they came, which correction may have changed.
  const char* bases = nullptr;
  const char* qualities = nullptr;
  bool only_acgt = true;  ///< as they came

  [[nodiscard]] bool whole() const noexcept {
    return window.bases == record->bases &&
           window.length == static_cast<std::int32_t>(record->length);
  }
  [[nodiscard]] bool corrected() const noexcept { return bases != record->bases; }
};

bool has_only_acgt(const ReadFacts& facts) { return facts.n + facts.other == 0; }

Slice slice_of(const char* bases, const char* qualities, std::uint32_t cycle, std::int64_t length,
               bool only_acgt) {
  return {bases, qualities, cycle, static_cast<std::uint32_t>(length), only_acgt};
}

}  // namespace

struct ReadsWorker::Impl {
  Impl(const Rules& r, const SinkPlan& p, Warnings& w)
      : rules(r), plan(p), warnings(w), deflater(p.compression_level) {}

  // The run of a chunk.

  void parse(const FastqChunk& chunk, ParsedChunk& out, MateTally& mate) {
    parse_fastq(chunk, static_cast<std::uint8_t>(rules.filter.qualified), warnings, out);
    mate.quality_least = std::min(mate.quality_least, out.quality_least);
    mate.quality_most = std::max(mate.quality_most, out.quality_most);
  }

  void measure(const ParsedChunk& reads, std::uint64_t first_record, MateTally& mate) {
    before.clear();
    for (std::size_t i = 0; i < reads.records.size(); ++i) {
      const FastqRecord& record = reads.records[i];
      const ReadFacts& facts = reads.facts[i];
      mate.before.add(record.length, facts);
      before.push_back(
          slice_of(record.bases, record.qualities, 0, record.length, has_only_acgt(facts)));
      const std::uint64_t number = first_record + i;
      if (number % SampledStats::kEvery == 0) mate.sampled.add(record);
      if (number % kStartEvery == 0 && number < kStartMostReads) count_start(record, mate);
    }
    mate.cycles_before.add(before);
  }

  static void count_start(const FastqRecord& record, MateTally& mate) {
    ++mate.starts_sampled;
    if (record.length >= 20)
      ++mate.starts[std::string(record.bases_view().substr(0, kStartLength))];
  }

  void begin_chunk() {
    for (RecordSheet& sheet : sheets) sheet.clear();
    for (auto* slices : {&removed[0], &removed[1], &added[0], &added[1]}) slices->clear();
    originals.clear();
  }

  Packet end_chunk(std::uint64_t source_bytes) {
    for (std::size_t m = 0; m < 2; ++m) {
      tally.mates[m].removed.add(removed[m]);
      tally.mates[m].added.add(added[m]);
    }
    Packet packet;
    packet.source_bytes = source_bytes;
    for (std::size_t s = 0; s < kSinks; ++s) {
      if (!plan.sinks[s].wanted) continue;
      if (plan.sinks[s].packed)
        deflater.deflate(sheets[s].text(), packet.bytes[s]);
      else
        packet.bytes[s] = sheets[s].text();
    }
    return packet;
  }

  // One read or pair.

  static Side side_of(const FastqRecord& record, const ReadFacts& facts) {
    Side side;
    side.record = &record;
    side.facts = facts;
    side.window = {record.bases, record.qualities, static_cast<std::int32_t>(record.length), 0,
                   false};
    side.bases = record.bases;
    side.qualities = record.qualities;
    side.only_acgt = has_only_acgt(facts);
    return side;
  }

  void run_single(const FastqRecord& record, const ReadFacts& facts) {
    Side side = side_of(record, facts);
    tally.duplicates.add(hash_bases(record.bases_view(), 0));
    if (rules.umi.place != UmiPlace::None)
      umi = take_umi(record.name_view(), side.window, {}, nullptr, rules.umi);
    trim_ends(side.window, rules.fixed[0], rules);
    if (!side.window.gone) {
      if (rules.poly_g) poly_g(side.window);
      if (rules.trim_adapters) {
        const bool cut = by_sequence(side, 0, true);
        by_list(side, 0, !cut);
      }
      finish_trimming(side.window, 0);
    }
    settle(side);
    ++tally.reads_by_verdict[static_cast<std::size_t>(side.verdict)];
    account(side, 0, side.verdict == Verdict::Passed);
    if (side.verdict == Verdict::Passed)
      write(Sink::Read1, side);
    else
      write_failed(side, side.verdict);
  }

  void run_pair(const FastqRecord& record1, const ReadFacts& facts1, const FastqRecord& record2,
                const ReadFacts& facts2) {
    Side read = side_of(record1, facts1), mate = side_of(record2, facts2);
    tally.duplicates.add(hash_bases(record2.bases_view(), hash_bases(record1.bases_view(), 0)));
    if (rules.umi.place != UmiPlace::None)
      umi =
          take_umi(record1.name_view(), read.window, record2.name_view(), &mate.window, rules.umi);
    trim_ends(read.window, rules.fixed[0], rules);
    trim_ends(mate.window, rules.fixed[1], rules);
    if (!read.window.gone && !mate.window.gone) trim_pair(read, mate);
    settle(read);
    settle(mate);
    const Verdict verdict = std::max(read.verdict, mate.verdict);
    tally.reads_by_verdict[static_cast<std::size_t>(verdict)] += 2;
    const bool passed = verdict == Verdict::Passed;
    account(read, 0, passed);
    account(mate, 1, passed);
    if (passed) {
      write(Sink::Read1, read);
      write(plan.interleave ? Sink::Read1 : Sink::Read2, mate);
    } else {
      write_left_out(read);
      write_left_out(mate);
    }
  }

  void trim_pair(Side& read, Side& mate) {
    if (rules.poly_g) {
      poly_g(read.window);
      poly_g(mate.window);
    }
    const Overlap overlap = find_overlap(read.window, mate.window);
    count_insert(read.window, mate.window, overlap);
    if (rules.correct) correct(read, mate, overlap);
    if (rules.trim_adapters) trim_adapters(read, mate, overlap);
    finish_trimming(read.window, 0);
    finish_trimming(mate.window, 1);
  }

  void trim_adapters(Side& read, Side& mate, const Overlap& overlap) {
    const std::string_view whole_read = read.window.view(), whole_mate = mate.window.view();
    bool cut_read = trim_read_through(read.window, mate.window, overlap), cut_mate = cut_read;
    if (cut_read) {
      count_adapter(whole_read.substr(read.window.view().size()), 0, true);
      count_adapter(whole_mate.substr(mate.window.view().size()), 1, true);
    } else {
      cut_read = by_sequence(read, 0, true);
      cut_mate = by_sequence(mate, 1, true);
    }
    by_list(read, 0, !cut_read);
    by_list(mate, 1, !cut_mate);
  }

  Overlap find_overlap(const Window& read, const Window& mate) {
    const auto size = static_cast<std::size_t>(mate.length);
    if (turned.size() < size + 2 * kTextMargin) turned.resize(size + 2 * kTextMargin);
    kernels().reverse_complement(mate.bases, static_cast<std::uint32_t>(mate.length),
                                 turned.data() + kTextMargin);
    return kernels().find_overlap(read.bases, static_cast<std::uint32_t>(read.length),
                                  turned.data() + kTextMargin,
                                  static_cast<std::uint32_t>(mate.length), rules.overlap);
  }

  void count_insert(const Window& read, const Window& mate, const Overlap& overlap) {
    std::size_t size = kMostInsert;
    if (overlap.found) {
      const std::int32_t bases =
          overlap.offset > 0 ? read.length + mate.length - static_cast<std::int32_t>(overlap.length)
                             : static_cast<std::int32_t>(overlap.length);
      size = std::min(static_cast<std::size_t>(bases + read.front + mate.front), kMostInsert);
    }
    ++tally.inserts[size];
  }

  void correct(Side& read, Side& mate, const Overlap& overlap) {
    if (!overlap.found || overlap.mismatches == 0) return;
    keep_original(read);
    keep_original(mate);
    const Corrected changed = correct_by_overlap(read.window, mate.window, overlap);
    if (changed.in_read == 0) forget_original(read);
    if (changed.in_mate == 0) forget_original(mate);
    tally.corrected_bases += changed.in_read + changed.in_mate;
    tally.corrected_reads += (changed.in_read > 0) + (changed.in_mate > 0);
  }

  void keep_original(Side& side) {
    const std::size_t length = side.record->length;
    std::string copy(2 * length + 3 * kTextMargin, '\0');
    std::copy_n(side.record->bases, length, copy.data() + kTextMargin);
    std::copy_n(side.record->qualities, length, copy.data() + 2 * kTextMargin + length);
    originals.push_back(std::move(copy));
    side.bases = originals.back().data() + kTextMargin;
    side.qualities = originals.back().data() + 2 * kTextMargin + length;
  }

  static void forget_original(Side& side) {
    side.bases = side.record->bases;
    side.qualities = side.record->qualities;
  }

  void poly_g(Window& window) {
    const std::int32_t before_length = window.length;
    trim_poly_g(window, rules.poly_g_least);
    tally.poly_g_reads += window.length < before_length;
    tally.poly_g_bases += static_cast<std::uint64_t>(before_length - window.length);
  }

  void finish_trimming(Window& window, std::size_t m) {
    if (rules.poly_x) {
      const std::int32_t cut = trim_poly_x(window, rules.poly_x_least);
      tally.poly_x_reads += cut > 0;
      tally.poly_x_bases += static_cast<std::uint64_t>(cut);
    }
    const std::int32_t crop = rules.fixed[m].crop;
    if (crop > 0) window.length = std::min(window.length, crop);
  }

  bool by_sequence(Side& side, std::size_t m, bool count_read) {
    if (rules.adapter[m].empty()) return false;
    const std::string_view whole = side.window.view();
    if (!trim_adapter(side.window, rules.adapter[m])) return false;
    count_adapter(whole.substr(side.window.view().size()), m, count_read);
    return true;
  }

  void by_list(Side& side, std::size_t m, bool count_read) {
    const std::size_t count = rules.more_adapters.size();
    if (count == 0) return;
    const std::int32_t least_match = count > 256 ? 6 : count > 16 ? 5 : 4;
    const std::string_view whole = side.window.view();
    bool cut = false;
    for (const std::string& adapter : rules.more_adapters)
      cut |= trim_adapter(side.window, adapter, least_match);
    if (cut) count_adapter(whole.substr(side.window.view().size()), m, count_read);
  }

  void count_adapter(std::string_view cut, std::size_t m, bool count_read) {
    tally.adapter_reads += count_read;
    tally.adapter_bases += cut.size();
    if (!cut.empty()) tally.mates[m].adapters.add(prefix_key(cut));
  }

  /// Brings the facts up to date with the window, and judges.
  void settle(Side& side) {
    if (!side.whole() || side.corrected())
      side.facts = kernels().read_facts(side.window.bases, side.window.qualities,
                                        static_cast<std::uint32_t>(side.window.length),
                                        static_cast<std::uint8_t>(rules.filter.qualified));
    side.verdict = judge(side.window, side.facts, rules.filter);
  }

  /// Notes what the figures after filtering lack and gain against those before.
  void account(const Side& side, std::size_t m, bool passed) {
    const FastqRecord& record = *side.record;
    if (passed)
      tally.mates[m].after.add(static_cast<std::uint32_t>(side.window.length), side.facts);
    if (passed && side.window.bases == record.bases && !side.corrected()) {
      const auto kept = static_cast<std::uint32_t>(side.window.length);
      if (kept < record.length)
        removed[m].push_back(slice_of(record.bases + kept, record.qualities + kept, kept,
                                      record.length - kept, side.only_acgt));
      return;
    }
    removed[m].push_back(slice_of(side.bases, side.qualities, 0, record.length, side.only_acgt));
    if (passed)
      added[m].push_back(slice_of(side.window.bases, side.window.qualities, 0, side.window.length,
                                  has_only_acgt(side.facts)));
  }

  // Writing.

  RecordSheet& sheet(Sink sink) { return sheets[static_cast<std::size_t>(sink)]; }

  void write(Sink sink, const Side& side) {
    if (!plan.of(sink).wanted) return;
    if (umi.empty() && side.whole() && side.record->plain)
      return sheet(sink).add_unchanged(*side.record);
    const std::string_view qualities{side.window.qualities,
                                     static_cast<std::size_t>(side.window.length)};
    if (umi.empty())
      return sheet(sink).add(side.record->name_view(), {}, side.window.view(), qualities);
    sheet(sink).add(name_with_umi(side.record->name_view(), umi, rules.umi), {}, side.window.view(),
                    qualities);
  }

  void write_left_out(const Side& side) {
    if (side.verdict == Verdict::Passed && plan.of(Sink::Unpaired).wanted)
      write(Sink::Unpaired, side);
    else
      write_failed(side, side.verdict);
  }

  void write_failed(const Side& side, Verdict verdict) {
    if (!plan.of(Sink::Failed).wanted) return;
    const std::size_t length = side.record->length;
    sheet(Sink::Failed)
        .add(side.record->name_view(), kReasons[static_cast<std::size_t>(verdict)],
             {side.bases, length}, {side.qualities, length});
  }

  const Rules rules;
  const SinkPlan plan;
  Warnings& warnings;
  BgzfDeflater deflater;
  Tally tally;
  ParsedChunk parsed[2];
  std::vector<Slice> before, removed[2], added[2];
  std::deque<std::string> originals;
  std::array<RecordSheet, kSinks> sheets;
  std::string turned;  ///< the mate's reverse complement, at kTextMargin
  std::string umi;
};

ReadsWorker::ReadsWorker(const Rules& rules, const SinkPlan& plan, Warnings& warnings)
    : impl_(std::make_unique<Impl>(rules, plan, warnings)) {}
ReadsWorker::~ReadsWorker() = default;

const Tally& ReadsWorker::tally() const noexcept { return impl_->tally; }

Packet ReadsWorker::single(const FastqChunk& chunk) {
  Impl& work = *impl_;
  work.begin_chunk();
  work.parse(chunk, work.parsed[0], work.tally.mates[0]);
  work.measure(work.parsed[0], chunk.first_record, work.tally.mates[0]);
  for (std::size_t i = 0; i < work.parsed[0].records.size(); ++i)
    work.run_single(work.parsed[0].records[i], work.parsed[0].facts[i]);
  return work.end_chunk(chunk.source_bytes);
}

Packet ReadsWorker::pairs(const FastqChunk& chunk1, const FastqChunk& chunk2) {
  Impl& work = *impl_;
  work.begin_chunk();
  work.parse(chunk1, work.parsed[0], work.tally.mates[0]);
  work.parse(chunk2, work.parsed[1], work.tally.mates[1]);
  const auto& [one, two] = work.parsed;
  check_pairs(chunk1, one, chunk2, two);
  work.measure(one, chunk1.first_record, work.tally.mates[0]);
  work.measure(two, chunk2.first_record, work.tally.mates[1]);
  for (std::size_t i = 0; i < one.records.size(); ++i)
    work.run_pair(one.records[i], one.facts[i], two.records[i], two.facts[i]);
  return work.end_chunk(chunk1.source_bytes + chunk2.source_bytes);
}

Packet ReadsWorker::interleaved(const FastqChunk& chunk) {
  Impl& work = *impl_;
  work.begin_chunk();
  ParsedChunk both;
  work.parse(chunk, both, work.tally.mates[0]);
  check_interleaved(chunk, both);
  for (ParsedChunk& parsed : work.parsed) parsed.clear();
  for (std::size_t i = 0; i < both.records.size(); ++i) {
    work.parsed[i % 2].records.push_back(both.records[i]);
    work.parsed[i % 2].facts.push_back(both.facts[i]);
  }
  const auto& [one, two] = work.parsed;
  work.measure(one, chunk.first_record / 2, work.tally.mates[0]);
  work.measure(two, chunk.first_record / 2, work.tally.mates[1]);
  for (std::size_t i = 0; i < one.records.size(); ++i)
    work.run_pair(one.records[i], one.facts[i], two.records[i], two.facts[i]);
  return work.end_chunk(chunk.source_bytes);
}

void Tally::add(const Tally& other) {
  for (std::size_t m = 0; m < 2; ++m) {
    MateTally& mine = mates[m];
    const MateTally& theirs = other.mates[m];
    mine.before.add(theirs.before);
    mine.after.add(theirs.after);
    mine.cycles_before.add(theirs.cycles_before);
    mine.removed.add(theirs.removed);
    mine.added.add(theirs.added);
    mine.sampled.add(theirs.sampled);
    mine.adapters.add(theirs.adapters);
    for (const auto& [start, count] : theirs.starts) mine.starts[start] += count;
    mine.starts_sampled += theirs.starts_sampled;
    mine.quality_least = std::min(mine.quality_least, theirs.quality_least);
    mine.quality_most = std::max(mine.quality_most, theirs.quality_most);
  }
  for (std::size_t i = 0; i < kVerdicts; ++i) reads_by_verdict[i] += other.reads_by_verdict[i];
  for (std::size_t i = 0; i <= kMostInsert; ++i) inserts[i] += other.inserts[i];
  duplicates.add(other.duplicates);
  adapter_reads += other.adapter_reads;
  adapter_bases += other.adapter_bases;
  poly_x_reads += other.poly_x_reads;
  poly_x_bases += other.poly_x_bases;
  poly_g_reads += other.poly_g_reads;
  poly_g_bases += other.poly_g_bases;
  corrected_reads += other.corrected_reads;
  corrected_bases += other.corrected_bases;
}

}  // namespace aceso::genomics
