#include "aceso/lm/token_store.hpp"

#include "aceso/core/hash.hpp"

namespace aceso::lm {

void TokenStore::Writer::add(std::span<const nn::Token> tokens) {
  file_.write(std::as_bytes(tokens));
  offsets_.push_back(offsets_.back() + tokens.size());
}

TokenStore TokenStore::Writer::open() && {
  file_.commit();
  return {std::make_shared<const MappedFile>(file_.path()), std::move(offsets_)};
}

std::span<const nn::Token> TokenStore::operator[](std::size_t sequence) const noexcept {
  const auto* tokens = reinterpret_cast<const nn::Token*>(file_->bytes().data());
  return {tokens + offsets_[sequence], offsets_[sequence + 1] - offsets_[sequence]};
}

std::string TokenStore::fingerprint() const {
  Sha256 hash;
  hash.update(file_->bytes());
  hash.update(std::as_bytes(std::span(offsets_)));
  return hash.finish();
}

}  // namespace aceso::lm
