#include "aceso/lm/language_model.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/threads.hpp"

#include <algorithm>
#include <numeric>

namespace aceso::lm {
namespace {

/// Items of one call: positions in the caller's list.
using Group = std::vector<std::size_t>;

/// Longest first, so that threads end at about the same time.
std::vector<Group> grouped(std::span<const Item> items, std::size_t tokens_at_once) {
  Group order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return items[a].tokens.size() > items[b].tokens.size();
  });
  std::vector<Group> groups;
  std::size_t tokens = tokens_at_once;
  for (const std::size_t i : order) {
    if (tokens + items[i].tokens.size() > tokens_at_once) {
      groups.emplace_back();
      tokens = 0;
    }
    groups.back().push_back(i);
    tokens += items[i].tokens.size();
  }
  return groups;
}

}  // namespace

LanguageModel::LanguageModel(const std::filesystem::path& model, nn::Precision precision,
                             nn::Device device)
    : folder_(model),
      net_(folder_, precision, device),
      tokenizer_(folder_.description().tokenizer, model.string()) {
  if (tokenizer_.size() > net_.spec().vocabulary)
    fail(Errc::CorruptData, "{}: the tokenizer has {} tokens, the weights only {}", model.string(),
         tokenizer_.size(), net_.spec().vocabulary);
}

LanguageModel LanguageModel::with_weights(const nn::TensorSet& weights) const {
  return {folder_,
          nn::Transformer(net_.spec(), weights, net_.precision(), folder_.path().string(),
                          net_.device()),
          tokenizer_};
}

std::vector<nn::Token> LanguageModel::encode(std::string_view text, std::string_view place) const {
  try {
    std::vector<nn::Token> tokens = tokenizer_.encode(text);
    const auto limit = static_cast<std::size_t>(net_.spec().max_length);
    if (limit > 0 && tokens.size() > limit)
      fail(Errc::CorruptData, "expected at most {} tokens, which the model takes, found {}", limit,
           tokens.size());
    return tokens;
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", place, error.what());
  }
}

void LanguageModel::for_each(std::span<const Item> items, unsigned threads, Progress& progress,
                             const std::stop_token& stop,
                             const std::function<void(const Item&, const Tensor&)>& body) const {
  const std::vector<Group> groups = grouped(items, tokens_at_once(net_.device()));
  const auto work = [&](std::size_t begin, std::size_t end) {
    for (std::size_t g = begin; g < end; ++g) {
      nn::PackedTokens batch;
      for (const std::size_t i : groups[g]) batch.add(items[i].tokens);
      const Tensor hidden = net_.hidden(batch);
      for (std::size_t s = 0; s < groups[g].size(); ++s)
        body(items[groups[g][s]], hidden.slice(batch.offsets[s], batch.offsets[s + 1]));
      progress.advance(batch.tokens.size());
    }
  };
  parallel_for(groups.size(), 1, threads, work, stop);
}

}  // namespace aceso::lm
