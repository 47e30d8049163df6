#include "contig_names.hpp"

namespace aceso::genomics {

std::string plain_contig_name(std::string_view name) {
  if (name.size() > 3 && name.starts_with("chr")) name.remove_prefix(3);
  return name == "M" ? "MT" : std::string(name);
}

int find_contig(const Reference& reference, std::string_view name) {
  if (const int exact = reference.find(name); exact >= 0) return exact;
  const std::string plain = plain_contig_name(name);
  for (std::size_t i = 0; i < reference.contigs().size(); ++i) {
    if (plain_contig_name(reference.contigs()[i].name) == plain) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace aceso::genomics
