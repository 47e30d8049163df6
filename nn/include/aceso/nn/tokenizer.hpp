/// \file
/// Text of sequences and molecules to token numbers and back.
#pragma once

#include "aceso/core/json.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

using Token = std::int32_t;

/// A vocabulary and the rule that cuts text. Immutable; thread-safe; cheap to copy.
///
/// As JSON (`tokenizer` of model.yaml):
///   {"type": "residues" | "smiles" | "pieces" | "kmers" | "codons", "tokens": [...],
///    "begin": "<cls>", "end": "<eos>", "pad": "<pad>", "unknown": "<unk>", "mask": "<mask>",
///    "k": 6, "stride": 1}
/// "tokens" lists the vocabulary in order. "pieces" takes, from left to right, the longest token
/// that fits and frames nothing. Types other than smiles and pieces read upper case.
class Tokenizer {
 public:
  /// \throws Error CorruptData naming `source` and what is wrong.
  Tokenizer(const Json& description, std::string_view source);

  /// The 33 tokens of ESM-2.
  [[nodiscard]] static Tokenizer esm();
  /// SMILES tokens that occur in `corpus`, after <pad> <bos> <eos> <unk> <mask>; sorted.
  [[nodiscard]] static Tokenizer smiles(std::span<const std::string> corpus);
  /// A C G T N singly, with <pad> <cls> <eos> <unk> <mask>.
  [[nodiscard]] static Tokenizer nucleotides();
  /// All 4^k words over A C G T, 1 <= k <= 8.
  [[nodiscard]] static Tokenizer kmers(int k, int stride);
  /// All 64 codons; reads U as T.
  [[nodiscard]] static Tokenizer codons();

  /// Token numbers of `text`, with begin and end tokens if the vocabulary has them and `frame`.
  /// What the vocabulary lacks becomes the unknown token.
  /// \throws Error CorruptData if there is no unknown token and one is needed; says where.
  [[nodiscard]] std::vector<Token> encode(std::string_view text, bool frame = true) const;
  /// The text of `tokens`; begin, end and padding are left out.
  [[nodiscard]] std::string decode(std::span<const Token> tokens) const;

  [[nodiscard]] Token size() const noexcept;
  /// -1 if there is none.
  [[nodiscard]] Token begin() const noexcept;
  [[nodiscard]] Token end() const noexcept;
  [[nodiscard]] Token pad() const noexcept;
  [[nodiscard]] Token unknown() const noexcept;
  [[nodiscard]] Token mask() const noexcept;
  [[nodiscard]] const std::string& text(Token token) const;
  /// -1 if there is none.
  [[nodiscard]] Token find(std::string_view text) const noexcept;
  /// Whether `token` stands for text, rather than framing, padding, unknown or mask.
  [[nodiscard]] bool is_plain(Token token) const noexcept;

  [[nodiscard]] Json to_json() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace aceso::nn
