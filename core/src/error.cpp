#include "aceso/core/error.hpp"

#include "aceso/core/cancel.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

namespace aceso {
namespace {

Errc code_of_errno(int value) noexcept {
  switch (value) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return Errc::OutOfResources;
    case ENOENT:
      return Errc::NotFound;
    default:
      return Errc::Io;
  }
}

}  // namespace

std::string_view name(Errc code) noexcept {
  switch (code) {
    case Errc::InvalidArgument:
      return "invalid_argument";
    case Errc::NotFound:
      return "not_found";
    case Errc::CorruptData:
      return "corrupt_data";
    case Errc::Unsupported:
      return "unsupported";
    case Errc::Io:
      return "io";
    case Errc::OutOfResources:
      return "out_of_resources";
    case Errc::Cancelled:
      return "cancelled";
    case Errc::Internal:
      return "internal";
  }
  return "internal";
}

int exit_code(Errc code) noexcept {
  switch (code) {
    case Errc::InvalidArgument:
      return 2;
    case Errc::NotFound:
    case Errc::CorruptData:
    case Errc::Unsupported:
    case Errc::Io:
      return 3;
    case Errc::OutOfResources:
      return 4;
    case Errc::Cancelled:
      return 5;
    case Errc::Internal:
      return 70;
  }
  return 70;
}

void fail_system(int errno_value, std::string_view action, std::string_view subject) {
  fail(code_of_errno(errno_value), "{}: cannot {}: {}", subject, action,
       std::generic_category().message(errno_value));
}

Error current_error() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {Errc::OutOfResources, "out of memory"};
  } catch (const std::exception& error) {
    return {Errc::Internal, error.what()};
  } catch (...) {
    return {Errc::Internal, "an exception of unknown type"};
  }
}

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) fail(Errc::Cancelled, "stopped on request");
}

}  // namespace aceso
