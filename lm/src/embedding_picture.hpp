/// \file
/// Embeddings of sequences as points in a plane, for the report.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/lm/embedding_file.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::lm {

/// Collects mean embeddings and draws them along their first two principal components. Of very
/// many sequences every k-th is drawn, so that a page can hold the picture.
class EmbeddingPicture {
 public:
  /// `lengths` of the sequences, in letters.
  EmbeddingPicture(const std::vector<EmbeddingFile::Sequence>& sequences, std::size_t hidden,
                   const std::vector<double>& lengths);

  /// Colours by a column of a table instead of by length.
  /// \throws Error CorruptData naming file and row: a column that lacks, an id that comes twice,
  /// no id of the sequences at all.
  void read_labels(const std::filesystem::path& table, std::string_view id_column,
                   std::string_view label_column);

  /// May be called from several threads, once for each sequence.
  void put(std::size_t sequence, std::span<const float> mean);

  /// Adds the picture to the report, unless there are fewer than three points. Sequences without
  /// a label are a warning.
  void report(app::RunContext& context) const;

 private:
  [[nodiscard]] app::Scatter scatter(app::RunContext& context) const;
  void colour(app::Scatter& scatter, app::RunContext& context) const;

  std::size_t hidden_, stride_, sequences_;
  std::vector<std::string> names_;
  std::vector<double> lengths_;
  std::vector<std::string> labels_;  ///< of the points; empty: coloured by length
  std::string label_name_, label_file_;
  std::vector<float> means_;  ///< [points, hidden]
};

}  // namespace aceso::lm
