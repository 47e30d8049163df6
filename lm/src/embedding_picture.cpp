#include "embedding_picture.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/principal_components.hpp"
#include "aceso/lm/table.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

namespace aceso::lm {
namespace {

constexpr std::size_t kMostPoints = 20'000;
constexpr std::size_t kFewestPoints = 3;  // two always lie on a line

std::size_t stride_of(std::size_t sequences) { return (sequences + kMostPoints - 1) / kMostPoints; }

using Labels = std::unordered_map<std::string, std::string>;

Labels labels_by_id(const std::filesystem::path& table, std::string_view id_column,
                    std::string_view label_column) {
  TableReader reader(table);
  const std::size_t id = reader.column(id_column), label = reader.column(label_column);
  Labels labels;
  for (std::vector<std::string> cells; reader.next(cells);)
    if (!labels.emplace(cells[id], cells[label]).second)
      fail(Errc::CorruptData, "{}: expected each {} once, found {} again", reader.place(),
           id_column, printable(cells[id], 60));
  return labels;
}

/// NaN where there is none; nothing if a label is no number.
std::optional<std::vector<double>> as_numbers(const std::vector<std::string>& labels) {
  std::vector<double> numbers;
  for (const std::string& label : labels) {
    double number = std::nan("");
    const char* const end = label.data() + label.size();
    const auto [stop, error] = std::from_chars(label.data(), end, number);
    if (!label.empty() && (error != std::errc() || stop != end)) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers;
}

std::string axis(int number, double explained) {
  return fmt::format("PC{} ({:.1f} % of variance)", number, 100 * explained);
}

}  // namespace

EmbeddingPicture::EmbeddingPicture(const std::vector<EmbeddingFile::Sequence>& sequences,
                                   std::size_t hidden, const std::vector<double>& lengths)
    : hidden_(hidden), stride_(stride_of(sequences.size())), sequences_(sequences.size()) {
  for (std::size_t i = 0; i < sequences.size(); i += stride_) {
    names_.push_back(sequences[i].id);
    lengths_.push_back(lengths[i]);
  }
  means_.resize(names_.size() * hidden);
}

void EmbeddingPicture::read_labels(const std::filesystem::path& table, std::string_view id_column,
                                   std::string_view label_column) {
  const Labels labels = labels_by_id(table, id_column, label_column);
  labels_.clear();
  for (const std::string& name : names_) {
    const auto found = labels.find(name);
    labels_.push_back(found == labels.end() ? "" : found->second);
  }
  if (std::ranges::all_of(labels_, &std::string::empty))
    fail(Errc::CorruptData,
         "{}: expected labels of sequences such as {} in column \"{}\", found none", table.string(),
         printable(names_.front(), 60), label_column);
  label_name_ = label_column;
  label_file_ = table.string();
}

void EmbeddingPicture::put(std::size_t sequence, std::span<const float> mean) {
  if (sequence % stride_ != 0) return;
  std::ranges::copy(mean,
                    means_.begin() + static_cast<std::ptrdiff_t>(sequence / stride_ * hidden_));
}

void EmbeddingPicture::colour(app::Scatter& scatter, app::RunContext& context) const {
  scatter.values = lengths_;
  scatter.colour_label = "length";
  if (labels_.empty()) return;
  scatter.colour_label = label_name_;
  const auto without = std::ranges::count_if(labels_, &std::string::empty);
  if (without > 0)
    context.warnings.add("labels.missing",
                         fmt::format("{}: has no label of {} of {} sequences that are drawn",
                                     label_file_, without, labels_.size()));
  if (const auto numbers = as_numbers(labels_)) {
    scatter.values = *numbers;
    return;
  }
  scatter.values.clear();
  scatter.groups = labels_;
}

app::Scatter EmbeddingPicture::scatter(app::RunContext& context) const {
  PrincipalPlane plane = principal_plane(means_, hidden_, context.threads, context.stop);
  context.metric("explained_variance", Json{plane.explained_first, plane.explained_second});
  app::Scatter scatter{.title = "Sequences by their embeddings",
                       .x_label = axis(1, plane.explained_first),
                       .y_label = axis(2, plane.explained_second),
                       .x = std::move(plane.first),
                       .y = std::move(plane.second),
                       .names = names_};
  scatter.note = "Sequences that the model finds alike are close to each other.";
  if (stride_ > 1)
    scatter.note += fmt::format(" Of {} sequences one in {} is drawn.", sequences_, stride_);
  colour(scatter, context);
  return scatter;
}

void EmbeddingPicture::report(app::RunContext& context) const {
  if (names_.size() < kFewestPoints) return;
  context.report.scatter(scatter(context));
}

}  // namespace aceso::lm
