/// \file
/// The platform's one error type, and fail(), the one way to raise it.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace aceso {

/// What went wrong, in terms a caller can act on.
enum class Errc {
  InvalidArgument,  ///< the caller broke a documented precondition; of a command: its usage
  NotFound,         ///< a file, model, app or run does not exist
  CorruptData,      ///< bytes do not follow their format
  Unsupported,      ///< valid, but this build or device cannot do it
  Io,               ///< the operating system refused a read or a write
  OutOfResources,   ///< memory, disk, GPU memory or a quota is exhausted
  Cancelled,        ///< a stop was requested
  Internal,         ///< a bug in the platform
};

/// Returns the stable, lower-case name of `code`, as used in logs and in the HTTP API.
[[nodiscard]] std::string_view name(Errc code) noexcept;

/// Returns the exit code of a command that ended with `code`: 2 usage, 3 bad input, 4 out of
/// memory or disk, 5 interrupted, 70 our own bug. (0 is success.)
[[nodiscard]] int exit_code(Errc code) noexcept;

/// The only exception type that platform code raises on purpose.
class Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

/// Raises an Error. The format string is checked at compile time.
///
/// Messages say which thing, what was expected and what was found; lower case, no full stop.
template <typename... Args>
[[noreturn]] void fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Raises the Error that fits `errno_value` after the system refused `action` on `subject`:
/// OutOfResources for a full disk, quota or memory, NotFound for a missing file, else Io.
/// The message reads "SUBJECT: cannot ACTION: reason".
[[noreturn]] void fail_system(int errno_value, std::string_view action, std::string_view subject);

/// Returns the exception being handled as an Error: itself, OutOfResources for
/// std::bad_alloc, Internal for any other. Call it inside a catch block only.
[[nodiscard]] Error current_error() noexcept;

}  // namespace aceso
