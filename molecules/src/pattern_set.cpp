#include "pattern_set.hpp"

#include "aceso/core/error.hpp"
#include "aceso/molecules/chemistry.hpp"

#include <GraphMol/Atom.h>
#include <GraphMol/Bond.h>
#include <GraphMol/QueryAtom.h>
#include <GraphMol/QueryBond.h>
#include <GraphMol/QueryOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/RingInfo.h>
#include <GraphMol/SmilesParse/SmilesParse.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <string>

namespace aceso::molecules {
namespace {

using AtomQuery = RDKit::QueryAtom::QUERYATOM_QUERY;
using BondQuery = RDKit::QueryBond::QUERYBOND_QUERY;

constexpr std::int32_t kNone = -1;
/// Kinds of atoms that are remembered; far more than libraries of molecules have.
constexpr std::size_t kMostKinds = 50'000;
constexpr std::size_t kMostPatternAtoms = 64;
constexpr std::size_t kMostBondConditions = 63;  // the bit above says that the others are known
constexpr std::uint64_t kKnown = std::uint64_t{1} << 63;

// What RDKit calls the questions whose answers follow from PatternScan::key_of().
constexpr std::string_view kOfTheKind[] = {
    "AtomAtomicNum",     "AtomExplicitDegree", "AtomFormalCharge",         "AtomHCount",
    "AtomInNRings",      "AtomInRing",         "AtomIsAliphatic",          "AtomIsAromatic",
    "AtomIsotope",       "AtomMinRingSize",    "AtomNegativeFormalCharge", "AtomNull",
    "AtomRingBondCount", "AtomTotalDegree",    "AtomTotalValence",         "AtomType"};
// The number of bonds that are written down changes when hydrogens are added.
constexpr std::string_view kOfWrittenHydrogens = "AtomExplicitDegree";
constexpr std::string_view kOfTheBond[] = {"BondInRing",
                                           "BondNull",
                                           "BondOrder",
                                           "DoubleOrAromaticBond",
                                           "SingleOrAromaticBond",
                                           "SingleOrDoubleBond",
                                           "SingleOrDoubleOrAromaticBond"};

template <typename Query>
bool is_group(const Query& query, std::string_view kind) {
  const std::string_view name = query.getDescription();
  return name.ends_with(kind) && query.beginChildren() != query.endChildren();
}

template <typename Query>
bool is_group(const Query& query) {
  return is_group(query, "And") || is_group(query, "Or") || is_group(query, "Xor");
}

/// A text that two questions share only if they are the same.
template <typename Query>
std::string signature(const Query& query) {
  std::string text = query.getNegation() ? "!" : "";
  text += query.getDescription();
  if (const auto* equality = dynamic_cast<const Queries::EqualityQuery<
          typename Query::MATCH_FUNC_ARG_TYPE, typename Query::DATA_FUNC_ARG_TYPE, true>*>(&query))
    text += fmt::format("={}~{}", equality->getVal(), equality->getTol());
  if (!is_group(query)) return text;
  text += '(';
  for (auto child = query.beginChildren(); child != query.endChildren(); ++child)
    text += signature(**child) + ',';
  return text + ')';
}

/// Whether all questions of the tree are among those of `known`.
template <typename Query>
bool asks_only(const Query& query, std::span<const std::string_view> known) {
  if (is_group(query))
    return std::all_of(query.beginChildren(), query.endChildren(),
                       [&](const auto& child) { return asks_only(*child, known); });
  return std::ranges::find(known, std::string_view(query.getDescription())) != known.end();
}

const AtomQuery& query_of(const RDKit::Atom& atom) {
  if (!atom.hasQuery()) fail(Errc::Unsupported, "a pattern's atom asks nothing");
  return *static_cast<const RDKit::QueryAtom&>(atom).getQuery();
}

unsigned ring_bonds_of(const RDKit::Atom& atom) {
  const RDKit::RingInfo& rings = *atom.getOwningMol().getRingInfo();
  if (rings.numAtomRings(atom.getIdx()) == 0) return 0;
  unsigned count = 0;
  for (const RDKit::Bond* bond : atom.getOwningMol().atomBonds(&atom))
    count += rings.numBondRings(bond->getIdx()) > 0 ? 1 : 0;
  return count;
}

const BondQuery& query_of(const RDKit::Bond& bond) {
  if (!bond.hasQuery()) fail(Errc::Unsupported, "a pattern's bond asks nothing");
  return *static_cast<const RDKit::QueryBond&>(bond).getQuery();
}

std::vector<std::shared_ptr<const RDKit::ROMol>> parsed(std::span<const char* const> smarts) {
  std::vector<std::shared_ptr<const RDKit::ROMol>> patterns;
  for (const char* text : smarts) {
    const auto pattern = std::make_shared<const Pattern>(text);
    patterns.emplace_back(pattern, &pattern->rdkit());
  }
  return patterns;
}

/// What follows for an atom from its place in the pattern: so many bonds, so many of them in rings.
struct Place {
  unsigned bonds = 0, ring_bonds = 0;
};

/// Whether there is a way around `bond`.
bool closes_ring(const RDKit::ROMol& pattern, const RDKit::Bond& bond) {
  std::vector<bool> reached(pattern.getNumAtoms());
  std::vector<const RDKit::Atom*> open{bond.getBeginAtom()};
  reached[bond.getBeginAtomIdx()] = true;
  while (!open.empty()) {
    const RDKit::Atom* atom = open.back();
    open.pop_back();
    for (const RDKit::Bond* next : pattern.atomBonds(atom)) {
      const RDKit::Atom* other = next->getOtherAtom(atom);
      if (next == &bond || reached[other->getIdx()]) continue;
      reached[other->getIdx()] = true;
      open.push_back(other);
    }
  }
  return reached[bond.getEndAtomIdx()];
}

std::vector<Place> places_of(const RDKit::ROMol& pattern) {
  std::vector<Place> places(pattern.getNumAtoms());
  for (const RDKit::Bond* bond : pattern.bonds()) {
    const unsigned ring = closes_ring(pattern, *bond) ? 1 : 0;
    for (const unsigned atom : {bond->getBeginAtomIdx(), bond->getEndAtomIdx()}) {
      places[atom].bonds += 1;
      places[atom].ring_bonds += ring;
    }
  }
  return places;
}

/// A question to a kind of atoms.
struct Question {
  const AtomQuery* query = nullptr;
  Place place;
};

/// What is asked of an atom.
struct Condition {
  enum class Type { Bit, Nested, All, Any, Odd };
  Type type = Type::Bit;
  bool negated = false;
  std::int32_t number = 0;             ///< Bit, Nested: which
  std::vector<std::int32_t> children;  ///< All, Any, Odd
};

/// One atom of a pattern, in the order of a search.
struct Step {
  std::int32_t condition = 0;
  std::int32_t bit = kNone;  ///< of the condition, if it is no more than a bit
  std::int32_t from =
      kNone;              ///< earlier step that it is bonded to; kNone: any atom of the molecule
  std::int32_t bond = 0;  ///< condition of that bond
  std::vector<std::array<std::int32_t, 2>> closures;  ///< further ones: step, condition of the bond
};

}  // namespace

struct CompiledPattern {
  std::vector<std::int32_t> conditions;  ///< of each atom
  /// Bits, and how many atoms need them.
  std::vector<std::array<std::int32_t, 2>> needs;
  std::vector<std::vector<Step>> plans;  ///< by the atom that comes first
};

struct PatternSet::Impl {
  std::vector<std::shared_ptr<const RDKit::ROMol>> sources;
  Hydrogens hydrogens = Hydrogens::AsWritten;
  std::vector<Condition> conditions;
  std::vector<Question> questions;  ///< by bit
  std::vector<const BondQuery*> bond_queries;
  std::vector<CompiledPattern> patterns, nested;
  std::map<std::string, std::int32_t> conditions_by_text, bits_by_text, bonds_by_text;

  void compile_all() {
    for (const auto& source : sources) patterns.push_back(compile(*source));
  }

  CompiledPattern compile(const RDKit::ROMol& source) {
    CompiledPattern pattern;
    if (source.getNumAtoms() > kMostPatternAtoms)
      fail(Errc::Unsupported, "expected a pattern of at most {} atoms, found {}", kMostPatternAtoms,
           source.getNumAtoms());
    const std::vector<Place> places = places_of(source);
    for (const RDKit::Atom* atom : source.atoms())
      pattern.conditions.push_back(condition_of(query_of(*atom), places[atom->getIdx()]));
    std::map<std::int32_t, std::int32_t> needs;
    for (const std::int32_t condition : pattern.conditions) add_needs(condition, needs);
    for (const auto& [bit, count] : needs) pattern.needs.push_back({bit, count});
    for (std::size_t first = 0; first < pattern.conditions.size(); ++first)
      pattern.plans.push_back(plan(source, pattern, first));
    return pattern;
  }

  std::int32_t condition_of(const AtomQuery& query, const Place& place = {}) {
    if (asks_only(query, kOfTheKind)) {
      if (hydrogens == Hydrogens::Added && mentions(query, kOfWrittenHydrogens))
        fail(Errc::Unsupported, "a pattern counts written bonds where hydrogens are added");
      return bit_condition(query, place);
    }
    Condition condition{.negated = query.getNegation()};
    if (const auto* recursive = dynamic_cast<const RDKit::RecursiveStructureQuery*>(&query)) {
      condition.type = Condition::Type::Nested;
      CompiledPattern compiled = compile(*recursive->getQueryMol());
      condition.number = static_cast<std::int32_t>(nested.size());
      nested.push_back(std::move(compiled));
    } else if (is_group(query)) {
      condition.type = is_group(query, "And")   ? Condition::Type::All
                       : is_group(query, "Xor") ? Condition::Type::Odd
                                                : Condition::Type::Any;
      for (auto child = query.beginChildren(); child != query.endChildren(); ++child)
        condition.children.push_back(condition_of(**child));
    } else {
      fail(Errc::Unsupported, "a pattern asks of an atom what cannot be compiled: {}",
           query.getDescription());
    }
    conditions.push_back(std::move(condition));
    return static_cast<std::int32_t>(conditions.size()) - 1;
  }

  static bool mentions(const AtomQuery& query, std::string_view name) {
    if (is_group(query))
      return std::any_of(query.beginChildren(), query.endChildren(),
                         [&](const auto& child) { return mentions(*child, name); });
    return query.getDescription() == name;
  }

  std::int32_t bit_condition(const AtomQuery& query, const Place& place) {
    const auto [found, fresh] = conditions_by_text.emplace(
        fmt::format("{} {} {}", signature(query), place.bonds, place.ring_bonds),
        static_cast<std::int32_t>(conditions.size()));
    if (fresh) {
      conditions.push_back(
          {.type = Condition::Type::Bit, .number = static_cast<std::int32_t>(questions.size())});
      questions.push_back({&query, place});
    }
    return found->second;
  }

  std::int32_t bond_condition(const RDKit::Bond& bond) {
    const BondQuery& query = query_of(bond);
    if (!asks_only(query, kOfTheBond))
      fail(Errc::Unsupported, "a pattern asks of a bond what cannot be compiled: {}",
           query.getDescription());
    const auto [found, fresh] =
        bonds_by_text.emplace(signature(query), static_cast<std::int32_t>(bond_queries.size()));
    if (fresh) bond_queries.push_back(&query);
    if (bond_queries.size() > kMostBondConditions)
      fail(Errc::Unsupported, "patterns ask too much of bonds");
    return found->second;
  }

  void add_needs(std::int32_t number, std::map<std::int32_t, std::int32_t>& needs) const {
    const Condition& condition = conditions[static_cast<std::size_t>(number)];
    if (condition.type == Condition::Type::Bit) ++needs[condition.number];
    if (condition.type == Condition::Type::All && !condition.negated)
      for (const std::int32_t child : condition.children) add_needs(child, needs);
  }

  /// Steps that begin at atom `first` and follow bonds as long as there are any.
  std::vector<Step> plan(const RDKit::ROMol& source, const CompiledPattern& pattern,
                         std::size_t first) {
    std::vector<Step> steps;
    std::vector<std::int32_t> step_of(source.getNumAtoms(), kNone);
    const auto place = [&](std::size_t atom, const RDKit::Bond* through) {
      Step step{.condition = pattern.conditions[atom]};
      const Condition& condition = conditions[static_cast<std::size_t>(step.condition)];
      if (condition.type == Condition::Type::Bit) step.bit = condition.number;
      for (const RDKit::Bond* bond : source.atomBonds(source.getAtomWithIdx(atom))) {
        const std::int32_t other = step_of[bond->getOtherAtomIdx(static_cast<unsigned>(atom))];
        if (other == kNone) continue;
        if (bond == through) {
          step.from = other;
          step.bond = bond_condition(*bond);
        } else {
          step.closures.push_back({other, bond_condition(*bond)});
        }
      }
      step_of[atom] = static_cast<std::int32_t>(steps.size());
      steps.push_back(std::move(step));
    };
    place(first, nullptr);
    while (steps.size() < source.getNumAtoms()) {
      const RDKit::Bond* next = nullptr;
      for (const RDKit::Bond* bond : source.bonds())
        if ((step_of[bond->getBeginAtomIdx()] == kNone) !=
            (step_of[bond->getEndAtomIdx()] == kNone)) {
          next = bond;
          break;
        }
      if (next != nullptr) {
        const bool begin = step_of[next->getBeginAtomIdx()] == kNone;
        place(begin ? next->getBeginAtomIdx() : next->getEndAtomIdx(), next);
      } else {  // another piece
        const auto rest = std::ranges::find(step_of, kNone) - step_of.begin();
        place(static_cast<std::size_t>(rest), nullptr);
      }
    }
    return steps;
  }
};

PatternSet::PatternSet(std::span<const char* const> smarts)
    : PatternSet(parsed(smarts), Hydrogens::AsWritten) {}

PatternSet::PatternSet(std::vector<std::shared_ptr<const RDKit::ROMol>> patterns,
                       Hydrogens hydrogens) {
  auto impl = std::make_unique<Impl>();
  impl->sources = std::move(patterns);
  impl->hydrogens = hydrogens;
  impl->compile_all();
  impl_ = std::move(impl);
}

PatternSet::~PatternSet() = default;

std::size_t PatternSet::size() const noexcept { return impl_->patterns.size(); }

/// The state of a search for one pattern.
struct PatternScan::Search {
  explicit Search(const std::vector<Step>& steps) : plan(steps) {}

  const std::vector<Step>& plan;
  std::set<std::vector<std::int32_t>>* found = nullptr;  ///< null: the first match ends the search
  std::size_t depth = 0;                                 ///< atoms placed
  std::array<std::int32_t, kMostPatternAtoms>
      placed;  // only written so far as used: searches are many
};

PatternScan::PatternScan(const PatternSet& set)
    : set_(set.impl_.get()), words_((set_->questions.size() + 63) / 64) {
  RDKit::SmilesParserParams parameters;
  parameters.removeHs = false;
  methane_.reset(RDKit::SmilesToMol("[H]C([H])([H])[H]", parameters));
  forget();
}

void PatternScan::forget() {
  kinds_by_key_.clear();
  kind_bits_.clear();
  kind_begins_.clear();
  hydrogen_kind_ = kind_of(*methane_->getAtomWithIdx(0));
  hydrogen_bond_ = bond_bits(*methane_->getBondWithIdx(0));
}

std::size_t PatternScan::KeyHash::operator()(const Key& key) const noexcept {
  std::uint64_t hash = 0;
  for (const std::uint64_t word : key) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

PatternScan::Key PatternScan::key_of(const RDKit::Atom& atom) {
  const RDKit::RingInfo& rings = *atom.getOwningMol().getRingInfo();
  const unsigned ring_count = rings.numAtomRings(atom.getIdx());
  const unsigned smallest = ring_count > 0 ? rings.minAtomRingSize(atom.getIdx()) : 0;
  const auto pack = [](std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    const std::uint64_t mask = 0xFFFF;
    return (a & mask) | (b & mask) << 16 | (c & mask) << 32 | (d & mask) << 48;
  };
  return {pack(static_cast<std::uint64_t>(atom.getAtomicNum()), atom.getIsotope(),
               static_cast<std::uint64_t>(atom.getFormalCharge()), atom.getIsAromatic() ? 1 : 0),
          pack(atom.getTotalNumHs(true), atom.getDegree(), atom.getTotalDegree(),
               static_cast<std::uint64_t>(atom.getTotalValence())),
          pack(ring_count, ring_bonds_of(atom), smallest, 0)};
}

std::uint32_t PatternScan::kind_of(const RDKit::Atom& atom) {
  const auto [found, fresh] =
      kinds_by_key_.emplace(key_of(atom), static_cast<std::uint32_t>(kind_begins_.size()));
  if (!fresh) return found->second;
  const std::size_t begin = kind_bits_.size();
  kind_bits_.resize(begin + words_);
  const bool added = set_->hydrogens == PatternSet::Hydrogens::Added;
  const unsigned bonds = added ? atom.getTotalDegree() : atom.getDegree();
  const unsigned ring_bonds = ring_bonds_of(atom);
  for (std::size_t bit = 0; bit < set_->questions.size(); ++bit)
    if (const auto& [query, place] = set_->questions[bit];
        bonds >= place.bonds && ring_bonds >= place.ring_bonds && query->Match(&atom))
      kind_bits_[begin + bit / 64] |= std::uint64_t{1} << (bit % 64);
  std::vector<std::uint16_t> begins;
  for (std::size_t p = 0; p < set_->patterns.size(); ++p) {
    const Condition& first =
        set_->conditions[static_cast<std::size_t>(set_->patterns[p].conditions.front())];
    const auto bit = static_cast<std::size_t>(first.number);
    if (first.type != Condition::Type::Bit || (kind_bits_[begin + bit / 64] >> (bit % 64) & 1) != 0)
      begins.push_back(static_cast<std::uint16_t>(p));
  }
  kind_begins_.push_back(std::move(begins));
  return found->second;
}

std::uint64_t PatternScan::bond_bits(const RDKit::Bond& bond) {
  const bool in_ring = bond.getOwningMol().getRingInfo()->numBondRings(bond.getIdx()) > 0;
  const std::size_t key = static_cast<std::size_t>(bond.getBondType()) * 4 +
                          (bond.getIsAromatic() ? 2 : 0) + (in_ring ? 1 : 0);
  if (key >= bond_bits_.size()) bond_bits_.resize(key + 1);
  std::uint64_t& bits = bond_bits_[key];
  if (bits == 0) {
    bits = kKnown;
    for (std::size_t bit = 0; bit < set_->bond_queries.size(); ++bit)
      if (set_->bond_queries[bit]->Match(&bond)) bits |= std::uint64_t{1} << bit;
  }
  return bits;
}

void PatternScan::read(const RDKit::ROMol& mol) {
  if (kind_begins_.size() > kMostKinds) forget();
  kinds_.clear();
  bonds_.clear();
  bonds_bits_.clear();
  const auto add_bond = [&](std::size_t a, std::size_t b, std::uint64_t bits) {
    bonds_.push_back({static_cast<std::int32_t>(a), static_cast<std::int32_t>(b)});
    bonds_bits_.push_back(bits);
  };
  for (const RDKit::Atom* atom : mol.atoms()) kinds_.push_back(kind_of(*atom));
  for (const RDKit::Bond* bond : mol.bonds())
    add_bond(bond->getBeginAtomIdx(), bond->getEndAtomIdx(), bond_bits(*bond));
  if (set_->hydrogens == PatternSet::Hydrogens::Added)
    for (const RDKit::Atom* atom : mol.atoms())
      for (unsigned i = 0; i < atom->getTotalNumHs(); ++i) {
        add_bond(atom->getIdx(), kinds_.size(), hydrogen_bond_);
        kinds_.push_back(hydrogen_kind_);
      }
  link_bonds();
  count_bits();
  nested_.assign(set_->nested.size() * kinds_.size(), kNone);
}

void PatternScan::link_bonds() {
  link_begins_.assign(kinds_.size() + 1, 0);
  for (const auto& [a, b] : bonds_) {
    ++link_begins_[static_cast<std::size_t>(a) + 1];
    ++link_begins_[static_cast<std::size_t>(b) + 1];
  }
  for (std::size_t i = 1; i < link_begins_.size(); ++i) link_begins_[i] += link_begins_[i - 1];
  links_.resize(2 * bonds_.size());
  std::vector<std::int32_t>& next = next_link_;
  next.assign(link_begins_.begin(), link_begins_.end() - 1);
  for (std::size_t i = 0; i < bonds_.size(); ++i) {
    const auto [a, b] = bonds_[i];
    links_[static_cast<std::size_t>(next[static_cast<std::size_t>(a)]++)] = {b, bonds_bits_[i]};
    links_[static_cast<std::size_t>(next[static_cast<std::size_t>(b)]++)] = {a, bonds_bits_[i]};
  }
}

void PatternScan::count_bits() {
  bit_counts_.assign(64 * words_, 0);
  for (std::size_t atom = 0; atom < kinds_.size(); ++atom) {
    const auto words = bits_of(atom);
    for (std::size_t w = 0; w < words.size(); ++w)
      for (std::uint64_t rest = words[w]; rest != 0; rest &= rest - 1)
        ++bit_counts_[64 * w + static_cast<std::size_t>(std::countr_zero(rest))];
  }
}

std::span<const std::uint64_t> PatternScan::bits_of(std::size_t atom) const {
  return std::span(kind_bits_).subspan(kinds_[atom] * words_, words_);
}

std::span<const PatternScan::Link> PatternScan::links_of(std::int32_t atom) const {
  const auto begin = static_cast<std::size_t>(link_begins_[static_cast<std::size_t>(atom)]);
  const auto end = static_cast<std::size_t>(link_begins_[static_cast<std::size_t>(atom) + 1]);
  return std::span(links_).subspan(begin, end - begin);
}

bool PatternScan::has_bit(std::int32_t number, std::int32_t atom) const {
  const auto bit = static_cast<std::size_t>(number);
  const std::size_t kind = kinds_[static_cast<std::size_t>(atom)];
  return (kind_bits_[kind * words_ + bit / 64] >> (bit % 64) & 1) != 0;
}

bool PatternScan::holds(std::int32_t number, std::int32_t atom) {
  const Condition& condition = set_->conditions[static_cast<std::size_t>(number)];
  const auto child_holds = [&](std::int32_t child) { return holds(child, atom); };
  switch (condition.type) {
    case Condition::Type::Bit:
      return has_bit(condition.number, atom);
    case Condition::Type::Nested:
      return nested_begins_at(condition.number, atom) != condition.negated;
    case Condition::Type::All:
      return std::ranges::all_of(condition.children, child_holds) != condition.negated;
    case Condition::Type::Any:
      return std::ranges::any_of(condition.children, child_holds) != condition.negated;
    case Condition::Type::Odd:
      return (std::ranges::count_if(condition.children, child_holds) % 2 == 1) != condition.negated;
  }
  return false;
}

bool PatternScan::nested_begins_at(std::int32_t number, std::int32_t atom) {
  const auto place =
      static_cast<std::size_t>(number) * kinds_.size() + static_cast<std::size_t>(atom);
  if (nested_[place] == kNone) {
    const CompiledPattern& pattern = set_->nested[static_cast<std::size_t>(number)];
    Search search(pattern.plans.front());
    nested_[place] = !ruled_out(pattern) && try_atom(search, atom) ? 1 : 0;
  }
  return nested_[place] == 1;
}

/// Continues a search in which some atoms are placed. True: it is over.
bool PatternScan::extend(Search& search) {
  if (search.depth == search.plan.size()) {
    if (search.found == nullptr) return true;
    std::vector<std::int32_t> atoms(search.placed.begin(), search.placed.begin() + search.depth);
    std::ranges::sort(atoms);
    search.found->insert(std::move(atoms));
    return false;
  }
  const Step& step = search.plan[search.depth];
  if (step.from == kNone) {
    for (std::size_t atom = 0; atom < kinds_.size(); ++atom)
      if (try_atom(search, static_cast<std::int32_t>(atom))) return true;
    return false;
  }
  for (const Link& link : links_of(search.placed[static_cast<std::size_t>(step.from)]))
    if ((link.bits >> step.bond & 1) != 0 && (step.bit == kNone || has_bit(step.bit, link.atom)) &&
        try_atom(search, link.atom))
      return true;
  return false;
}

/// Places `atom` next, if it may be there. True: the search is over.
bool PatternScan::try_atom(Search& search, std::int32_t atom) {
  const Step& step = search.plan[search.depth];
  if (step.bit != kNone && !has_bit(step.bit, atom)) return false;
  const auto end = search.placed.begin() + search.depth;
  if (std::find(search.placed.begin(), end, atom) != end) return false;
  for (const auto& [other, bond] : step.closures) {
    const auto links = links_of(atom);
    const std::int32_t placed = search.placed[static_cast<std::size_t>(other)];
    const auto found = std::ranges::find(links, placed, &Link::atom);
    if (found == links.end() || (found->bits >> bond & 1) == 0) return false;
  }
  if (step.bit == kNone && !holds(step.condition, atom)) return false;
  search.placed[search.depth++] = atom;
  const bool over = extend(search);
  --search.depth;
  return over;
}

bool PatternScan::ruled_out(const CompiledPattern& pattern) const {
  return std::ranges::any_of(pattern.needs, [&](const auto& need) {
    return bit_counts_[static_cast<std::size_t>(need[0])] < static_cast<std::uint32_t>(need[1]);
  });
}

/// The atom of the pattern that the fewest atoms of the molecule can be.
std::size_t PatternScan::rarest_atom(std::size_t pattern) const {
  const auto& conditions = set_->patterns[pattern].conditions;
  const auto count = [&](std::int32_t number) -> std::size_t {
    const Condition& condition = set_->conditions[static_cast<std::size_t>(number)];
    if (condition.type != Condition::Type::Bit) return kinds_.size();
    return bit_counts_[static_cast<std::size_t>(condition.number)];
  };
  return static_cast<std::size_t>(std::ranges::min_element(conditions, {}, count) -
                                  conditions.begin());
}

bool PatternScan::in(std::size_t pattern) {
  const CompiledPattern& compiled = set_->patterns[pattern];
  if (ruled_out(compiled)) return false;
  if (compiled.conditions.size() == 1 && compiled.needs.size() == 1 &&
      set_->conditions[static_cast<std::size_t>(compiled.conditions[0])].type ==
          Condition::Type::Bit)
    return true;
  Search search(compiled.plans[rarest_atom(pattern)]);
  return extend(search);
}

std::size_t PatternScan::count(std::size_t pattern) {
  const CompiledPattern& compiled = set_->patterns[pattern];
  if (ruled_out(compiled)) return 0;
  if (compiled.conditions.size() > 1) {
    std::set<std::vector<std::int32_t>> found;
    Search search(compiled.plans[rarest_atom(pattern)]);
    search.found = &found;
    extend(search);
    return found.size();
  }
  std::size_t count = 0;
  for (std::size_t atom = 0; atom < kinds_.size(); ++atom)
    count += holds(compiled.conditions[0], static_cast<std::int32_t>(atom)) ? 1 : 0;
  return count;
}

bool PatternScan::begins_at(std::size_t pattern, std::size_t atom) {
  Search search(set_->patterns[pattern].plans.front());
  return try_atom(search, static_cast<std::int32_t>(atom));
}

std::size_t PatternScan::first_at(std::size_t atom) {
  for (const std::uint16_t pattern : kind_begins_[kinds_[atom]])
    if (begins_at(pattern, atom)) return pattern;
  return set_->patterns.size();
}

}  // namespace aceso::molecules
