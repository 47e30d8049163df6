#include "aceso/core/process.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>

namespace aceso {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

rusage usage() noexcept {
  rusage value{};
  getrusage(RUSAGE_SELF, &value);
  return value;
}

}  // namespace

double cpu_seconds() noexcept {
  const rusage used = usage();
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double peak_rss_mb() noexcept { return static_cast<double>(usage().ru_maxrss) * 1024 / 1e6; }

std::string cpu_model() {
  std::ifstream info{"/proc/cpuinfo"};
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
#if defined(__aarch64__)
  return "arm64";
#else
  return "unknown";
#endif
}

std::string cpu_features() {
#if defined(__x86_64__)
  std::string features = "sse4.2";
  if (__builtin_cpu_supports("avx2")) features += " avx2";
  if (__builtin_cpu_supports("avx512bw")) features += " avx512";
  if (__builtin_cpu_supports("avx512vnni")) features += " vnni";
  return features;
#elif defined(__aarch64__)
  return "neon";
#else
  return "portable";
#endif
}

const char* version() noexcept { return ACESO_VERSION; }

const char* openblas_core_type() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) return "SKYLAKEX";
  if (__builtin_cpu_supports("avx2")) return "HASWELL";
#endif
  return "";
}

void tune_process() {
  // Blocks up to 1 GB come from the heap and stay there: each fresh mapping costs a page fault per
  // 4 KB.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  if (const char* type = openblas_core_type(); *type != '\0') setenv("OPENBLAS_CORETYPE", type, 0);
}

}  // namespace aceso
