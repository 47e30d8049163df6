#include "annotation_track.hpp"

#include "contig_names.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

ValueCount count_of(std::string_view number, std::string_view field, const std::string& path) {
  if (number == "A") return ValueCount::PerAlternative;
  if (number == "R") return ValueCount::PerAllele;
  if (number == "0") return ValueCount::Flag;
  if (number == "G")
    fail(Errc::InvalidArgument,
         "{}: {} has a value for each genotype, which cannot be carried over to other alleles",
         path, printable(field));
  return ValueCount::Any;
}

/// A track with an index is not read over stretches longer than this.
constexpr std::uint32_t kJump = 100'000;

/// The `index`-th of values with commas between them, '.' if there is none.
std::string_view nth(std::string_view values, std::size_t index) {
  std::string_view out = ".";
  for_each_part(values, ',', [&](std::string_view part) {
    if (index-- == 0) out = part;
  });
  return out;
}

void append(std::string& list, std::string_view value) {
  if (!list.empty()) list += ',';
  list += value;
}

}  // namespace

AnnotationTrack::AnnotationTrack(const std::filesystem::path& path, std::string_view columns,
                                 Warnings& warnings)
    : path_(path.string()),
      warnings_(warnings),
      lines_(std::make_unique<VcfLines>(path, warnings)) {
  choose_columns(columns);
  more_ = advance();
}

std::string_view AnnotationTrack::declaration(std::string_view field) const {
  for (const std::string& line : lines_->header()) {
    if (line.starts_with("##INFO=") && header_value(line, "ID") == field) return line;
  }
  return {};
}

void AnnotationTrack::choose_columns(std::string_view text) {
  if (text.empty() && declaration("CLNSIG").empty()) {
    add_column("ID");
  } else if (text.empty()) {
    for (const std::string_view field : {"CLNSIG", "CLNDN", "CLNREVSTAT"}) {
      if (!declaration(field).empty()) add_column(field);
    }
  } else {
    for (const std::string_view column : split_views(text, ',')) add_column(column);
  }
}

void AnnotationTrack::add_column(std::string_view text) {
  TrackColumn column;
  const std::size_t renamed = text.find(":=");
  column.from = text.substr(renamed == std::string_view::npos ? 0 : renamed + 2);
  column.to = text.substr(0, renamed);
  for (std::string* name : {&column.from, &column.to}) {
    if (name->starts_with("INFO/")) name->erase(0, 5);
  }
  column.is_id = column.from == "ID";
  if (column.is_id && column.to != "ID")
    fail(Errc::InvalidArgument, "columns: ID cannot be carried over to {}", printable(column.to));
  if (!column.is_id) {
    const std::string_view declared = declaration(column.from);
    if (declared.empty() || column.to.empty())
      fail(Errc::InvalidArgument,
           "{}: declares no INFO field \"{}\"; columns are ID, TAG or "
           "NEW:=TAG",
           path_, printable(column.from));
    column.count = count_of(header_value(declared, "Number"), column.from, path_);
    const std::size_t at = declared.find("ID=" + column.from) + 3;
    column.header = std::string(declared.substr(0, at)) + column.to +
                    std::string(declared.substr(at + column.from.size()));
  }
  carries_info_ |= !column.is_id;
  columns_.push_back(std::move(column));
}

bool AnnotationTrack::advance() {
  if (!lines_->next(line_)) {
    whole_file_seen_ = true;
    return false;
  }
  const std::string_view name = line_.column(VcfColumn::Contig);
  if (std::string plain = plain_contig_name(name); plain != line_contig_) {
    if (!line_contig_.empty()) passed_.insert(line_contig_);
    line_contig_ = std::move(plain);
    all_.insert(line_contig_);
  }
  return true;
}

void AnnotationTrack::jump(std::uint32_t position) {
  more_ = lines_->jump(contig_, position) && advance();
  here_ = more_;
  ever_there_ |= here_;
}

void AnnotationTrack::go_to_contig(const std::string& plain_contig, std::uint32_t position) {
  near_.clear();
  contig_ = plain_contig;
  here_ = false;
  if (lines_->has_index()) {
    jump(position);
    return;
  }
  if (whole_file_seen_ && !all_.contains(plain_contig)) return;
  if (passed_.contains(plain_contig) || !more_) {
    // The file has its contigs in another order, or was looked through in vain for one that it
    // lacks: it is read from its beginning again.
    lines_ = std::make_unique<VcfLines>(path_, warnings_);
    passed_.clear();
    line_contig_.clear();
    more_ = advance();
  }
  while (more_ && line_contig_ != plain_contig) more_ = advance();
  here_ = more_;
  ever_there_ |= here_;
}

void AnnotationTrack::take_in(std::span<const std::uint8_t> contig) {
  const std::string_view reference = line_.column(VcfColumn::Reference);
  if (!contig.empty() && !agrees(line_.position(), reference, contig)) {
    warnings_.add("annotate.track_reference",
                  fmt::format("{}: REF is {}, which is not what the reference has there",
                              lines_->where(line_), printable(reference, 40)));
    return;
  }
  const std::shared_ptr<TrackRecord> record = new_record();
  record->id = line_.column(VcfColumn::Id);
  if (carries_info_) record->info = line_.column(VcfColumn::Info);
  std::size_t number = 0;
  for_each_part(line_.column(VcfColumn::Alternatives), ',', [&](std::string_view alternative) {
    if (auto allele = normal_allele(line_.position(), reference, alternative, contig))
      add({std::move(*allele), number, record});
    ++number;
  });
}

std::shared_ptr<TrackRecord> AnnotationTrack::new_record() {
  if (spare_.empty()) return std::make_shared<TrackRecord>();
  std::shared_ptr<TrackRecord> out = std::move(spare_.back());
  spare_.pop_back();
  return out;
}

void AnnotationTrack::add(TrackAllele allele) {
  // (Nearly always at the end: only gaps are moved left.)
  auto place = near_.end();
  while (place != near_.begin() && std::prev(place)->allele.position > allele.allele.position)
    --place;
  near_.insert(place, std::move(allele));
}

void AnnotationTrack::drop_before(std::uint32_t position) {
  while (!near_.empty() && near_.front().allele.position < position) {
    std::shared_ptr<TrackRecord> record = std::move(near_.front().record);
    near_.pop_front();
    if (record.use_count() == 1) spare_.push_back(std::move(record));
  }
}

void AnnotationTrack::move_to(const std::string& plain_contig, std::uint32_t begin,
                              std::uint32_t end, std::span<const std::uint8_t> contig) {
  const std::uint32_t first = std::max(begin, kAlleleReach) - kAlleleReach;
  if (plain_contig != contig_)
    go_to_contig(plain_contig, first);
  else if (here_ && lines_->has_index() && line_.position() + std::uint64_t{kJump} < first)
    jump(first);
  drop_before(first);
  while (here_ && line_.position() <= std::uint64_t{end} + kAlleleReach) {
    // (What ends before the window cannot be moved into it.)
    if (line_.position() + line_.column(VcfColumn::Reference).size() >= first) take_in(contig);
    more_ = advance();
    here_ = more_ && line_contig_ == contig_;
  }
}

const TrackAllele* AnnotationTrack::find(const NormalAllele& allele) const {
  auto found = std::ranges::lower_bound(
      near_, allele.position, {}, [](const TrackAllele& near) { return near.allele.position; });
  for (; found != near_.end() && found->allele.position == allele.position; ++found) {
    if (found->allele == allele) return &*found;
  }
  return nullptr;
}

std::optional<InfoUpdate> AnnotationTrack::value_of(
    const TrackColumn& column, const std::vector<const TrackAllele*>& found) const {
  InfoUpdate out{column.to, {}, column.count == ValueCount::Flag};
  std::string& list = out.value;
  bool any = false, reference_told = false;
  for (const TrackAllele* allele : found) {
    bool there = false;
    const std::string_view value = allele == nullptr
                                       ? std::string_view()
                                       : info_value(allele->record->info, column.from, there);
    any |= there;
    if (column.count == ValueCount::PerAllele && there && !reference_told) {
      list = std::string(nth(value, 0)) + (list.empty() ? "" : "," + list);
      reference_told = true;
    }
    const std::size_t shift = column.count == ValueCount::PerAllele ? 1 : 0;
    if (column.count == ValueCount::Any && found.size() > 1 && there)
      append(list, replaced(value, ',', '|'));
    else if (column.count == ValueCount::Any)
      append(list, there ? value : ".");
    else if (!out.flag)
      append(list, there ? nth(value, allele->number + shift) : ".");
  }
  if (!any) return std::nullopt;
  return out;
}

void AnnotationTrack::tell(const std::vector<const TrackAllele*>& found,
                           std::vector<InfoUpdate>& updates, std::vector<std::string>& ids) const {
  for (const TrackColumn& column : columns_) {
    if (!column.is_id) {
      if (auto update = value_of(column, found)) updates.push_back(std::move(*update));
      continue;
    }
    for (const TrackAllele* allele : found) {
      if (allele == nullptr || allele->record->id == ".") continue;
      for_each_part(allele->record->id, ';', [&](std::string_view id) {
        if (std::ranges::find(ids, id) == ids.end()) ids.emplace_back(id);
      });
    }
  }
}

}  // namespace aceso::genomics
