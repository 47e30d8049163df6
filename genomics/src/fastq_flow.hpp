// FASTQ files as a flow of chunks: what every app that takes reads begins with. Files are looked
// into before the graph is built; what was read then is handed out again.
#pragma once

#include "fastq_cutter.hpp"
#include "text_source.hpp"

#include "aceso/graph/graph.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace aceso::genomics {

/// Files read one after the other, whose beginning can be looked at.
class FastqFiles {
 public:
  FastqFiles(const std::vector<std::filesystem::path>& files, Warnings& warnings)
      : source_(files, warnings) {}

  /// Reads one piece ahead, as text; null at the end.
  const TextPiece* look_ahead();
  std::optional<TextPiece> next();

  [[nodiscard]] const std::shared_ptr<const std::vector<std::string>>& names() const {
    return source_.file_names();
  }

 private:
  TextSource source_;
  BgzfInflater inflater_;
  std::deque<TextPiece> ahead_;
};

/// What the beginning of a file tells.
struct FastqHead {
  std::string first_name;
  std::size_t bytes_per_record = 0;
  std::vector<std::string> reads;  ///< at most as many as asked for
};

[[nodiscard]] FastqHead look_at_head(FastqFiles& files, std::size_t reads_wanted);

/// How many records make a chunk that is small enough for the level-2 cache. Even, for interleaved
/// files.
[[nodiscard]] std::uint32_t records_per_chunk(std::size_t bytes_per_record);

struct ReadText {
  graph::Out<TextPiece> out{"text"};
  std::shared_ptr<FastqFiles> source;

  auto ports() { return std::tie(out); }
  graph::Flow compute(const graph::Tick&) {
    auto piece = source->next();
    if (!piece) return graph::Flow::Done;
    out.send(std::move(*piece));
    return graph::Flow::Continue;
  }
};

struct Inflate {
  graph::In<TextPiece> in{"packed"};
  graph::Out<TextPiece> out{"text"};
  std::shared_ptr<const std::vector<std::string>> files;
  std::shared_ptr<BgzfInflater> inflater;  ///< made at the first tick: each copy has its own

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    if (!inflater) inflater = std::make_shared<BgzfInflater>();
    out.send(inflate_piece(in.take(), *inflater, *files));
    return graph::Flow::Continue;
  }
};

struct Cut {
  graph::In<TextPiece> in{"text"};
  graph::Out<FastqChunk> out{"reads"};
  FastqCutter cutter;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    cutter.add(in.take(), [this](FastqChunk chunk) { out.send(std::move(chunk)); });
    return graph::Flow::Continue;
  }
  void finish(const graph::Tick&) {
    cutter.finish([this](FastqChunk chunk) { out.send(std::move(chunk)); });
  }
};

/// Adds the nodes that turn `files` into chunks of `records` records, and returns the last one.
[[nodiscard]] graph::NodeRef<Cut> add_reading(graph::Graph& g, const std::string& mate,
                                              const std::shared_ptr<FastqFiles>& files,
                                              std::uint32_t records, unsigned threads);

/// Checks that two chunks hold mates in the same order. \throws Error CorruptData.
void check_pairs(const FastqChunk& chunk1, const ParsedChunk& reads1, const FastqChunk& chunk2,
                 const ParsedChunk& reads2);
/// Checks that mates stand one behind the other. \throws Error CorruptData.
void check_interleaved(const FastqChunk& chunk, const ParsedChunk& reads);
/// Says that `other` has ended while `chunk` goes on. \throws Error CorruptData.
[[noreturn]] void refuse_rest(const FastqChunk& chunk, const std::vector<std::string>& other);

}  // namespace aceso::genomics
