// What a sorted file of known variants says of an allele: dbSNP, ClinVar, gnomAD and the like.
#pragma once

#include "annotate_line.hpp"
#include "normal_allele.hpp"
#include "vcf_lines.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// How many values an INFO field has.
enum class ValueCount : std::uint8_t { Flag, PerAlternative, PerAllele, Any };

/// A column that is carried over: ID, or an INFO field under its own or another name.
struct TrackColumn {
  std::string from, to;
  bool is_id = false;
  ValueCount count = ValueCount::Any;
  std::string header;  ///< the ##INFO line that declares `to`
};

/// A record of a track, as far as it is carried over.
struct TrackRecord {
  std::string id, info;
};

/// An allele of a track.
struct TrackAllele {
  NormalAllele allele;
  std::size_t number = 0;  ///< of the alternative, from 0
  std::shared_ptr<TrackRecord> record;
};

class AnnotationTrack {
 public:
  /// `columns` is a list with commas: ID, TAG, or NEW:=TAG. Empty: CLNSIG, CLNDN and CLNREVSTAT
  /// where the file declares CLNSIG (ClinVar), else ID.
  /// \throws Error as VcfLines does; InvalidArgument for a field that is not declared, or has a
  ///         value per genotype.
  AnnotationTrack(const std::filesystem::path& path, std::string_view columns, Warnings& warnings);

  [[nodiscard]] const std::vector<TrackColumn>& columns() const noexcept { return columns_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Takes in what lies within kAlleleReach of [begin, end) on the contig of that plain name, whose
  /// codes are given if there is a reference. Within a contig `begin` must not fall.
  void move_to(const std::string& plain_contig, std::uint32_t begin, std::uint32_t end,
               std::span<const std::uint8_t> contig);
  /// The track's alleles that are `allele`.
  [[nodiscard]] const TrackAllele* find(const NormalAllele& allele) const;

  /// What a line whose alternatives were found as `found` (null: not) gets, and the identifiers.
  void tell(const std::vector<const TrackAllele*>& found, std::vector<InfoUpdate>& updates,
            std::vector<std::string>& ids) const;

  std::uint64_t matched = 0;  ///< alleles, counted by the user of this class
  [[nodiscard]] bool ever_there() const noexcept { return ever_there_; }
  /// Bytes read of the file since the last call.
  [[nodiscard]] std::uint64_t take_source_bytes() noexcept { return lines_->take_source_bytes(); }

 private:
  void choose_columns(std::string_view text);
  void add_column(std::string_view text);
  [[nodiscard]] std::string_view declaration(std::string_view field) const;
  bool advance();
  void go_to_contig(const std::string& plain_contig, std::uint32_t position);
  void jump(std::uint32_t position);
  void drop_before(std::uint32_t position);
  [[nodiscard]] std::shared_ptr<TrackRecord> new_record();
  void take_in(std::span<const std::uint8_t> contig);
  void add(TrackAllele allele);
  [[nodiscard]] std::optional<InfoUpdate> value_of(
      const TrackColumn& column, const std::vector<const TrackAllele*>& found) const;

  std::string path_;
  Warnings& warnings_;
  std::unique_ptr<VcfLines> lines_;
  std::vector<TrackColumn> columns_;
  VcfLine line_;
  bool more_ = false, whole_file_seen_ = false, ever_there_ = false, here_ = false;
  std::string line_contig_, contig_;
  std::set<std::string> passed_, all_;
  std::deque<TrackAllele> near_;                     ///< by position, of equal ones as they came
  std::vector<std::shared_ptr<TrackRecord>> spare_;  ///< records to be used again
  bool carries_info_ = false;
};

}  // namespace aceso::genomics
