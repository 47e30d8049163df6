#include "joint_sites.hpp"

#include "genotype_order.hpp"
#include "normal_allele.hpp"

#include <algorithm>
#include <map>

namespace aceso::genomics {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::uint64_t place_of(const GvcfRecord& record) {
  return (static_cast<std::uint64_t>(record.contig) << 32) + record.begin;
}

/// Whether some and whether all spelled alternatives change the first base.
struct FirstBase {
  bool some = false, all = true, any_spelled = false;
};

FirstBase first_base(const GvcfRecord& record) {
  FirstBase out;
  for (std::size_t i = 1; i < record.alleles.size(); ++i) {
    if (record.alleles[i] == "*") continue;
    const bool changes = record.alleles[i][0] != record.alleles[0][0];
    out.any_spelled = true;
    out.some |= changes;
    out.all &= changes;
  }
  return out;
}

/// The alternative on the longer reference of a site.
std::string extended(const std::string& alternative, const std::string& reference,
                     const std::string& site_reference) {
  return alternative == "*" ? alternative : alternative + site_reference.substr(reference.size());
}

/// Whether an alternative of a record changes or removes the base at `position`.
bool changes(const GvcfRecord& record, std::size_t allele, std::uint32_t position) {
  // (Cut at its end first: gaps lie as far left as they can.)
  const auto trimmed = normal_allele(record.begin, record.alleles[0], record.alleles[allele]);
  return trimmed && trimmed->position <= position &&
         position < trimmed->position + trimmed->removed.size();
}

/// Copies that a record calls the reference.
std::ptrdiff_t references_called(const GvcfRecord& record) {
  return std::ranges::count(record.genotype, 0);
}

/// Copies of which a record's called allele removes or changes the base at `position`.
std::ptrdiff_t changes_called(const GvcfRecord& record, std::uint32_t position) {
  return std::ranges::count_if(record.genotype, [&](int allele) {
    const auto number = static_cast<std::size_t>(allele);
    return number > 0 && number < record.alleles.size() && record.alleles[number] != "*" &&
           changes(record, number, position);
  });
}

}  // namespace

JointSites::JointSites(std::vector<GvcfRecords>& files) : files_(files), streams_(files.size()) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    advance(i);
    if (streams_[i].head) streams_[i].ploidy = streams_[i].head->ploidy;
  }
}

void JointSites::advance(std::size_t stream) {
  auto record = std::make_shared<GvcfRecord>();
  if (!files_[stream].next(*record)) {
    streams_[stream].head = nullptr;
    return;
  }
  heads_.push({place_of(*record), stream});
  streams_[stream].head = std::move(record);
}

bool JointSites::step() {
  if (heads_.empty()) return false;
  const std::uint64_t place = heads_.top().place;
  contig_ = static_cast<std::uint32_t>(place >> 32);
  position_ = static_cast<std::uint32_t>(place);
  while (!heads_.empty() && heads_.top().place == place) {
    const std::size_t stream = heads_.top().stream;
    heads_.pop();
    auto& here = streams_[stream].here;
    std::erase_if(here, [&](const auto& r) { return r->contig != contig_ || r->end <= position_; });
    streams_[stream].ploidy = streams_[stream].head->ploidy;
    here.push_back(std::move(streams_[stream].head));
    advance(stream);
  }
  return true;
}

bool JointSites::has_kind(Kind kind) const {
  for (const Stream& stream : streams_) {
    for (const auto& record : stream.here) {
      if (record->block || record->contig != contig_ || record->begin != position_) continue;
      const FirstBase first = first_base(*record);
      if (!first.any_spelled) continue;
      if (kind == Kind::All    ? first.some && !first.all
          : kind == Kind::Base ? first.some
                               : !first.all)
        return true;
    }
  }
  return false;
}

void JointSites::make_sites() {
  if (has_kind(Kind::All)) {
    make_site(Kind::All);
    return;
  }
  for (const Kind kind : {Kind::Base, Kind::Gap}) {
    if (has_kind(kind)) make_site(kind);
  }
}

void JointSites::make_site(Kind kind) {
  JointSite site;
  site.contig = contig_;
  site.position = position_;
  std::string reference;
  OwnRecords own(streams_.size());
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    for (const auto& record : streams_[s].here) {
      if (record->block || record->contig != contig_ || record->begin != position_) continue;
      const FirstBase first = first_base(*record);
      if (!first.any_spelled || (kind != Kind::All && first.some != (kind == Kind::Base))) continue;
      own[s].push_back(record);
      if (record->alleles[0].size() > reference.size()) reference = record->alleles[0];
    }
  }
  site.alleles.push_back(reference);
  add_alternatives(own, site);
  site.alleles.emplace_back("*");
  bool star = false;
  for (const Stream& stream : streams_) {
    site.samples.push_back(evidence(stream, kind, site));
    star |= std::ranges::find(site.samples.back().allele_of, site.alleles.size() - 1) !=
            site.samples.back().allele_of.end();
  }
  if (!star) site.alleles.pop_back();
  ready_.push_back(std::move(site));
}

void JointSites::add_alternatives(const OwnRecords& own, JointSite& site) const {
  std::map<std::string, std::uint64_t> depths;
  for (const auto& records : own) {
    for (const auto& record : records) {
      for (std::size_t i = 1; i < record->alleles.size(); ++i) {
        if (record->alleles[i] == "*") continue;
        depths[extended(record->alleles[i], record->alleles[0], site.alleles[0])] +=
            i < record->depths.size() ? record->depths[i] : 0;
      }
    }
  }
  const int ploidy = std::ranges::max(streams_, {}, &Stream::ploidy).ploidy;
  // (With the reference and '*'. Of so many alleles the number of genotypes can be told.)
  const auto too_many = [&] {
    return ploidy > 2 &&
           (depths.size() > 100 || genotype_count(ploidy, depths.size() + 2) > kMostSiteGenotypes);
  };
  for (; too_many(); ++site.alleles_left_out)
    depths.erase(std::ranges::min_element(depths, {}, [](const auto& e) { return e.second; }));
  for (const auto& [allele, depth] : depths) site.alleles.push_back(allele);
}

SampleEvidence JointSites::evidence(const Stream& stream, Kind kind, const JointSite& site) const {
  const std::size_t star = site.alleles.size() - 1;
  const std::uint32_t changed = position_ + (kind == Kind::Gap ? 1 : 0);
  // Of records of this site the first; else of those that change what the site changes; else a
  // block; else a variant beside it, whose alleles are all alike here.
  SampleEvidence best;
  best.ploidy = stream.ploidy;
  int best_rank = 0;
  for (const auto& record : stream.here) {
    if (record->contig != contig_ || record->end <= position_) continue;
    SampleEvidence now{record, std::vector<std::size_t>(record->alleles.size(), 0), false,
                       record->ploidy};
    int rank = record->block ? 2 : 1;
    const FirstBase first = first_base(*record);
    now.own = !record->block && record->begin == position_ && first.any_spelled &&
              (kind == Kind::All || first.some == (kind == Kind::Base));
    for (std::size_t i = 1; i < record->alleles.size(); ++i) {
      const std::string& text = record->alleles[i];
      if (now.own && text != "*") {
        const auto found =
            std::ranges::find(site.alleles, extended(text, record->alleles[0], site.alleles[0]));
        // (Files that disagree on REF: the letters are not those of this site.)
        now.allele_of[i] = found == site.alleles.end()
                               ? kNone
                               : static_cast<std::size_t>(found - site.alleles.begin());
      } else if (record->begin == position_ ? text == "*" : changes(*record, i, changed)) {
        now.allele_of[i] = star;
        rank = 3;
      }
    }
    if (now.own) rank = 4;
    if (rank > best_rank) {
      best = std::move(now);
      best_rank = rank;
    }
  }
  if (!best.own) return best;
  // The haplotypes that a record beside this one calls the reference may be those that another
  // record of the sample takes away.
  const auto references = references_called(*best.record);
  if (references == 0 || references == std::ssize(best.record->genotype)) return best;
  for (const auto& record : stream.here) {
    if (record != best.record && record->begin < position_ && record->contig == contig_ &&
        record->genotype.size() == best.record->genotype.size() &&
        changes_called(*record, changed) == references)
      best.allele_of[0] = star;
  }
  return best;
}

bool JointSites::next(JointSite& out) {
  while (ready_.empty()) {
    if (!step()) return false;
    make_sites();
  }
  out = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

}  // namespace aceso::genomics
