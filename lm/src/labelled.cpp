#include "aceso/lm/labelled.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/table.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

bool is_table(const fs::path& path) {
  const std::string name = to_lower(path.filename().string());
  for (const std::string_view ending : {".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz"})
    if (name.ends_with(ending)) return true;
  return false;
}

bool is_true(const std::string& text) {
  const std::string lower = to_lower(text);
  return lower == "true" || lower == "1" || lower == "yes";
}

Split split_of(const std::string& set, const std::string& validation, const std::string& place) {
  const Split said = parse_split(set, place, "set");
  return said == Split::Train && is_true(validation) ? Split::Validation : said;
}

/// One in ten, the same whatever stands beside it.
Split split_by_content(const std::string& sequence) {
  const std::string digits = sha256(sequence).substr(0, 8);
  return std::stoul(digits, nullptr, 16) % 10 == 0 ? Split::Validation : Split::Train;
}

/// KEY=VALUE words of a FASTA header.
std::map<std::string, std::string> attributes(const std::string& header) {
  std::map<std::string, std::string> found;
  std::size_t at = 0;
  while (at < header.size()) {
    const std::size_t end = std::min(header.find(' ', at), header.size());
    const std::string word = header.substr(at, end - at);
    if (const std::size_t sign = word.find('='); sign != std::string::npos)
      found[word.substr(0, sign)] = word.substr(sign + 1);
    at = end + 1;
  }
  return found;
}

std::string fasta_place(const fs::path& path, std::size_t number, const std::string& id) {
  return fmt::format("{}: record {} ({})", path.string(), number, printable(id, 60));
}

Split split_of(const std::map<std::string, std::string>& said, const std::string& sequence,
               const std::string& place) {
  const auto set = said.find("SET");
  if (set == said.end()) return split_by_content(sequence);
  const auto validation = said.find("VALIDATION");
  return split_of(set->second, validation == said.end() ? "" : validation->second, place);
}

void check(const Labelled& one) {
  if (one.sequence.empty())
    fail(Errc::CorruptData, "{}: expected a sequence, found none", one.place);
  if (one.target.empty()) fail(Errc::CorruptData, "{}: expected a target, found none", one.place);
}

std::vector<Labelled> from_table(const fs::path& path, const LabelledColumns& columns) {
  TableReader reader(path);
  const std::size_t sequence = reader.column(columns.sequence);
  const std::size_t target = reader.column(columns.target);
  const auto set = reader.find(columns.set), validation = reader.find(columns.validation);
  std::vector<Labelled> all;
  for (std::vector<std::string> cells; reader.next(cells);) {
    Labelled one{std::to_string(all.size() + 1), cells[sequence], cells[target], Split::Train,
                 reader.place()};
    one.split = set ? split_of(cells[*set], validation ? cells[*validation] : "", one.place)
                    : split_by_content(one.sequence);
    check(one);
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<Labelled> from_fasta(const fs::path& path) {
  FastaReader reader(path);
  std::vector<Labelled> all;
  for (FastaRecord record; reader.next(record);) {
    const auto said = attributes(record.header);
    Labelled one{record.id, record.sequence, "", Split::Train,
                 fasta_place(path, all.size() + 1, record.id)};
    if (const auto target = said.find("TARGET"); target != said.end()) one.target = target->second;
    one.split = split_of(said, one.sequence, one.place);
    check(one);
    all.push_back(std::move(one));
  }
  return all;
}

std::map<std::string, std::string> by_id(const fs::path& path) {
  std::map<std::string, std::string> all;
  for (FastaRecord& record : read_fasta(path)) all[record.id] = std::move(record.sequence);
  return all;
}

}  // namespace

Split parse_split(const std::string& word, const std::string& place, const std::string& column) {
  const std::string lower = to_lower(word);
  if (lower == "train") return Split::Train;
  if (lower == "validation" || lower == "valid" || lower == "val") return Split::Validation;
  if (lower == "test") return Split::Test;
  fail(Errc::CorruptData, "{}: {}: expected train, validation or test, found \"{}\"", place,
       printable(column, 60), printable(word, 40));
}

std::vector<Labelled> read_labelled(const fs::path& path, const LabelledColumns& columns) {
  std::vector<Labelled> all = is_table(path) ? from_table(path, columns) : from_fasta(path);
  if (all.empty())
    fail(Errc::CorruptData, "{}: expected at least one sequence, found none", path.string());
  return all;
}

std::vector<Labelled> read_residue_labels(const fs::path& sequences, const fs::path& labels,
                                          const std::optional<fs::path>& mask) {
  const auto residues = by_id(sequences);
  const auto masks = mask ? by_id(*mask) : std::map<std::string, std::string>{};
  std::vector<Labelled> all;
  FastaReader reader(labels);
  for (FastaRecord record; reader.next(record);) {
    const std::string place = fasta_place(labels, all.size() + 1, record.id);
    const auto found = residues.find(record.id);
    if (found == residues.end())
      fail(Errc::CorruptData, "{}: expected a sequence of this name in {}, found none", place,
           sequences.string());
    Labelled one{record.id, found->second, record.sequence,
                 split_of(attributes(record.header), found->second, place), place};
    check(one);
    if (one.target.size() != one.sequence.size())
      fail(Errc::CorruptData, "{}: expected {} labels, one for each residue, found {}", place,
           one.sequence.size(), one.target.size());
    if (mask) {
      const auto seen = masks.find(one.id);
      if (seen == masks.end() || seen->second.size() != one.target.size())
        fail(Errc::CorruptData, "{}: expected a mask of {} letters in {}", place, one.target.size(),
             mask->string());
      for (std::size_t i = 0; i < one.target.size(); ++i)
        if (seen->second[i] == '0') one.target[i] = '\0';
    }
    all.push_back(std::move(one));
  }
  if (all.empty())
    fail(Errc::CorruptData, "{}: expected at least one sequence, found none", labels.string());
  return all;
}

}  // namespace aceso::lm
