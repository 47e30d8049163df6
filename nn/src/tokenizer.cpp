#include "aceso/nn/tokenizer.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace aceso::nn {
namespace {

enum class Rule { Residues, Smiles, Pieces, Kmers, Codons };
constexpr std::array<std::pair<std::string_view, Rule>, 5> kRules{{{"residues", Rule::Residues},
                                                                   {"smiles", Rule::Smiles},
                                                                   {"pieces", Rule::Pieces},
                                                                   {"kmers", Rule::Kmers},
                                                                   {"codons", Rule::Codons}}};
constexpr Token kMostTokens = 1 << 20;

/// The length of the SMILES token that begins `text`: a bracket atom, a two-letter element, @@,
/// a two-digit ring number, or one character.
std::size_t smiles_token(std::string_view text) {
  if (text[0] == '[') {
    const auto close = text.find(']');
    return close == std::string_view::npos ? 1 : close + 1;
  }
  if (text.starts_with("Br") || text.starts_with("Cl") || text.starts_with("@@")) return 2;
  if (text[0] == '%' && text.size() >= 3) return 3;
  return 1;
}

void all_words(int k, std::string& word, std::vector<std::string>& words) {
  if (static_cast<int>(word.size()) == k) {
    words.push_back(word);
    return;
  }
  for (const char base : {'A', 'C', 'G', 'T'}) {
    word.push_back(base);
    all_words(k, word, words);
    word.pop_back();
  }
}

Json framed(std::string_view type, std::vector<std::string> special,
            std::vector<std::string> plain) {
  plain.insert(plain.begin(), special.begin(), special.end());
  return {{"type", type},      {"tokens", plain},       {"begin", special[1]}, {"end", special[2]},
          {"pad", special[0]}, {"unknown", special[3]}, {"mask", special[4]}};
}

}  // namespace

struct Tokenizer::Impl {
  Json description;
  std::string source;
  Rule rule = Rule::Residues;
  std::vector<std::string> tokens;
  std::unordered_map<std::string, Token> index;
  std::set<Token> special;
  Token begin = -1, end = -1, pad = -1, unknown = -1, mask = -1;
  std::size_t k = 1, stride = 1, longest = 1;

  Impl(const Json& json, std::string_view the_source) : description(json), source(the_source) {
    if (!json.is_object())
      fail(Errc::CorruptData, "{}: tokenizer: expected a description, found none", source);
    read_rule();
    read_tokens();
    begin = special_token("begin");
    end = special_token("end");
    pad = special_token("pad");
    unknown = special_token("unknown");
    mask = special_token("mask");
    k = count("k", rule == Rule::Codons ? 3 : 1, 8);
    stride = count("stride", rule == Rule::Codons ? 3 : 1, 8);
  }

  void read_rule() {
    const std::string type = description.contains("type") && description["type"].is_string()
                                 ? description["type"].get<std::string>()
                                 : "";
    const auto found = std::ranges::find(kRules, std::string_view(type),
                                         &std::pair<std::string_view, Rule>::first);
    if (found == kRules.end())
      fail(Errc::CorruptData,
           "{}: tokenizer.type: expected residues, smiles, pieces, kmers or codons; found \"{}\"",
           source, printable(type));
    rule = found->second;
  }

  void read_tokens() {
    const auto list = description.find("tokens");
    if (list == description.end() || !list->is_array() || list->empty() ||
        list->size() > static_cast<std::size_t>(kMostTokens))
      fail(Errc::CorruptData, "{}: tokenizer.tokens: expected the list of tokens", source);
    for (const Json& token : *list) {
      // A digit in unquoted YAML comes as a number.
      const std::string text = token.is_string() ? token.get<std::string>() : token.dump();
      if (text.empty())
        fail(Errc::CorruptData, "{}: tokenizer.tokens: expected texts, found an empty one", source);
      longest = std::max(longest, text.size());
      if (!index.emplace(text, static_cast<Token>(tokens.size())).second)
        fail(Errc::CorruptData, "{}: tokenizer.tokens: {} is listed twice", source,
             printable(text));
      tokens.push_back(text);
    }
  }

  Token special_token(const char* role) {
    const auto found = description.find(role);
    if (found == description.end() || found->is_null()) return -1;
    const auto known = index.find(found->is_string() ? found->get<std::string>() : found->dump());
    if (known == index.end())
      fail(Errc::CorruptData, "{}: tokenizer.{}: {} is not among the tokens", source, role,
           printable(found->dump()));
    special.insert(known->second);
    return known->second;
  }

  [[nodiscard]] std::size_t count(const char* name, std::size_t missing, std::size_t most) const {
    const auto found = description.find(name);
    if (found == description.end()) return missing;
    if (!found->is_number_integer() || found->get<std::int64_t>() < 1 ||
        found->get<std::size_t>() > most)
      fail(Errc::CorruptData, "{}: tokenizer.{}: expected a number from 1 to {}", source, name,
           most);
    return found->get<std::size_t>();
  }

  [[nodiscard]] Token lookup(const std::string& word, std::size_t place) const {
    const auto found = index.find(word);
    const bool frames =
        rule == Rule::Pieces && found != index.end() && special.contains(found->second);
    if (found != index.end() && !frames) return found->second;
    if (unknown < 0)
      fail(Errc::CorruptData, "character {}: \"{}\" is not in the model's vocabulary", place + 1,
           printable(word));
    return unknown;
  }

  /// The length of the longest plain token that begins `text`; 1 if there is none.
  [[nodiscard]] std::size_t piece(std::string_view text) const {
    for (std::size_t length = std::min(longest, text.size()); length > 0; --length) {
      const auto found = index.find(std::string(text.substr(0, length)));
      if (found != index.end() && !special.contains(found->second)) return length;
    }
    return 1;
  }

  void cut(std::string_view text, std::vector<Token>& out) const {
    if (rule == Rule::Smiles || rule == Rule::Pieces) {
      for (std::size_t i = 0; i < text.size();) {
        const std::string_view rest = text.substr(i);
        const std::size_t length = rule == Rule::Smiles ? smiles_token(rest) : piece(rest);
        out.push_back(lookup(std::string(text.substr(i, length)), i));
        i += length;
      }
      return;
    }
    for (std::size_t i = 0; i + k <= text.size(); i += stride) {
      std::string word(text.substr(i, k));
      for (char& c : word) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (c == 'U' && rule == Rule::Codons) c = 'T';
      }
      out.push_back(lookup(word, i));
    }
  }
};

Tokenizer::Tokenizer(const Json& description, std::string_view source)
    : impl_(std::make_shared<const Impl>(description, source)) {}

Tokenizer Tokenizer::esm() {
  std::vector<std::string> tokens{"<cls>", "<pad>", "<eos>", "<unk>"};
  for (const char c : std::string_view("LAGVSERTIDPKQNFYMHWCXBUZO.-")) tokens.emplace_back(1, c);
  tokens.insert(tokens.end(), {"<null_1>", "<mask>"});
  return {{{"type", "residues"},
           {"tokens", tokens},
           {"begin", "<cls>"},
           {"end", "<eos>"},
           {"pad", "<pad>"},
           {"unknown", "<unk>"},
           {"mask", "<mask>"}},
          "ESM-2"};
}

Tokenizer Tokenizer::smiles(std::span<const std::string> corpus) {
  std::set<std::string> seen;
  for (const std::string& text : corpus) {
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = smiles_token(std::string_view(text).substr(i));
      seen.insert(text.substr(i, length));
      i += length;
    }
  }
  return {
      framed("smiles", {"<pad>", "<bos>", "<eos>", "<unk>", "<mask>"}, {seen.begin(), seen.end()}),
      "SMILES vocabulary"};
}

Tokenizer Tokenizer::nucleotides() {
  return {
      framed("residues", {"<pad>", "<cls>", "<eos>", "<unk>", "<mask>"}, {"A", "C", "G", "T", "N"}),
      "nucleotides"};
}

Tokenizer Tokenizer::kmers(int k, int stride) {
  if (k < 1 || k > 8 || stride < 1 || stride > 8)
    fail(Errc::InvalidArgument, "expected k and stride from 1 to 8, found {} and {}", k, stride);
  std::vector<std::string> words;
  std::string word;
  all_words(k, word, words);
  Json json = framed("kmers", {"<pad>", "<cls>", "<eos>", "<unk>", "<mask>"}, words);
  json["k"] = k;
  json["stride"] = stride;
  return {json, "k-mers"};
}

Tokenizer Tokenizer::codons() {
  std::vector<std::string> words;
  std::string word;
  all_words(3, word, words);
  return {framed("codons", {"<pad>", "<cls>", "<eos>", "<unk>", "<mask>"}, words), "codons"};
}

std::vector<Token> Tokenizer::encode(std::string_view text, bool frame) const {
  std::vector<Token> tokens;
  tokens.reserve(text.size() + 2);
  if (frame && begin() >= 0) tokens.push_back(begin());
  impl_->cut(text, tokens);
  if (frame && end() >= 0) tokens.push_back(end());
  return tokens;
}

std::string Tokenizer::decode(std::span<const Token> tokens) const {
  std::string result;
  for (const Token token : tokens) {
    if (token == begin() || token == end() || token == pad()) continue;
    // Words that overlap share all but their last `stride` characters.
    const std::string& word = text(token);
    const bool overlaps = impl_->stride < impl_->k && !result.empty() && is_plain(token);
    result += overlaps ? word.substr(word.size() - std::min(impl_->stride, word.size())) : word;
  }
  return result;
}

Token Tokenizer::size() const noexcept { return static_cast<Token>(impl_->tokens.size()); }
Token Tokenizer::begin() const noexcept { return impl_->begin; }
Token Tokenizer::end() const noexcept { return impl_->end; }
Token Tokenizer::pad() const noexcept { return impl_->pad; }
Token Tokenizer::unknown() const noexcept { return impl_->unknown; }
Token Tokenizer::mask() const noexcept { return impl_->mask; }

const std::string& Tokenizer::text(Token token) const {
  if (token < 0 || token >= size())
    fail(Errc::InvalidArgument, "expected a token from 0 to {}, found {}", size() - 1, token);
  return impl_->tokens[static_cast<std::size_t>(token)];
}

Token Tokenizer::find(std::string_view text) const noexcept {
  const auto found = impl_->index.find(std::string(text));
  return found == impl_->index.end() ? -1 : found->second;
}

bool Tokenizer::is_plain(Token token) const noexcept {
  if (token < 0 || token >= size() || impl_->special.contains(token)) return false;
  return impl_->tokens[static_cast<std::size_t>(token)].front() != '<';
}

Json Tokenizer::to_json() const { return impl_->description; }

}  // namespace aceso::nn
