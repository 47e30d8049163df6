#include "aceso/lm/masked.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace aceso::lm {

void log_softmax(std::span<float> logits, std::size_t row_size) {
  for (std::size_t begin = 0; begin < logits.size(); begin += row_size) {
    const auto row = logits.subspan(begin, row_size);
    const float highest = *std::ranges::max_element(row);
    double sum = 0;
    for (const float logit : row) sum += std::exp(static_cast<double>(logit - highest));
    const double shift = static_cast<double>(highest) + std::log(sum);
    for (float& logit : row) logit = static_cast<float>(static_cast<double>(logit) - shift);
  }
}

void check_masked(const LanguageModel& model) {
  const char* lack = model.net().spec().causal           ? "a causal one"
                     : model.net().spec().head == "none" ? "one without a language head"
                     : model.tokenizer().mask() < 0      ? "one without a mask token"
                                                         : nullptr;
  if (lack != nullptr)
    fail(Errc::Unsupported, "{}: expected a masked language model, found {}",
         model.description().name, lack);
}

void masked_log_probabilities(
    const LanguageModel& model, std::span<const MaskedQuery> queries, unsigned threads,
    Progress& progress, const std::stop_token& stop,
    const std::function<void(std::size_t query, std::span<const float> rows)>& body) {
  std::vector<Item> items;
  items.reserve(queries.size());
  for (const MaskedQuery& query : queries) items.push_back({items.size(), query.tokens});
  const auto hidden = static_cast<std::size_t>(model.net().spec().hidden);
  model.for_each(items, threads, progress, stop, [&](const Item& item, const Tensor& rows) {
    const std::vector<std::int32_t>& places = queries[item.index].places;
    Tensor asked(DType::F32,
                 {static_cast<std::int64_t>(places.size()), static_cast<std::int64_t>(hidden)});
    for (std::size_t i = 0; i < places.size(); ++i)
      std::memcpy(asked.values<float>().data() + i * hidden,
                  rows.values<float>().data() + static_cast<std::size_t>(places[i]) * hidden,
                  hidden * sizeof(float));
    Tensor logits = model.net().logits(asked);
    log_softmax(logits.values<float>(), static_cast<std::size_t>(model.net().spec().vocabulary));
    body(item.index, logits.values<float>());
  });
}

}  // namespace aceso::lm
