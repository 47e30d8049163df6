/// \file
/// Many token sequences in one mapped file: a corpus that need not fit into memory.
#pragma once

#include "aceso/core/files.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aceso::lm {

/// Sequences of tokens, read in place. Thread-safe.
class TokenStore {
 public:
  /// Collects sequences into a file, which open() then maps.
  class Writer {
   public:
    /// \throws Error Io, OutOfResources.
    explicit Writer(const std::filesystem::path& path) : file_(path) {}
    void add(std::span<const nn::Token> tokens);
    [[nodiscard]] std::size_t sequences() const noexcept { return offsets_.size() - 1; }
    [[nodiscard]] std::uint64_t tokens() const noexcept { return offsets_.back(); }
    /// \throws Error Io, OutOfResources.
    [[nodiscard]] TokenStore open() &&;

   private:
    AtomicFile file_;
    std::vector<std::uint64_t> offsets_{0};
  };

  [[nodiscard]] std::size_t size() const noexcept { return offsets_.size() - 1; }
  [[nodiscard]] std::uint64_t tokens() const noexcept { return offsets_.back(); }
  [[nodiscard]] std::span<const nn::Token> operator[](std::size_t sequence) const noexcept;
  /// Hexadecimal digits that change with any token.
  [[nodiscard]] std::string fingerprint() const;

 private:
  TokenStore(std::shared_ptr<const MappedFile> file, std::vector<std::uint64_t> offsets)
      : file_(std::move(file)), offsets_(std::move(offsets)) {}

  std::shared_ptr<const MappedFile> file_;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace aceso::lm
