#include "aceso/lm/sampler.hpp"

#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/threads.hpp"
#include "philox.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>

namespace aceso::lm {
namespace {

constexpr std::int64_t kLongest = 4096;

double log_probability(std::span<const float> logits, nn::Token token) {
  const double most = std::ranges::max(logits);
  double total = 0;
  for (const float logit : logits) total += std::exp(double{logit} - most);
  return double{logits[static_cast<std::size_t>(token)]} - most - std::log(total);
}

/// One sequence on its way through a slot.
struct Path {
  std::size_t place = 0;  ///< in the list of results
  Sample made;
};

/// What a path does with the logits behind its last token: the token that it takes, the end token
/// if it is done.
using Choice = std::function<nn::Token(const Path&, std::span<const float>)>;

/// Moves `count` sequences through the model, up to `batch` at a time on each of the threads. Each
/// is kept by `done` when its choice is the end or it has reached `longest` tokens.
class Walk {
 public:
  Walk(const NextTokenModel& model, std::size_t count, std::size_t longest, Choice choice,
       std::function<void(Path)> done)
      : model_(model),
        count_(count),
        longest_(longest),
        choice_(std::move(choice)),
        done_(std::move(done)) {}

  void run(std::size_t batch, unsigned threads, Progress& progress, const std::stop_token& stop) {
    if (count_ == 0) return;
    const std::size_t share = (count_ + threads - 1) / threads;
    const std::size_t slots =
        std::clamp<std::size_t>(std::min(batch, share), 1, NextTokenModel::kMostSlots);
    const std::size_t workers = std::min<std::size_t>(threads, (count_ + slots - 1) / slots);
    parallel_for(
        workers, 1, threads, [&](std::size_t, std::size_t) { work(slots, progress, stop); }, stop);
  }

 private:
  void work(std::size_t slots, Progress& progress, const std::stop_token& stop) {
    const std::unique_ptr<Writing> writing = model_.write(slots);
    std::vector<Path> paths(slots);
    std::vector<std::size_t> live;
    std::vector<nn::Token> tokens;
    for (std::size_t slot = 0; slot < slots; ++slot)
      if (begin(paths[slot])) live.push_back(slot);
    tokens.assign(live.size(), model_.tokenizer().begin());
    while (!live.empty()) {
      throw_if_stopped(stop);
      const Tensor logits = writing->step(live, tokens);
      const std::size_t width = static_cast<std::size_t>(logits.shape()[1]);
      std::size_t kept = 0;
      for (std::size_t r = 0; r < live.size(); ++r) {
        const std::size_t slot = live[r];
        nn::Token next = 0;
        const auto row = std::span<const float>(logits.values<float>()).subspan(r * width, width);
        if (!advance(paths[slot], row, next)) {
          done_(std::move(paths[slot]));
          progress.advance(1);
          if (!begin(paths[slot])) continue;
          writing->restart(slot);
          next = model_.tokenizer().begin();
        }
        live[kept] = slot;
        tokens[kept++] = next;
      }
      live.resize(kept);
      tokens.resize(kept);
    }
  }

  /// Takes up the next sequence; false if there is none.
  bool begin(Path& path) {
    path = {next_.fetch_add(1), {}};
    return path.place < count_;
  }

  /// False if the sequence is at its end.
  bool advance(Path& path, std::span<const float> logits, nn::Token& next) const {
    next = choice_(path, logits);
    Sample& made = path.made;
    made.finished = next == model_.tokenizer().end();
    if (!made.finished && made.tokens.size() == longest_) return false;
    made.log_likelihood += log_probability(logits, next);
    if (!made.finished) made.tokens.push_back(next);
    return !made.finished;
  }

  const NextTokenModel& model_;
  std::size_t count_, longest_;
  Choice choice_;
  std::function<void(Path)> done_;
  std::atomic<std::size_t> next_{0};
};

void check(const SamplingOptions& options, std::int64_t most) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
    fail(Errc::InvalidArgument, "expected a temperature of at least 0, found {}",
         options.temperature);
  if (!(options.top_p > 0 && options.top_p <= 1))
    fail(Errc::InvalidArgument, "expected top_p above 0 and at most 1, found {}", options.top_p);
  if (options.top_k < 0)
    fail(Errc::InvalidArgument, "expected top_k of at least 0, found {}", options.top_k);
  if (options.max_length < 0 || (most > 0 && options.max_length > most))
    fail(Errc::InvalidArgument,
         "expected a max_length of at most {}, which the model takes, found {}", most,
         options.max_length);
}

std::size_t length_limit(std::int64_t wanted, std::int64_t most) {
  if (wanted > 0) return static_cast<std::size_t>(wanted);
  return static_cast<std::size_t>(most > 0 ? std::min(most, kLongest) : kLongest);
}

/// Tokens that stand for text, and the end.
std::vector<bool> drawable(const nn::Tokenizer& tokenizer) {
  std::vector<bool> allowed;
  for (nn::Token token = 0; token < tokenizer.size(); ++token)
    allowed.push_back(tokenizer.is_plain(token) || token == tokenizer.end());
  return allowed;
}

struct Candidate {
  double share = 0;
  nn::Token token = 0;
};

/// softmax(logits / temperature) of what is allowed; temperature > 0.
std::vector<Candidate> candidates(std::span<const float> logits, const std::vector<bool>& allowed,
                                  double temperature) {
  std::vector<Candidate> list;
  double most = -HUGE_VAL, total = 0;
  for (std::size_t t = 0; t < allowed.size(); ++t) {
    if (!allowed[t]) continue;
    list.push_back({double{logits[t]} / temperature, static_cast<nn::Token>(t)});
    most = std::max(most, list.back().share);
  }
  for (Candidate& one : list) total += one.share = std::exp(one.share - most);
  for (Candidate& one : list) one.share /= total;
  return list;
}

/// Leaves the likeliest ones, and returns their share.
double keep_likeliest(std::vector<Candidate>& list, std::int64_t top_k, double top_p) {
  if (top_k == 0 && top_p >= 1) return 1.0;
  std::ranges::stable_sort(list, [](const auto& a, const auto& b) { return a.share > b.share; });
  if (top_k > 0 && static_cast<std::size_t>(top_k) < list.size())
    list.resize(static_cast<std::size_t>(top_k));
  double share = 0, of_all = 0;
  for (const Candidate& one : list) of_all += one.share;
  std::size_t kept = 0;
  while (kept < list.size() && (kept == 0 || share < top_p * of_all)) share += list[kept++].share;
  list.resize(kept);
  return share;
}

}  // namespace

nn::Token draw(std::span<const float> logits, const std::vector<bool>& allowed,
               const SamplingOptions& options, double uniform) {
  const bool greedy = options.temperature == 0;
  std::vector<Candidate> list = candidates(logits, allowed, greedy ? 1.0 : options.temperature);
  const double share =
      keep_likeliest(list, greedy ? 1 : options.top_k, greedy ? 1.0 : options.top_p);
  double left = uniform * share;
  for (const Candidate& one : list) {
    left -= one.share;
    if (left < 0) return one.token;
  }
  return list.back().token;
}

std::vector<Sample> sample(const NextTokenModel& model, std::uint64_t first, std::size_t count,
                           const SamplingOptions& options, unsigned threads, Progress& progress,
                           const std::stop_token& stop) {
  check(options, model.max_length());
  const std::size_t longest = length_limit(options.max_length, model.max_length());
  if (options.prefix.size() > longest)
    fail(Errc::InvalidArgument, "expected a prefix of at most {} tokens, found {}", longest,
         options.prefix.size());
  const std::vector<bool> allowed = drawable(model.tokenizer());
  const auto choice = [&](const Path& path, std::span<const float> logits) {
    const std::size_t at = path.made.tokens.size();
    if (at < options.prefix.size()) return options.prefix[at];
    return draw(logits, allowed, options, uniform(options.seed, first + path.place, at));
  };
  std::vector<Sample> samples(count);
  Walk walk(model, count, longest, choice,
            [&](Path path) { samples[path.place] = std::move(path.made); });
  walk.run(options.batch, threads, progress, stop);
  return samples;
}

std::vector<double> log_likelihoods(const NextTokenModel& model,
                                    std::span<const std::vector<nn::Token>> sequences,
                                    unsigned threads, Progress& progress,
                                    const std::stop_token& stop) {
  const nn::Tokenizer& tokenizer = model.tokenizer();
  std::size_t longest = 0;
  for (const std::vector<nn::Token>& tokens : sequences) {
    longest = std::max(longest, tokens.size());
    for (const nn::Token token : tokens)
      if (token < 0 || token >= tokenizer.size() || token == tokenizer.end())
        fail(Errc::InvalidArgument, "expected tokens from 0 to {} without the end, found {}",
             tokenizer.size() - 1, token);
  }
  if (model.max_length() > 0 && longest > static_cast<std::size_t>(model.max_length()))
    fail(Errc::InvalidArgument, "expected at most {} tokens, which the model takes, found {}",
         model.max_length(), longest);
  const auto choice = [&](const Path& path, std::span<const float>) {
    const std::vector<nn::Token>& tokens = sequences[path.place];
    const std::size_t at = path.made.tokens.size();
    return at < tokens.size() ? tokens[at] : tokenizer.end();
  };
  std::vector<double> results(sequences.size());
  Walk walk(model, sequences.size(), longest, choice,
            [&](Path path) { results[path.place] = path.made.log_likelihood; });
  walk.run(NextTokenModel::kMostSlots, threads, progress, stop);
  return results;
}

}  // namespace aceso::lm
