#include "aceso/molecules/sdf_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/lines.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "rdkit_log.hpp"

#include <GraphMol/FileParsers/FileParsers.h>
#include <GraphMol/RWMol.h>
#include <GraphMol/SanitException.h>
#include <RDGeneral/FileParseException.h>
#include <RDGeneral/Invariant.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <string_view>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLongestRecord = std::size_t{16} << 20U;
constexpr std::string_view kEnd = "$$$$";

void trim_right(std::string& line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
    line.pop_back();
}

/// NAME of a line such as "> 25 <NAME> (3)"; the line behind '>' if it has no brackets.
std::string property_name(const std::string& line) {
  const auto begin = line.find('<'), end = line.rfind('>');
  if (begin != std::string::npos && end > begin) return line.substr(begin + 1, end - begin - 1);
  const auto first = line.find_first_not_of("> \t");
  return first == std::string::npos ? std::string() : line.substr(first);
}

[[noreturn]] void bad_molblock(std::string_view problem) {
  fail(Errc::CorruptData, "expected a molecule as a connection table, found {}",
       printable(problem, 200));
}

/// RDKit makes room for as many atoms and bonds as a V3000 table promises before it looks for them.
void check_counts(const std::vector<std::string>& lines) {
  constexpr std::string_view kCounts = "M  V30 COUNTS ";
  for (const std::string& line : lines) {
    if (!line.starts_with(kCounts)) continue;
    for (const std::string& word : split(line.substr(kCounts.size()), ' ')) {
      std::size_t count = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
      if (error == std::errc::result_out_of_range || count > lines.size())
        bad_molblock(fmt::format("counts of more than its {} lines", lines.size()));
    }
  }
}

/// From a title to "M  END". Stereochemistry comes from the atoms' places if these are in space,
/// else from wedges.
Molecule parse_molblock(const std::string& block) {
  silence_rdkit();
  try {
    const std::shared_ptr<const RDKit::ROMol> mol(RDKit::MolBlockToMol(block));
    if (mol && mol->getNumAtoms() > 0) return Molecule(mol);
  } catch (const RDKit::KekulizeException&) {
    bad_molblock("aromatic atoms to which no bonds can be given");
  } catch (const RDKit::AtomValenceException& error) {
    bad_molblock(fmt::format("atom {} has more bonds than it may", error.getAtomIdx() + 1));
  } catch (const RDKit::MolSanitizeException&) {
    bad_molblock("not a possible molecule");
  } catch (const RDKit::FileParseException& error) {
    bad_molblock(error.what());
  } catch (const Invar::Invariant&) {
    // Of an atom or bond that the counts promise or forbid.
    bad_molblock("numbers of atoms that do not exist");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    // RDKit lets what the standard library says of numbers and ends through.
    bad_molblock(error.what());
  }
  bad_molblock("no atoms");
}

}  // namespace

const std::string* SdfRecord::find(const std::string& property) const {
  const auto found =
      std::ranges::find(properties, property, &std::pair<std::string, std::string>::first);
  return found == properties.end() ? nullptr : &found->second;
}

bool is_sdf(const fs::path& path) {
  std::string name = to_lower(path.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name.ends_with(".sdf") || name.ends_with(".sd") || name.ends_with(".mol");
}

struct SdfReader::Impl {
  explicit Impl(const fs::path& path) : lines(path) {}

  /// The lines of a record without its end; nothing left at the end of the file. Blank lines behind
  /// the last record are no record.
  std::vector<std::string> record_lines() {
    std::vector<std::string> all;
    std::size_t bytes = 0;
    bool is_blank = true;
    first_line = line_number + 1;
    for (std::string line; lines.next(line);) {
      ++line_number;
      if (line_number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
      trim_right(line);
      if (line.starts_with(kEnd)) return all;
      is_blank = is_blank && line.empty();
      bytes += line.size() + 1;
      if (bytes > kLongestRecord)
        fail(Errc::CorruptData, "{}: line {}: expected a record's end ({}) within 16 MB",
             lines.name(), line_number, kEnd);
      all.push_back(std::move(line));
    }
    at_end = true;
    if (is_blank) all.clear();
    return all;
  }

  /// Takes the properties from `all`, from line `at` on.
  static void take_properties(const std::vector<std::string>& all, std::size_t at,
                              SdfRecord& record) {
    while (at < all.size()) {
      if (!all[at].starts_with('>')) {
        ++at;
        continue;
      }
      std::string name = property_name(all[at++]), text;
      for (; at < all.size() && !all[at].empty(); ++at)
        text += (text.empty() ? "" : "\n") + all[at];
      record.properties.emplace_back(std::move(name), std::move(text));
    }
  }

  lm::Lines lines;
  std::uint64_t line_number = 0, first_line = 1, records = 0;
  bool at_end = false;
};

SdfReader::SdfReader(const fs::path& path) : impl_(std::make_unique<Impl>(path)) {}
SdfReader::~SdfReader() = default;
SdfReader::SdfReader(SdfReader&&) noexcept = default;

bool SdfReader::next(SdfRecord& record) {
  if (impl_->at_end) return false;
  const std::vector<std::string> all = impl_->record_lines();
  if (all.empty() && impl_->at_end) return false;
  record = {};
  record.place = fmt::format("{}: record {} (line {})", impl_->lines.name(), ++impl_->records,
                             impl_->first_line);
  if (!all.empty()) record.title = all.front();
  const auto end =
      std::ranges::find_if(all, [](const std::string& line) { return line.starts_with("M  END"); });
  if (end == all.end()) {
    record.problem = fmt::format("expected a connection table up to \"M  END\", found {} lines{}",
                                 all.size(), impl_->at_end ? " and the end of the file" : "");
    Impl::take_properties(all, std::min<std::size_t>(4, all.size()), record);
    return true;
  }
  const auto length = static_cast<std::size_t>(end - all.begin()) + 1;
  std::string block;
  for (std::size_t i = 0; i < length; ++i) block += all[i] + "\n";
  Impl::take_properties(all, length, record);
  try {
    check_counts(all);
    record.molecule = parse_molblock(block);
    record.smiles = canonical_smiles(*record.molecule);
  } catch (const Error& error) {
    record.problem = error.what();
    record.molecule.reset();
  }
  return true;
}

}  // namespace aceso::molecules
