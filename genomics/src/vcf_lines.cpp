#include "vcf_lines.hpp"

#include "contig_names.hpp"
#include "text_lines.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <htslib/bgzf.h>
#include <htslib/hts.h>
#include <htslib/hts_log.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>
#include <htslib/vcf.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <set>

namespace aceso::genomics {
namespace {

struct CloseFile {
  void operator()(htsFile* file) const noexcept { hts_close(file); }
};
struct FreeHeader {
  void operator()(bcf_hdr_t* header) const noexcept { bcf_hdr_destroy(header); }
};
struct FreeRecord {
  void operator()(bcf1_t* record) const noexcept { bcf_destroy(record); }
};

/// A kstring that is freed.
class Text {
 public:
  Text() = default;
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() { ks_free(&text_); }

  kstring_t* get() noexcept { return &text_; }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.s, text_.l}; }
  void clear() noexcept { text_.l = 0; }

 private:
  kstring_t text_{};
};

bool is_bcf(const std::filesystem::path& path) {
  const std::unique_ptr<htsFile, CloseFile> file(hts_open(path.c_str(), "r"));
  return file && hts_get_format(file.get())->format == bcf;
}

/// A source of lines, header first.
class LineSource {
 public:
  virtual ~LineSource() = default;
  virtual bool next(std::string_view& line) = 0;
  virtual std::uint64_t take_source_bytes() noexcept = 0;
};

class TextLineSource : public LineSource {
 public:
  TextLineSource(const std::filesystem::path& path, Warnings& warnings)
      : lines_(path, warnings, "VCF") {}
  bool next(std::string_view& line) override { return lines_.next(line); }
  std::uint64_t take_source_bytes() noexcept override { return lines_.take_source_bytes(); }

 private:
  TextLines lines_;
};

/// BCF made text by htslib.
class BcfLineSource : public LineSource {
 public:
  BcfLineSource(const std::filesystem::path& path, Warnings& warnings)
      : path_(path.string()), file_(hts_open(path_.c_str(), "r")) {
    if (file_) header_.reset(bcf_hdr_read(file_.get()));
    if (!header_) fail(Errc::CorruptData, "{}: the header of the BCF cannot be read", path_);
    if (hts_get_format(file_.get())->compression == bgzf && bgzf_check_EOF(file_->fp.bgzf) == 0)
      warnings.add("vcf.no_end_marker",
                   fmt::format("{}: no end marker; the file may have been cut short", path_));
    if (bcf_hdr_format(header_.get(), 0, text_.get()) != 0)
      fail(Errc::OutOfResources, "{}: no memory for the header", path_);
    for (const std::string_view line : split_views(text_.view(), '\n')) {
      if (!line.empty()) heads_.emplace_back(line);
    }
  }

  bool next(std::string_view& line) override {
    if (head_ < heads_.size()) {
      line = heads_[head_++];
      return true;
    }
    const int status = bcf_read(file_.get(), header_.get(), record_.get());
    if (status == -1) return false;
    ++number_;
    text_.clear();
    if (status < -1 || (record_->errcode & ~(BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF)) != 0 ||
        vcf_format(header_.get(), record_.get(), text_.get()) != 0)
      fail(Errc::CorruptData, "{}: record {}: cannot be read as BCF", path_, number_);
    line = text_.view();
    if (line.ends_with('\n')) line.remove_suffix(1);
    bytes_ += line.size();
    return true;
  }
  std::uint64_t take_source_bytes() noexcept override {
    const std::int64_t now = bgzf_tell(file_->fp.bgzf) >> 16;
    const std::int64_t before = std::exchange(told_, now);
    return now > before ? static_cast<std::uint64_t>(now - before) : 0;
  }

 private:
  std::string path_;
  std::unique_ptr<htsFile, CloseFile> file_;
  std::unique_ptr<bcf_hdr_t, FreeHeader> header_;
  std::unique_ptr<bcf1_t, FreeRecord> record_{bcf_init()};
  Text text_;
  std::vector<std::string> heads_;
  std::size_t head_ = 0;
  std::uint64_t number_ = 0, bytes_ = 0;
  std::int64_t told_ = 0;
};

struct FreeIndex {
  void operator()(tbx_t* index) const noexcept { tbx_destroy(index); }
};
struct FreeIterator {
  void operator()(hts_itr_t* iterator) const noexcept { hts_itr_destroy(iterator); }
};

/// The index beside a file; null if there is none, or it is older than the file.
std::unique_ptr<tbx_t, FreeIndex> open_index(const std::string& path) {
  namespace fs = std::filesystem;
  for (const char* ending : {".tbi", ".csi"}) {
    const std::string name = path + ending;
    std::error_code error, none;
    const auto written = fs::last_write_time(name, error);
    if (error || written < fs::last_write_time(path, none) || none) continue;
    if (tbx_t* index = tbx_index_load3(path.c_str(), name.c_str(), HTS_IDX_SILENT_FAIL))
      return std::unique_ptr<tbx_t, FreeIndex>(index);
  }
  return nullptr;
}

/// The lines of a part of a file, by its index.
class IndexedLineSource : public LineSource {
 public:
  IndexedLineSource(const std::string& path, tbx_t* index, int contig, std::uint32_t position)
      : path_(path), index_(index), file_(hts_open(path.c_str(), "r")) {
    if (file_) iterator_.reset(tbx_itr_queryi(index, contig, position, HTS_POS_MAX));
    if (!iterator_) fail(Errc::Io, "{}: cannot be read by its index", path);
  }

  bool next(std::string_view& line) override {
    const int status = tbx_itr_next(file_.get(), index_, iterator_.get(), text_.get());
    if (status < -1) fail(Errc::CorruptData, "{}: damaged, or not what its index is of", path_);
    line = text_.view();
    return status >= 0;
  }
  std::uint64_t take_source_bytes() noexcept override { return 0; }

 private:
  std::string path_;
  tbx_t* index_;
  std::unique_ptr<htsFile, CloseFile> file_;
  std::unique_ptr<hts_itr_t, FreeIterator> iterator_;
  Text text_;
};

std::unique_ptr<LineSource> open_lines(const std::filesystem::path& path, Warnings& warnings) {
  hts_set_log_level(HTS_LOG_OFF);  // a library does not print; what matters is thrown
  (void)open_for_reading(path);    // for its messages
  if (is_bcf(path)) return std::make_unique<BcfLineSource>(path, warnings);
  return std::make_unique<TextLineSource>(path, warnings);
}

}  // namespace

bool VcfLine::assign(std::string_view text) {
  text_ = text;
  std::size_t at = 0;
  for (std::size_t i = 1; i < begins_.size(); ++i) {
    const std::size_t tab = text_.find('\t', at);
    // (INFO may be the last column.)
    if (tab == std::string::npos && i + 1 < begins_.size()) return false;
    at = tab == std::string::npos ? text_.size() + 1 : tab + 1;
    begins_[i] = static_cast<std::uint32_t>(at);
  }
  const std::string_view digits = column(VcfColumn::Position);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), position_);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  position_ -= position_ > 0 ? 1 : 0;
  return true;
}

std::string_view VcfLine::column(VcfColumn column) const noexcept {
  const auto i = static_cast<std::size_t>(column);
  return std::string_view(text_).substr(begins_[i], begins_[i + 1] - 1 - begins_[i]);
}

std::string_view VcfLine::rest() const noexcept {
  return begins_[8] > text_.size() ? std::string_view()
                                   : std::string_view(text_).substr(begins_[8]);
}

std::string_view info_value(std::string_view info, std::string_view key, bool& present) {
  present = false;
  while (!info.empty()) {
    const std::string_view entry = info.substr(0, info.find(';'));
    const std::size_t equal = std::min(entry.find('='), entry.size());
    if (entry.substr(0, equal) == key) {
      present = true;
      return entry.substr(std::min(equal + 1, entry.size()));
    }
    info.remove_prefix(std::min(entry.size() + 1, info.size()));
  }
  return {};
}

std::string_view header_value(std::string_view line, std::string_view key) {
  const std::string wanted(key);
  for (const std::string& before : {"<" + wanted + "=", "," + wanted + "="}) {
    const std::size_t at = line.find(before);
    if (at == std::string_view::npos) continue;
    const std::string_view value = line.substr(at + before.size());
    return value.substr(0, value.find_first_of(",>"));
  }
  return {};
}

std::vector<std::string_view> split_views(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for_each_part(text, separator, [&](std::string_view part) { out.push_back(part); });
  return out;
}

struct VcfLines::Impl {
  Impl(const std::filesystem::path& file, Warnings& warnings)
      : path(file.string()), source(open_lines(file, warnings)) {
    read_header();
    index = open_index(path);
  }

  bool jump(const std::string& plain_contig, std::uint32_t to) {
    int count = 0;
    const char** all = tbx_seqnames(index.get(), &count);
    const std::unique_ptr<const char*, void (*)(const char**)> owner(
        all, [](const char** list) { std::free(list); });
    for (int i = 0; i < count; ++i) {
      if (plain_contig_name(all[i]) != plain_contig) continue;
      source = std::make_unique<IndexedLineSource>(path, index.get(), i, to);
      seen.clear();
      contig.clear();
      jumped = true;
      return true;
    }
    return false;
  }

  void read_header() {
    std::string_view line;
    while (source->next(line)) {
      if (head.empty() && !line.starts_with("##fileformat=VCF")) break;
      if (line.starts_with("##")) {
        head.emplace_back(line);
      } else if (line.starts_with("#CHROM\t")) {
        names = line;
        const auto words = split_views(names, '\t');
        for (std::size_t i = 9; i < words.size(); ++i) samples.emplace_back(words[i]);
        return;
      } else {
        break;
      }
    }
    if (head.empty())
      fail(Errc::CorruptData, "{}: neither VCF nor BCF: expected ##fileformat=VCF at the beginning",
           path);
    fail(Errc::CorruptData, "{}: the header of the VCF has no line #CHROM", path);
  }

  bool next(VcfLine& out) {
    std::string_view line;
    do {
      if (!source->next(line)) return false;
    } while (line.empty());
    out.number = jumped ? 0 : ++number;
    if (!out.assign(line))
      fail(Errc::CorruptData,
           "{}: record {}: expected eight columns or more and a number as POS, found \"{}\"", path,
           number, printable(line, 60));
    if (out.column(VcfColumn::Reference).empty() || out.column(VcfColumn::Contig).empty())
      fail(Errc::CorruptData, "{}: CHROM or REF is empty", where(out));
    check_order(out);
    return true;
  }

  [[nodiscard]] std::string where(const VcfLine& line) const {
    const std::string place = fmt::format("{}:{}", printable(line.column(VcfColumn::Contig)),
                                          printable(line.column(VcfColumn::Position)));
    return line.number == 0 ? fmt::format("{}: {}", path, place)
                            : fmt::format("{}: record {} ({})", path, line.number, place);
  }

  void check_order(const VcfLine& line) {
    const std::string_view name = line.column(VcfColumn::Contig);
    if (name != contig) {
      contig = name;
      if (!seen.insert(contig).second)
        fail(Errc::CorruptData, "{}: {} comes twice; expected a sorted file (bcftools sort)",
             where(line), printable(name));
    } else if (line.position() < position) {
      fail(Errc::CorruptData, "{}: behind position {}; expected a sorted file (bcftools sort)",
           where(line), position + 1);
    }
    position = line.position();
  }

  std::string path;
  std::unique_ptr<tbx_t, FreeIndex> index;
  std::unique_ptr<LineSource> source;  // (uses the index)
  bool jumped = false;
  std::vector<std::string> head, samples;
  std::string names, contig;
  std::set<std::string> seen;
  std::uint64_t number = 0;
  std::uint32_t position = 0;
};

VcfLines::VcfLines(const std::filesystem::path& path, Warnings& warnings)
    : impl_(std::make_unique<Impl>(path, warnings)) {}
VcfLines::~VcfLines() = default;
VcfLines::VcfLines(VcfLines&&) noexcept = default;
VcfLines& VcfLines::operator=(VcfLines&&) noexcept = default;
const std::vector<std::string>& VcfLines::header() const noexcept { return impl_->head; }
const std::string& VcfLines::columns() const noexcept { return impl_->names; }
const std::vector<std::string>& VcfLines::samples() const noexcept { return impl_->samples; }
const std::string& VcfLines::path() const noexcept { return impl_->path; }
bool VcfLines::next(VcfLine& line) { return impl_->next(line); }
bool VcfLines::has_index() const noexcept { return impl_->index != nullptr; }
bool VcfLines::jump(const std::string& plain_contig, std::uint32_t position) {
  return impl_->jump(plain_contig, position);
}
std::string VcfLines::where(const VcfLine& line) const { return impl_->where(line); }
std::uint64_t VcfLines::take_source_bytes() noexcept { return impl_->source->take_source_bytes(); }

}  // namespace aceso::genomics
