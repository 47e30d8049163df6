#include "aceso/core/hash.hpp"

#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <vector>

namespace aceso {
namespace {

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  if (!impl_->context || EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) != 1)
    fail(Errc::Internal, "the SHA-256 library refused to start");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) != 1)
    fail(Errc::Internal, "SHA-256 failed");
}

void Sha256::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

std::string Sha256::finish() {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(impl_->context, digest.data(), &size) != 1)
    fail(Errc::Internal, "SHA-256 failed");
  return to_hex(digest);
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.finish();
}

std::string sha256_file(const std::filesystem::path& path, const std::stop_token& stop) {
  const FileHandle file = open_for_reading(path);
  std::vector<std::byte> buffer(1U << 20);
  Sha256 hash;
  while (const std::size_t count = read_some(file.get(), buffer, path)) {
    throw_if_stopped(stop);
    hash.update(std::span(buffer).first(count));
  }
  return hash.finish();
}

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  std::size_t filled = 0;
  while (filled < bytes) {
    const ssize_t count = getrandom(random.data() + filled, bytes - filled, 0);
    if (count < 0 && errno != EINTR) fail_system(errno, "read", "the system's random numbers");
    if (count > 0) filled += static_cast<std::size_t>(count);
  }
  return to_hex(random);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace aceso
