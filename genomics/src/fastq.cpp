#include "aceso/genomics/fastq.hpp"

#include "fastq_cutter.hpp"
#include "kernels/kernels.hpp"
#include "text_source.hpp"

#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <cctype>
#include <deque>

namespace aceso::genomics {
namespace {

/// Parses one chunk. The lines of record r are lines_[4 r] to lines_[4 r + 3].
class Parser {
 public:
  Parser(const FastqChunk& chunk, std::uint8_t qualified, Warnings& warnings, ParsedChunk& out)
      : chunk_(chunk), qualified_(qualified), warnings_(warnings), out_(out) {}

  void run() {
    thread_local std::vector<std::uint32_t> ends;
    // The cutter puts at most four lines a record into a chunk.
    if (const std::size_t lines = std::size_t{4} * chunk_.record_count; ends.size() < lines)
      ends.resize(lines);
    const std::size_t lines = kernels().find_newlines(chunk_.text(), chunk_.size, ends.data());
    out_.clear();
    out_.records.reserve(chunk_.record_count);
    out_.facts.reserve(chunk_.record_count);
    std::uint32_t begin = 0;
    std::size_t line = 0;
    for (record_ = 0; line + 4 <= lines; ++record_, line += 4) {
      add_record(begin, &ends[line]);
      begin = ends[line + 3] + 1;
    }
    if (line < lines) refuse_rest(begin, &ends[line], lines - line);
  }

 private:
  struct Line {
    char* text = nullptr;
    std::uint32_t size = 0;
    [[nodiscard]] std::string_view view() const { return {text, size}; }
  };

  Line line(std::uint32_t begin, std::uint32_t end) {
    char* text = chunk_.text() + begin;
    if (end > begin && chunk_.text()[end - 1] == '\r') {
      carriage_returns_ = true;
      --end;
    }
    return {text, end - begin};
  }

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
    fail(Errc::CorruptData, "{}: {}", chunk_.place(record_),
         fmt::format(format, std::forward<Args>(args)...));
  }

  void add_record(std::uint32_t begin, const std::uint32_t* ends) {
    carriage_returns_ = false;
    const Line name = line(begin, ends[0]);
    const Line bases = line(ends[0] + 1, ends[1]);
    const Line plus = line(ends[1] + 1, ends[2]);
    const Line quality = line(ends[2] + 1, ends[3]);
    if (name.size == 0 || name.text[0] != '@') refuse_name(name.view());
    if (plus.size == 0 || plus.text[0] != '+') refuse_plus(plus.view());
    if (plus.size > 1 && plus.view().substr(1) != name.view().substr(1))
      refuse_repeated_name(name.view(), plus.view());
    if (quality.size != bases.size) refuse_quality_size(bases.size, quality);
    FastqRecord record{.name = name.text + 1,
                       .bases = bases.text,
                       .qualities = quality.text,
                       .name_size = name.size - 1,
                       .length = bases.size,
                       .text_size = ends[3] + 1 - begin,
                       .plain = !carriage_returns_ && plus.size == 1};
    ReadFacts facts =
        kernels().read_facts(record.bases, record.qualities, record.length, qualified_);
    if (!facts.qualities_valid) refuse_quality_letter(record.qualities_view());
    if (facts.other > 0) {
      make_uniform(record);
      facts = kernels().read_facts(record.bases, record.qualities, record.length, qualified_);
    }
    if (record_ % kQualityRangeSample == 0) note_quality_range(record);
    out_.records.push_back(record);
    out_.facts.push_back(facts);
  }

  [[noreturn]] void refuse_name(std::string_view found) {
    if (found.starts_with('>'))
      refuse("expected '@' and a name, found '>': this is FASTA, qualities are missing");
    if (record_ > 0 || chunk_.first_record > 0)
      refuse("expected '@' and a name, found '{}': is a sequence or quality on several lines?",
             printable(found, 40));
    refuse("expected '@' and a name, found '{}': is this FASTQ?", printable(found, 40));
  }

  [[noreturn]] void refuse_plus(std::string_view found) {
    const bool bases = !found.empty() && std::ranges::all_of(found, [](unsigned char c) {
      return std::isalpha(c) != 0;
    });
    if (bases)
      refuse(
          "expected '+' in the third line, found '{}': is the sequence on several lines? Only four "
          "lines a record are read",
          printable(found, 40));
    refuse("expected '+' in the third line, found '{}'", printable(found, 40));
  }

  [[noreturn]] void refuse_repeated_name(std::string_view name, std::string_view plus) {
    refuse("the name behind '+' differs: expected '{}', found '{}'", printable(name.substr(1), 60),
           printable(plus.substr(1), 60));
  }

  [[noreturn]] void refuse_quality_size(std::uint32_t bases, const Line& quality) {
    refuse("quality has {} letters, sequence has {}{}", quality.size, bases,
           quality.view().find(' ') == std::string_view::npos ? "" : " (the quality has spaces)");
  }

  [[noreturn]] void refuse_quality_letter(std::string_view quality) {
    const auto bad = std::ranges::find_if(quality, [](char c) { return c < 33 || c > 126; });
    refuse("quality letter {} is 0x{:02x}, expected '!' (0x21) to '~' (0x7e)",
           bad - quality.begin() + 1, static_cast<unsigned>(static_cast<unsigned char>(*bad)));
  }

  /// Called for reads with letters other than A C G T N only.
  void make_uniform(const FastqRecord& record) {
    bool lower = false, dots = false, uracil = false, ambiguous = false;
    for (char& base : std::span(record.bases, record.length)) {
      if (base >= 'a' && base <= 'z') {
        lower = true;
        base = static_cast<char>(base - 'a' + 'A');
      }
      if (base == '.') {
        dots = true;
        base = 'N';
      } else if (base == 'U') {
        uracil = true;
        base = 'T';
      } else if (std::string_view("ACGTN").find(base) == std::string_view::npos) {
        if (std::string_view("RYSWKMBDHV").find(base) == std::string_view::npos)
          refuse("sequence letter {} is '{}', expected a base", &base - record.bases + 1,
                 printable({&base, 1}));
        ambiguous = true;
      }
    }
    if (lower) warn("fastq.lower_case", "has lower case letters; they are made upper case");
    if (dots) warn("fastq.dots", "has '.' for unknown bases; they are made 'N'");
    if (uracil) warn("fastq.uracil", "has 'U'; it is made 'T'");
    if (ambiguous) warn("fastq.iupac", "has IUPAC letters other than A C G T N; they are kept");
  }

  void warn(std::string_view kind, std::string_view what) {
    warnings_.add(kind, fmt::format("{}: {}", chunk_.place(record_), what));
  }

  void note_quality_range(const FastqRecord& record) {
    for (const char letter : record.qualities_view()) {
      out_.quality_least = std::min(out_.quality_least, static_cast<std::uint8_t>(letter));
      out_.quality_most = std::max(out_.quality_most, static_cast<std::uint8_t>(letter));
    }
  }

  /// The file ends with less than four lines: says what is wrong with them, most telling first.
  [[noreturn]] void refuse_rest(std::uint32_t begin, const std::uint32_t* ends, std::size_t lines) {
    const Line name = line(begin, ends[0]);
    if (name.size == 0 || name.text[0] != '@') refuse_name(name.view());
    if (lines >= 3) {
      const Line plus = line(ends[1] + 1, ends[2]);
      if (plus.size == 0 || plus.text[0] != '+') refuse_plus(plus.view());
    }
    refuse("the file ends behind line {} of its 4 lines: it is truncated", lines);
  }

  // Enough to suspect another encoding of qualities.
  static constexpr std::uint32_t kQualityRangeSample = 16;

  const FastqChunk& chunk_;
  const std::uint8_t qualified_;
  Warnings& warnings_;
  ParsedChunk& out_;
  std::uint32_t record_ = 0;
  bool carriage_returns_ = false;
};

/// The name up to the first blank.
std::string_view identifier(std::string_view name) {
  std::size_t size = 0;
  while (size < name.size() && name[size] != ' ' && name[size] != '\t') ++size;
  return name.substr(0, size);
}

bool differ_in_mate_number_only(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a.size() < 2) return false;
  const std::size_t last = a.size() - 1;
  return a[last] == '1' && b[last] == '2' && a.substr(0, last) == b.substr(0, last);
}

}  // namespace

std::string FastqChunk::place(std::uint32_t record) const {
  const auto behind = std::ranges::upper_bound(origins, record, {}, &Origin::begin);
  const Origin& origin = *(behind - 1);
  return fmt::format("{}: record {}", (*files)[origin.file],
                     origin.number_1based + record - origin.begin);
}

void ParsedChunk::clear() {
  records.clear();
  facts.clear();
  quality_least = 255;
  quality_most = 0;
}

void parse_fastq(const FastqChunk& chunk, std::uint8_t qualified, Warnings& warnings,
                 ParsedChunk& out) {
  Parser(chunk, qualified, warnings, out).run();
}

void check_mates(const FastqChunk& chunk_a, const FastqRecord& a, const FastqChunk& chunk_b,
                 const FastqRecord& b, std::uint32_t record) {
  const std::string_view name_a = identifier(a.name_view()), name_b = identifier(b.name_view());
  if (name_a == name_b) {
    if (!name_a.ends_with("/1") && !name_a.ends_with("/2")) return;
    fail(Errc::CorruptData,
         "{} and {}: both reads are named '{}', expected '/1' and '/2': is the same file given "
         "twice?",
         chunk_a.place(record), chunk_b.place(record), printable(name_a));
  }
  if (differ_in_mate_number_only(name_a, name_b)) return;
  fail(Errc::CorruptData, "{} and {}: mates are out of step: '{}' and '{}'", chunk_a.place(record),
       chunk_b.place(record), printable(name_a), printable(name_b));
}

struct FastqReader::Impl {
  Impl(std::vector<std::filesystem::path> files, Warnings& sink, std::uint32_t records)
      : source(std::move(files), sink), cutter(records, source.file_names()), warnings(sink) {}

  TextSource source;
  FastqCutter cutter;
  BgzfInflater inflater;
  Warnings& warnings;
  std::deque<FastqChunk> ready;
  FastqChunk current;
  bool ended = false;
};

FastqReader::FastqReader(std::vector<std::filesystem::path> files, Warnings& warnings,
                         std::uint32_t records_per_chunk)
    : impl_(std::make_unique<Impl>(std::move(files), warnings, records_per_chunk)) {}
FastqReader::~FastqReader() = default;
FastqReader::FastqReader(FastqReader&&) noexcept = default;

bool FastqReader::next(ParsedChunk& out, const std::stop_token& stop) {
  const auto keep = [this](FastqChunk chunk) { impl_->ready.push_back(std::move(chunk)); };
  while (impl_->ready.empty() && !impl_->ended) {
    throw_if_stopped(stop);
    if (auto piece = impl_->source.next()) {
      impl_->cutter.add(
          inflate_piece(std::move(*piece), impl_->inflater, *impl_->source.file_names()), keep);
    } else {
      impl_->cutter.finish(keep);
      impl_->ended = true;
    }
  }
  out.clear();
  if (impl_->ready.empty()) return false;
  impl_->current = std::move(impl_->ready.front());
  impl_->ready.pop_front();
  parse_fastq(impl_->current, 15, impl_->warnings, out);
  return true;
}

}  // namespace aceso::genomics
