// Foreign bytes before `genomics check`: it may find what it likes, but ends, and throws nothing
// for what a file holds.
#include "check_pipeline.hpp"
#include "memory_file.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>

namespace {

using namespace aceso;

constexpr std::string_view kSamHeader =
    "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:one\tLN:10\n@RG\tID:a\tPL:ILLUMINA\n";
constexpr std::string_view kVcfHeader =
    "##fileformat=VCFv4.3\n##contig=<ID=one,length=10>\n"
    "##INFO=<ID=A,Number=A,Type=Integer,Description=\"a\">\n"
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"g\">\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";

const genomics::Reference& reference() {
  static const genomics::OwnedReference owned =
      genomics::read_reference(genomics::MemoryFile(">one\nACGTACGTAC\n>two\nACGTN\n").path());
  return owned.reference;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // Of half of the inputs the header is good, so that records are reached.
  const unsigned kind = data[0] % 4;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string bytes = std::string(kind == 1   ? kSamHeader
                                        : kind == 2 ? kVcfHeader
                                                    : "") +
                            std::string(text);
  const genomics::MemoryFile file(bytes);
  const ScratchFolder scratch(std::filesystem::temp_directory_path());
  Progress progress;
  Warnings warnings;
  app::Report report;
  Json metrics = Json::object();
  app::RunContext context{progress, {}, warnings, report, metrics, {}, 1, scratch.path()};
  genomics::Findings findings(3);
  try {
    (void)genomics::check_file(file.path(), &reference(), findings, context);
  } catch (const Error&) {
    std::abort();
  }
  if (findings.kept().size() > findings.errors() + findings.warnings()) std::abort();
  return 0;
}
