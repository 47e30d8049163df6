// Places at which any of several samples varies, with what each of them says there.
#pragma once

#include "gvcf_records.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <vector>

namespace aceso::genomics {

/// What one sample says of a site.
struct SampleEvidence {
  std::shared_ptr<const GvcfRecord> record;  ///< null: nothing is known
  /// For each of the record's alleles that of the site; the record's last one, which stands for all
  /// others, has none.
  std::vector<std::size_t> allele_of;
  bool own = false;  ///< the record is of this site, not of one that reaches here
  int ploidy = 2;    ///< of the record, or of the sample's last one
};

struct JointSite {
  std::uint32_t contig = 0, position = 0;  ///< 0-based
  std::vector<std::string> alleles;        ///< REF first, then sorted; '*', if there, the last
  std::vector<SampleEvidence> samples;
  std::size_t alleles_left_out = 0;  ///< as there were too many for the copies

  [[nodiscard]] bool has_star() const { return alleles.back() == "*"; }
};

/// A site of more than two copies has so many genotypes at most; alternatives with the fewest reads
/// are left out until it does.
inline constexpr std::size_t kMostSiteGenotypes = 10'000;

/// Merges sorted streams: one record of each file in memory, and those that reach over the place
/// that is worked on. Alleles that change the base at POS and those behind it (gaps) make sites of
/// their own, unless a file puts both in one record.
class JointSites {
 public:
  explicit JointSites(std::vector<GvcfRecords>& files);

  /// The next site in order of places; false behind the last.
  [[nodiscard]] bool next(JointSite& out);

 private:
  enum class Kind : std::uint8_t { Base, Gap, All };
  struct Stream {
    std::shared_ptr<const GvcfRecord> head;
    std::vector<std::shared_ptr<const GvcfRecord>>
        here;        ///< that reach over the place or begin there
    int ploidy = 2;  ///< of the last record that did
  };
  struct Entry {
    std::uint64_t place;
    std::size_t stream;
    friend bool operator>(const Entry& a, const Entry& b) {
      return a.place != b.place ? a.place > b.place : a.stream > b.stream;
    }
  };

  void advance(std::size_t stream);
  /// Takes in all records that begin at the next place; false if there is none.
  [[nodiscard]] bool step();
  void make_sites();
  [[nodiscard]] bool has_kind(Kind kind) const;
  void make_site(Kind kind);
  using OwnRecords = std::vector<std::vector<std::shared_ptr<const GvcfRecord>>>;
  void add_alternatives(const OwnRecords& own, JointSite& site) const;
  [[nodiscard]] SampleEvidence evidence(const Stream& stream, Kind kind,
                                        const JointSite& site) const;

  std::vector<GvcfRecords>& files_;
  std::vector<Stream> streams_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heads_;
  std::uint32_t contig_ = 0, position_ = 0;
  std::deque<JointSite> ready_;
};

}  // namespace aceso::genomics
