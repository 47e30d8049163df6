/// \file
/// Content hashing (SHA-256, FIPS 180-4) and unguessable names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace aceso {

/// Incremental SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// Returns 64 lower-case hexadecimal digits. The object cannot be updated afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] std::string sha256(std::string_view text);
/// \throws Error NotFound, Io, Cancelled.
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path,
                                      const std::stop_token& stop = {});

/// Returns `bytes` bytes of the system's randomness as hexadecimal digits.
[[nodiscard]] std::string random_hex(std::size_t bytes);

/// Returns whether both are equal, in a time that does not depend on where they differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace aceso
