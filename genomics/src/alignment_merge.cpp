#include "alignment_merge.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <set>

namespace aceso::genomics {
namespace {

// Reading ahead takes a thread and some megabytes for each file.
constexpr std::size_t kMostReadAhead = 64;
// Of a process beside its inputs: output, index, reference, standard streams and what a server has.
constexpr std::size_t kOtherFiles = 64;

void check_paths(const std::vector<std::filesystem::path>& paths) {
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const std::filesystem::path& path : paths) {
    struct stat file{};
    // (What cannot be found is told when it is opened.)
    if (stat(path.c_str(), &file) == 0 && !seen.emplace(file.st_dev, file.st_ino).second)
      fail(Errc::InvalidArgument, "{}: given twice; its reads would be there twice", path.string());
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && paths.size() + kOtherFiles > limit.rlim_cur)
    fail(Errc::OutOfResources,
         "{} files are merged at once, and a process may have {} open here; raise it (ulimit -n "
         "{}), or merge groups of them first",
         paths.size(), limit.rlim_cur, paths.size() + kOtherFiles);
}

HeaderText header_text(const SortedRecords& file) {
  sam_hdr_t* header = file.header();
  HeaderText out{.file = file.path(), .contigs = {}, .text = {}};
  kstring_t line = KS_INITIALIZE;
  for (int i = 0; i < sam_hdr_nref(header); ++i) {
    const char* name = sam_hdr_tid2name(header, i);
    const hts_pos_t length = sam_hdr_tid2len(header, i);
    const bool told = sam_hdr_find_line_id(header, "SQ", "SN", name, &line) == 0;
    out.contigs.push_back({.name = name,
                           .length = length,
                           .md5 = to_lower(header_tag(header, "SQ", "SN", name, "M5")),
                           .line = told ? std::string(line.s, line.l)
                                        : fmt::format("@SQ\tSN:{}\tLN:{}", name, length)});
  }
  ks_free(&line);
  if (const char* text = sam_hdr_str(header); text != nullptr)
    out.text.assign(text, sam_hdr_length(header));
  return out;
}

std::string text_of(const bam1_t& record, const char* tag) {
  const std::uint8_t* found = bam_aux_get(&record, tag);
  const char* text = found == nullptr ? nullptr : bam_aux2Z(found);
  return text == nullptr ? "" : text;
}

void set_text(bam1_t& record, const char* tag, const std::string& before,
              const std::string& after) {
  if (before != after && bam_aux_update_str(&record, tag, -1, after.c_str()) != 0)
    fail(Errc::OutOfResources, "no memory for a record");
}

}  // namespace

AlignmentMerge::AlignmentMerge(const std::vector<std::filesystem::path>& paths, Warnings& warnings,
                               const AlignmentMergeOptions& options)
    : warnings_(warnings) {
  check_paths(paths);
  open(paths, warnings, options);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (advance(i)) turns_.push_back(turn_of(i));
  }
  std::ranges::make_heap(turns_, std::greater());
}

void AlignmentMerge::open(const std::vector<std::filesystem::path>& paths, Warnings& warnings,
                          const AlignmentMergeOptions& options) {
  const SortedRecordsOptions reading{
      .reference = options.lent,
      .threads = paths.size() <= kMostReadAhead ? options.threads : nullptr,
      .whole = true};
  std::shared_ptr<sam_hdr_t> first;
  for (const std::filesystem::path& path : paths) {
    Input& input =
        inputs_.emplace_back(SortedRecords(path, warnings, reading), HeaderNames{},
                             std::unique_ptr<bam1_t, FreeRecord>(bam_init1()), 0, "", "");
    if (options.reference != nullptr) (void)input.records.match_contigs(*options.reference);
    input.names = header_.add(header_text(input.records), warnings);
    // Their contigs are the same, and thousands of headers would not be small.
    if (first)
      input.records.use_header(first);
    else
      first = input.records.shared_header();
  }
}

bool AlignmentMerge::advance(std::size_t i) {
  Input& input = inputs_[i];
  const bool any = input.records.next(*input.head);
  const std::uint64_t before = std::exchange(input.bytes, input.records.source_bytes());
  source_bytes_ += input.bytes - std::min(before, input.bytes);
  if (any) rename(input);
  return any;
}

/// Gives the record in front the names of read group and program that the merged header has.
void AlignmentMerge::rename(Input& input) {
  bam1_t& record = *input.head;
  const std::string group = text_of(record, "RG"), program = text_of(record, "PG");
  if (!group.empty()) set_text(record, "RG", group, name_of_group(input, group));
  const auto found = input.names.programs.find(program);
  if (found != input.names.programs.end()) set_text(record, "PG", program, found->second);
}

const std::string& AlignmentMerge::name_of_group(Input& input, const std::string& group) {
  if (input.last_group == group) return input.last_name;
  const auto found = input.names.groups.find(group);
  const bool declared = found != input.names.groups.end();
  if (!declared && header_.has_group(group))
    fail(Errc::CorruptData,
         "{}: has the read group {}, which the file's header does not declare, and another file's "
         "does; expected @RG for each group",
         input.records.where(*input.head), printable(group));
  if (!declared)
    warnings_.add("merge.unknown_read_group",
                  fmt::format("{}: has the read group {}, which the header does not declare",
                              input.records.where(*input.head), printable(group)));
  input.last_group = group;
  input.last_name = declared ? found->second : group;
  return input.last_name;
}

const bam1_t* AlignmentMerge::next() {
  if (handed_out_) {
    const std::size_t input = turns_.front().input;
    if (advance(input)) {
      turns_.front() = turn_of(input);
      sink();
    } else {
      std::ranges::pop_heap(turns_, std::greater());
      turns_.pop_back();
    }
  }
  handed_out_ = !turns_.empty();
  return handed_out_ ? inputs_[turns_.front().input].head.get() : nullptr;
}

AlignmentMerge::Turn AlignmentMerge::turn_of(std::size_t input) const {
  const bam1_core_t& core = inputs_[input].head->core;
  const bool reversed = (core.flag & BAM_FREVERSE) != 0;
  // (Without a contig the position says nothing.)
  const auto position = static_cast<std::uint64_t>(core.tid < 0 ? 0 : core.pos + 1);
  return {static_cast<std::uint32_t>(core.tid), position << 1 | (reversed ? 1U : 0U), input};
}

/// Moves the front of the heap, which may have grown, to its place. (pop_heap and push_heap would
/// walk its whole height, though most often the same file has the next record too.)
void AlignmentMerge::sink() {
  for (std::size_t at = 0;;) {
    std::size_t child = 2 * at + 1;
    if (child >= turns_.size()) return;
    if (child + 1 < turns_.size() && turns_[child + 1] < turns_[child]) ++child;
    if (turns_[at] < turns_[child]) return;
    std::swap(turns_[at], turns_[child]);
    at = child;
  }
}

}  // namespace aceso::genomics
