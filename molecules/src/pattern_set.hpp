/// \file
/// Many SMARTS looked for in one molecule at once.
///
/// What a pattern asks of an atom alone (element, charge, hydrogens, rings, …) depends on a few
/// numbers that thousands of atoms share. Each kind of atom is put to RDKit's own queries once and
/// its answers are kept as bits, so that most patterns are ruled out by counting, and the others
/// are searched for by comparing bits. Results are those of RDKit's substructure search.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace RDKit {
class Atom;
class Bond;
class ROMol;
}  // namespace RDKit

namespace aceso::molecules {

struct CompiledPattern;

/// Compiled patterns. Immutable.
class PatternSet {
 public:
  /// Whether hydrogens that a molecule does not spell out are atoms that patterns can match.
  enum class Hydrogens { AsWritten, Added };

  /// \throws Error InvalidArgument for a text that is no SMARTS, Unsupported for a pattern that
  /// asks what does not follow from the atom's kind (chirality, neighbours' numbers).
  explicit PatternSet(std::span<const char* const> smarts);
  PatternSet(std::vector<std::shared_ptr<const RDKit::ROMol>> patterns, Hydrogens hydrogens);
  ~PatternSet();
  PatternSet(const PatternSet&) = delete;
  PatternSet& operator=(const PatternSet&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;

 private:
  friend class PatternScan;
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// Looks for the patterns of a set; remembers kinds of atoms from one molecule to the next. For one
/// thread.
class PatternScan {
 public:
  /// \pre `set` outlives this.
  explicit PatternScan(const PatternSet& set);

  /// Makes `mol` the molecule that the other functions are about; only read during the call.
  /// \pre its rings are known.
  void read(const RDKit::ROMol& mol);

  /// Atoms, added hydrogens among them: these come last, in the order of the atoms that bear them.
  [[nodiscard]] std::size_t atoms() const noexcept { return kinds_.size(); }
  [[nodiscard]] bool in(std::size_t pattern);
  /// Matches that differ in an atom.
  [[nodiscard]] std::size_t count(std::size_t pattern);
  /// Atoms at which some match begins.
  [[nodiscard]] bool begins_at(std::size_t pattern, std::size_t atom);
  /// The first pattern of the set of which a match begins at `atom`, or size().
  [[nodiscard]] std::size_t first_at(std::size_t atom);

 private:
  /// All numbers that a pattern may ask of an atom, see key_of().
  using Key = std::array<std::uint64_t, 3>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Link {
    std::int32_t atom = 0;
    std::uint64_t bits = 0;  ///< conditions that the bond meets
  };
  struct Search;

  static Key key_of(const RDKit::Atom& atom);
  std::uint32_t kind_of(const RDKit::Atom& atom);
  std::uint64_t bond_bits(const RDKit::Bond& bond);
  void forget();
  void link_bonds();
  void count_bits();
  [[nodiscard]] std::span<const std::uint64_t> bits_of(std::size_t atom) const;
  [[nodiscard]] std::span<const Link> links_of(std::int32_t atom) const;
  [[nodiscard]] bool holds(std::int32_t condition, std::int32_t atom);
  [[nodiscard]] bool nested_begins_at(std::int32_t number, std::int32_t atom);
  [[nodiscard]] bool has_bit(std::int32_t bit, std::int32_t atom) const;
  [[nodiscard]] bool ruled_out(const CompiledPattern& pattern) const;
  [[nodiscard]] std::size_t rarest_atom(std::size_t pattern) const;
  bool extend(Search& search);
  bool try_atom(Search& search, std::int32_t atom);

  const PatternSet::Impl* set_;
  std::size_t words_;                            ///< of the bits of one kind
  std::shared_ptr<const RDKit::ROMol> methane_;  ///< what added hydrogens look like
  std::unordered_map<Key, std::uint32_t, KeyHash> kinds_by_key_;
  std::vector<std::uint64_t> kind_bits_;                 ///< [kinds, words]
  std::vector<std::vector<std::uint16_t>> kind_begins_;  ///< patterns that may begin at a kind
  std::vector<std::uint64_t> bond_bits_;  ///< by order, aromaticity and ring; 0: not known yet
  std::uint32_t hydrogen_kind_ = 0;
  std::uint64_t hydrogen_bond_ = 0;

  // The molecule.
  std::vector<std::uint32_t> kinds_;  ///< of each atom
  std::vector<std::array<std::int32_t, 2>> bonds_;
  std::vector<std::uint64_t> bonds_bits_;
  std::vector<std::int32_t> link_begins_, next_link_;
  std::vector<Link> links_;                ///< atom after atom
  std::vector<std::uint32_t> bit_counts_;  ///< atoms that meet each condition
  std::vector<std::int8_t> nested_;        ///< [nested patterns, atoms]: -1 not known yet
};

}  // namespace aceso::molecules
