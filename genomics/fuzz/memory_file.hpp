// Foreign bytes under a path.
#pragma once

#include "aceso/core/files.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace aceso::genomics {

/// A file that lives in memory.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : file_(memfd_create("fuzz", 0)) {
    write_all(file_.get(), std::as_bytes(std::span(bytes)), "fuzz");
    lseek(file_.get(), 0, SEEK_SET);
  }
  [[nodiscard]] std::filesystem::path path() const {
    return "/proc/self/fd/" + std::to_string(file_.get());
  }

 private:
  FileHandle file_;
};

}  // namespace aceso::genomics
