#include "pdbqt_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/lines.hpp"
#include "pdb_columns.hpp"

#include <algorithm>
#include <map>

namespace aceso::molecules {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20U;

/// Hands out lines with their numbers.
class TextLines {
 public:
  TextLines(std::string_view text, std::string_view source) : text_(text), source_(source) {}
  bool next(std::string_view& line) {
    if (at_ >= text_.size()) return false;
    const auto end = std::min(text_.find('\n', at_), text_.size());
    line = text_.substr(at_, end - at_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at_ = end + 1;
    ++number_;
    return true;
  }
  [[nodiscard]] std::string place() const { return fmt::format("{}: line {}", source_, number_); }

 private:
  std::string_view text_, source_;
  std::size_t at_ = 0, number_ = 0;
};

DockAtom parse_atom(std::string_view line, const std::string& place) {
  DockAtom atom;
  atom.place = coordinates(line, place);
  atom.name = columns(line, 13, 16);
  const std::string_view type = columns(line, 78, 80);
  if (type.empty())
    fail(Errc::CorruptData,
         "{}: expected AutoDock's atom type in columns 78 and 79, found nothing (is this a PDB "
         "file?)",
         place);
  if (!set_autodock_type(type, atom))
    fail(Errc::CorruptData, "{}: expected one of AutoDock's atom types, found \"{}\"", place,
         printable(type, 10));
  return atom;
}

/// One ligand as its lines come.
class LigandReader {
 public:
  explicit LigandReader(const TextLines& lines) : lines_(lines) {}

  [[nodiscard]] bool is_empty() const { return atoms_.empty() && stack_.empty(); }

  void take(std::string_view line) {
    if (is_atom_line(line)) return take_atom(line);
    const std::string_view word = columns(line, 1, 9);
    if (word == "ROOT") return open_root();
    if (word == "ENDROOT") return;
    if (line.starts_with("BRANCH")) return open_branch(line);
    if (line.starts_with("ENDBRANCH")) return close_branch();
    if (line.starts_with("REMARK  Name =")) name_ = columns(line, 15, 80);
  }

  DockLigand finish() {
    if (!has_root_) bad("expected ROOT, as ligands have it, found none");
    if (stack_.size() > 1) bad("expected ENDBRANCH, found the end");
    std::vector<DockBody> bodies{DockBody{}};
    for (std::size_t b = 1; b < branches_.size(); ++b) {
      const Branch& branch = branches_[b];
      const auto to = atom_of_.find(branch.to);
      if (to == atom_of_.end() || body_of_[to->second] != b)
        fail(Errc::CorruptData, "{}: expected atom {} inside this branch, found it {}",
             branch.place, branch.to, to == atom_of_.end() ? "nowhere" : "elsewhere");
      bodies.push_back({branch.parent, {branch.from_atom, to->second}});
    }
    try {
      return assemble_ligand(name_, std::move(atoms_), {}, std::move(bodies), std::move(body_of_));
    } catch (const Error& error) {
      bad(error.what());
    }
  }

 private:
  struct Branch {
    std::uint32_t parent = 0, from_atom = 0;
    int to = 0;
    std::string place;
  };

  [[noreturn]] void bad(const std::string& problem) const {
    fail(Errc::CorruptData, "{}: {}", lines_.place(), problem);
  }

  int number(std::string_view field) const {
    int value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size())
      bad(fmt::format("expected an atom's number, found \"{}\"", printable(field, 20)));
    return value;
  }

  void take_atom(std::string_view line) {
    if (stack_.empty()) bad("expected ROOT before the first atom, as ligands have it");
    if (atoms_.size() >= kMostLigandAtoms)
      bad(fmt::format("expected a ligand of at most {} atoms, found more", kMostLigandAtoms));
    const int serial = number(columns(line, 7, 11));
    if (!atom_of_.emplace(serial, static_cast<std::uint32_t>(atoms_.size())).second)
      bad(fmt::format("expected each atom's number once, found {} again", serial));
    atoms_.push_back(parse_atom(line, lines_.place()));
    body_of_.push_back(stack_.back());
  }

  void open_root() {
    if (has_root_) bad("expected one ROOT, found another");
    has_root_ = true;
    branches_.emplace_back();
    stack_.push_back(0);
  }

  void open_branch(std::string_view line) {
    if (stack_.empty()) bad("expected ROOT before the first BRANCH");
    std::vector<std::string> words;
    for (std::string& word : split(line.substr(6), ' '))
      if (!word.empty()) words.push_back(std::move(word));
    if (words.size() < 2) bad("expected BRANCH with the numbers of two atoms");
    const int from = number(words[0]);
    const auto found = atom_of_.find(from);
    if (found == atom_of_.end() || body_of_[found->second] != stack_.back())
      bad(fmt::format("expected a branch from an atom of the part around it, found atom {}", from));
    const auto branch = static_cast<std::uint32_t>(branches_.size());
    branches_.push_back({stack_.back(), found->second, number(words[1]), lines_.place()});
    stack_.push_back(branch);
  }

  void close_branch() {
    if (stack_.size() < 2) bad("found ENDBRANCH without a BRANCH");
    stack_.pop_back();
  }

  const TextLines& lines_;
  std::string name_;
  bool has_root_ = false;
  std::vector<DockAtom> atoms_;
  std::vector<std::uint32_t> body_of_, stack_;
  std::vector<Branch> branches_;
  std::map<int, std::uint32_t> atom_of_;
};

}  // namespace

bool is_pdbqt(const std::filesystem::path& path) {
  const std::string name = to_lower(path.filename().string());
  return name.ends_with(".pdbqt") || name.ends_with(".pdbqt.gz");
}

std::string read_structure_text(const std::filesystem::path& path) {
  lm::Lines lines(path);
  std::string text;
  for (std::string line; lines.next(line);) {
    text += line;
    text += '\n';
    if (text.size() > kMostBytes)
      fail(Errc::CorruptData, "{}: expected at most 256 MB, found more", path.string());
  }
  return text;
}

std::vector<DockAtom> parse_pdbqt_receptor(std::string_view text, std::string_view source) {
  TextLines lines(text, source);
  std::vector<DockAtom> atoms;
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with("ROOT") || line.starts_with("BRANCH"))
      fail(Errc::CorruptData, "{}: expected a rigid receptor, found a ligand (\"{}\")",
           lines.place(), printable(line, 20));
    if (line.starts_with("ENDMDL")) break;
    if (!is_atom_line(line)) continue;
    const std::string_view residue = columns(line, 18, 20);
    if (residue == "HOH" || residue == "WAT") continue;
    atoms.push_back(parse_atom(line, lines.place()));
  }
  set_vina_types(atoms, bonds_by_distance(atoms));
  std::erase_if(atoms, [](const DockAtom& atom) { return atom.element == DockElement::H; });
  if (atoms.empty())
    fail(Errc::CorruptData, "{}: expected a receptor's ATOM lines, found none", source);
  return atoms;
}

std::vector<DockLigand> parse_pdbqt_ligands(std::string_view text, std::string_view source) {
  TextLines lines(text, source);
  std::vector<DockLigand> ligands;
  auto reader = std::make_unique<LigandReader>(lines);
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with("ENDMDL") && !reader->is_empty()) {
      ligands.push_back(reader->finish());
      reader = std::make_unique<LigandReader>(lines);
    } else {
      reader->take(line);
    }
  }
  if (!reader->is_empty()) ligands.push_back(reader->finish());
  if (ligands.empty())
    fail(Errc::CorruptData, "{}: expected a ligand with ROOT and ATOM lines, found none", source);
  return ligands;
}

}  // namespace aceso::molecules
