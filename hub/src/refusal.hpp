/// \file
/// An error of the one who asks: it knows its HTTP status, and what is wrong where.
#pragma once

#include "aceso/app/request.hpp"
#include "aceso/core/error.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace aceso::hub {

class Refusal : public Error {
 public:
  using Figures = std::vector<std::pair<std::string, std::uint64_t>>;

  /// `mistakes` point into the request; `figures` are added to the answer, e.g. the right offset.
  Refusal(int status, Errc code, const std::string& message,
          std::vector<app::Mistake> mistakes = {}, Figures figures = {})
      : Error(code, message),
        status_(status),
        mistakes_(std::move(mistakes)),
        figures_(std::move(figures)) {}

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::vector<app::Mistake>& mistakes() const noexcept { return mistakes_; }
  [[nodiscard]] const Figures& figures() const noexcept { return figures_; }

 private:
  int status_;
  std::vector<app::Mistake> mistakes_;
  Figures figures_;
};

template <typename... Args>
[[noreturn]] void refuse(int status, Errc code, fmt::format_string<Args...> format,
                         Args&&... args) {
  throw Refusal(status, code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace aceso::hub
