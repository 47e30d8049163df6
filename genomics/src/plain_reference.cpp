#include "plain_reference.hpp"

#include "aceso/core/files.hpp"

#include <fmt/format.h>

#include <string>

namespace aceso::genomics {

std::filesystem::path write_plain_reference(const Reference& reference,
                                            const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "reference.fa";
  AtomicFile fasta(path);
  std::string index;
  for (std::uint32_t c = 0; c < reference.contigs().size(); ++c) {
    const Contig& contig = reference.contigs()[c];
    fasta.write(fmt::format(">{}\n", contig.name));
    index += fmt::format("{}\t{}\t{}\t{}\t{}\n", contig.name, contig.length, fasta.size(),
                         contig.length, contig.length + 1);
    fasta.write(reference.letters(c) + "\n");
  }
  fasta.commit();
  write_file(path.string() + ".fai", index);
  return path;
}

}  // namespace aceso::genomics
