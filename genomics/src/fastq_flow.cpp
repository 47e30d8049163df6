#include "fastq_flow.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

// Text of a chunk: small enough for the level-2 cache, large enough to make blocks of.
constexpr std::size_t kChunkText = 512 << 10;
constexpr std::uint32_t kMostRecords = 4096;

[[noreturn]] void refuse_lonely(const FastqChunk& chunk, std::size_t record,
                                const FastqChunk& other) {
  fail(Errc::CorruptData, "{} has no mate: {} ends after {} reads",
       chunk.place(static_cast<std::uint32_t>(record)), other.files->back(),
       other.first_record + other.record_count);
}

}  // namespace

const TextPiece* FastqFiles::look_ahead() {
  auto piece = source_.next();
  if (!piece) return nullptr;
  ahead_.push_back(inflate_piece(std::move(*piece), inflater_, *names()));
  return &ahead_.back();
}

std::optional<TextPiece> FastqFiles::next() {
  if (ahead_.empty()) return source_.next();
  TextPiece piece = std::move(ahead_.front());
  ahead_.pop_front();
  return piece;
}

FastqHead look_at_head(FastqFiles& source, std::size_t reads_wanted) {
  FastqHead head;
  Warnings unheard;                        // the run itself warns
  FastqCutter cutter(16, source.names());  // few: a read may have 100,000 bases
  ParsedChunk parsed;
  const auto learn = [&](const FastqChunk& chunk) {
    parse_fastq(chunk, 15, unheard, parsed);
    if (head.first_name.empty() && !parsed.records.empty())
      head.first_name = parsed.records.front().name_view();
    for (const FastqRecord& record : parsed.records) {
      if (head.reads.size() < reads_wanted) head.reads.emplace_back(record.bases_view());
    }
  };
  std::size_t text = 0, records = 0;
  const auto keep = [&](FastqChunk chunk) {
    text += chunk.size;
    records += chunk.record_count;
    learn(chunk);
  };
  do {
    const TextPiece* piece = source.look_ahead();
    if (piece == nullptr) {
      cutter.finish(keep);
      break;
    }
    cutter.add(*piece, keep);
  } while (head.reads.size() < reads_wanted || records == 0);
  head.bytes_per_record = text / std::max<std::size_t>(records, 1);
  return head;
}

std::uint32_t records_per_chunk(std::size_t bytes_per_record) {
  const std::size_t records = kChunkText / std::max<std::size_t>(bytes_per_record, 1);
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(records, 2, kMostRecords)) & ~1U;
}

graph::NodeRef<Cut> add_reading(graph::Graph& g, const std::string& mate,
                                const std::shared_ptr<FastqFiles>& source, std::uint32_t records,
                                unsigned threads) {
  auto read = g.add("read" + mate, ReadText{.source = source});
  auto inflate = g.add("inflate" + mate, Inflate{.files = source->names(), .inflater = nullptr},
                       {.copies = threads});
  auto cut = g.add("cut" + mate, Cut{.cutter = FastqCutter(records, source->names())});
  g.connect(read, &ReadText::out, inflate, &Inflate::in);
  g.connect(inflate, &Inflate::out, cut, &Cut::in);
  return cut;
}

void check_pairs(const FastqChunk& chunk1, const ParsedChunk& reads1, const FastqChunk& chunk2,
                 const ParsedChunk& reads2) {
  const auto &one = reads1.records, &two = reads2.records;
  if (one.size() > two.size()) refuse_lonely(chunk1, two.size(), chunk2);
  if (two.size() > one.size()) refuse_lonely(chunk2, one.size(), chunk1);
  for (std::size_t i = 0; i < one.size(); ++i)
    check_mates(chunk1, one[i], chunk2, two[i], static_cast<std::uint32_t>(i));
}

void check_interleaved(const FastqChunk& chunk, const ParsedChunk& reads) {
  const auto& records = reads.records;
  if (records.size() % 2 != 0)
    fail(Errc::CorruptData,
         "{}: its mate is missing: an interleaved file holds an even number of reads",
         chunk.place(static_cast<std::uint32_t>(records.size() - 1)));
  for (std::size_t i = 0; i < records.size(); i += 2)
    check_mates(chunk, records[i], chunk, records[i + 1], static_cast<std::uint32_t>(i));
}

void refuse_rest(const FastqChunk& chunk, const std::vector<std::string>& other) {
  fail(Errc::CorruptData, "{} has no mate: {} ends after {} reads", chunk.place(0), other.back(),
       chunk.first_record);
}

}  // namespace aceso::genomics
