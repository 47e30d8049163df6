#include "check_pipeline.hpp"

#include "bed_rules.hpp"
#include "fasta_rules.hpp"
#include "fastq_rules.hpp"
#include "field_rules.hpp"
#include "hts_files.hpp"
#include "piped_file.hpp"
#include "sam_rules.hpp"
#include "text_lines.hpp"
#include "vcf_lines.hpp"
#include "vcf_rules.hpp"

#include <htslib/bgzf.h>
#include <htslib/kstring.h>
#include <htslib/vcf.h>
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <algorithm>
#include <span>

namespace aceso::genomics {
namespace {

constexpr std::uint64_t kRecordsBetweenReports = 4096;

struct FreeRecord {
  void operator()(bam1_t* record) const noexcept { bam_destroy1(record); }
};

/// A kstring that is freed.
class HtsText {
 public:
  HtsText() = default;
  HtsText(const HtsText&) = delete;
  HtsText& operator=(const HtsText&) = delete;
  ~HtsText() { ks_free(&text_); }
  kstring_t* get() noexcept { return &text_; }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.s, text_.l}; }

 private:
  kstring_t text_{};
};

/// How many bytes of a file were read since the last call.
struct BytesOf {
  const htsFile& file;
  std::uint64_t before = 0;
  std::uint64_t operator()() {
    const std::uint64_t now = bytes_read(file);
    return now - std::exchange(before, now);
  }
};

/// What all checks of a file share.
struct Check {
  const std::filesystem::path& path;
  const Reference* reference;
  Findings& findings;
  app::RunContext& context;
  std::uint64_t records = 0;

  void stop_if_asked() const {
    if (context.stop.stop_requested()) fail(Errc::Cancelled, "the check was stopped");
  }
  /// Every so many lines or records.
  template <typename TakeBytes>
  void report(std::uint64_t number, TakeBytes&& take_bytes) const {
    if (number % kRecordsBetweenReports != 0) return;
    context.progress.advance(take_bytes());
    stop_if_asked();
  }
};

/// What reading found of how the file is packed, and of its letters.
void add_warnings(Check& check, const Warnings& warnings) {
  check.findings.at_file();
  for (const WarningCount& warning : warnings.counts()) {
    if (warning.kind == "bgzf.no_end_marker") {
      check.findings.error("MISSING_END_MARKER",
                           "the BGZF end-of-file block is missing; the file may be cut");
      continue;
    }
    std::string kind = warning.kind.substr(warning.kind.find('.') + 1);
    std::ranges::transform(kind, kind.begin(),
                           [](char c) { return is_letter(c) ? static_cast<char>(c & ~0x20) : c; });
    const std::string file = check.path.string() + ": ";
    const std::string& example = warning.examples.front();
    check.findings.warn(kind, "{}{}",
                        example.starts_with(file) ? example.substr(file.size()) : example,
                        warning.count > 1 ? fmt::format(" (and {} more)", warning.count - 1) : "");
  }
}

/// Lines of text, which tell of line ends as well.
template <typename Take>
void for_lines(Check& check, std::string_view expected, const Take& take) {
  Warnings warnings;
  TextLines lines(check.path, warnings, expected);
  bool told_carriage_return = false;
  for (std::string_view line; lines.next(line);) {
    check.findings.at_line(lines.number());
    if (lines.carriage_return() && !std::exchange(told_carriage_return, true) && expected == "SAM")
      check.findings.warn("CARRIAGE_RETURN", "the line ends with CR and LF; expected LF alone");
    take(line);
    check.report(lines.number(), [&] { return lines.take_source_bytes(); });
  }
  check.context.progress.advance(lines.take_source_bytes());
  if (!lines.complete() && (expected == "SAM" || expected == "VCF")) {
    if (expected == "VCF")
      check.findings.error("MISSING_LAST_NEWLINE", "the last line has no end; the file may be cut");
    else
      check.findings.warn("MISSING_LAST_NEWLINE", "the last line has no end; the file may be cut");
  }
  add_warnings(check, warnings);
}

void check_sam(Check& check) {
  SamHeaderRules header(check.findings);
  SamRules rules(header, check.reference, check.findings);
  bool in_header = true;
  const auto end_header = [&] {
    check.findings.at_file();
    header.finish();
    if (check.reference != nullptr) header.compare(*check.reference);
    in_header = false;
  };
  std::uint64_t number = 0;
  for_lines(check, "SAM", [&](std::string_view line) {
    ++number;
    if (in_header && line.starts_with('@')) return header.add(line);
    if (in_header) {
      end_header();
      check.findings.at_line(number);
    }
    ++check.records;
    rules.check(line);
  });
  if (in_header) end_header();
  if (number == 0) check.findings.warn("EMPTY_FILE", "the file is empty");
}

/// Opens a file for htslib, or adds what is wrong.
HtsFile open_hts(Check& check, std::string_view expected) {
  silence_htslib();
  (void)open_for_reading(check.path);  // for its messages
  HtsFile file(hts_open(check.path.c_str(), "r"));
  if (!file) check.findings.error("CORRUPT_FILE", "cannot be opened as {}", expected);
  return file;
}

/// Behind the last record, as of a pipe only reading to its end tells.
void check_end_marker(Check& check, htsFile& file) {
  check.findings.at_file();
  // (Asking forgets what reading has noted.)
  const bool missed = file.is_bgzf != 0 && file.fp.bgzf->no_eof_block != 0;
  const int found = hts_check_EOF(&file);
  constexpr int kCannotSeek = 2;
  if (found == 0 || (found == kCannotSeek && missed))
    check.findings.error("MISSING_END_MARKER",
                         "the end-of-file block is missing; the file may be cut");
}

void check_bam_header(Check& check, SamHeaderRules& header, sam_hdr_t& told) {
  const char* text = sam_hdr_str(&told);
  std::string_view rest(text == nullptr ? "" : text, text == nullptr ? 0 : sam_hdr_length(&told));
  while (rest.ends_with('\0')) rest.remove_suffix(1);
  for (std::uint64_t number = 1; !rest.empty(); ++number) {
    check.findings.at_line(number);
    const std::string_view line = take_part(rest, '\n');
    if (line.starts_with('@'))
      header.add(line);
    else
      check.findings.error("INVALID_HEADER_LINE", "expected @, found {}", shown(line));
  }
  check.findings.at_file();
  for (int i = 0; i < sam_hdr_nref(&told); ++i) {
    const char* contig = sam_hdr_tid2name(&told, i);
    if (contig != nullptr && header.contig(contig) == nullptr)
      header.add_contig(contig, sam_hdr_tid2len(&told, i));
  }
  header.finish();
  if (check.reference != nullptr) header.compare(*check.reference);
}

/// BAM and CRAM: htslib's records made text.
void check_bam(Check& check, FileType type) {
  const HtsFile file = open_hts(check, name(type));
  if (!file) return;
  if (type == FileType::Cram && check.reference != nullptr)
    lend_reference(*file, *check.reference, check.context.scratch);
  // No threads of htslib: on damaged files its wait for the end marker may never end (1.16).
  const HtsHeader told(sam_hdr_read(file.get()));
  if (!told) {
    check.findings.error("INVALID_HEADER", "the header cannot be read");
    return;
  }
  SamHeaderRules header(check.findings);
  check_bam_header(check, header, *told);
  SamRules rules(header, check.reference, check.findings);
  const std::unique_ptr<bam1_t, FreeRecord> record(bam_init1());
  HtsText text;
  BytesOf bytes{*file};
  int status = 0;
  while ((status = sam_read1(file.get(), told.get(), record.get())) >= 0) {
    check.findings.at_record(++check.records);
    if (sam_format1(told.get(), record.get(), text.get()) < 0)
      check.findings.error("CORRUPT_RECORD", "the record cannot be told as SAM");
    else
      rules.check(text.view());
    check.report(check.records, bytes);
  }
  check.findings.at_record(check.records + 1);
  if (status < -1)
    check.findings.error(
        "CORRUPT_RECORD", "the record cannot be read: damaged, or cut{}",
        type == FileType::Cram && check.reference == nullptr ? ", or --reference is needed" : "");
  check_end_marker(check, *file);
}

class VcfCheck {
 public:
  explicit VcfCheck(Check& check)
      : check_(check), header_(check.findings), rules_(header_, check.reference, check.findings) {}

  void take(std::string_view line) {
    if (!in_header_) {
      ++check_.records;
      return rules_.check(line);
    }
    if (line.starts_with('#')) {
      in_header_ = !header_.add(line);
      any_ = true;
      if (!in_header_ && check_.reference != nullptr) header_.compare(*check_.reference);
      return;
    }
    const bool record = std::ranges::count(line, '\t') >= 7;
    check_.findings.error(record ? "MISSING_COLUMN_LINE" : "INVALID_META_LINE",
                          "expected {}, found {}", record ? "the line #CHROM" : "a line with ##",
                          shown(line));
    in_header_ = !record;
  }

  void finish() {
    check_.findings.at_file();
    if (in_header_)
      check_.findings.error(any_ ? "MISSING_COLUMN_LINE" : "EMPTY_FILE",
                            "the file ends before the line #CHROM");
  }

 private:
  Check& check_;
  VcfHeaderRules header_;
  VcfRules rules_;
  bool in_header_ = true, any_ = false;
};

void check_vcf(Check& check) {
  VcfCheck vcf(check);
  for_lines(check, "VCF", [&](std::string_view line) { vcf.take(line); });
  vcf.finish();
}

struct FreeVcfHeader {
  void operator()(bcf_hdr_t* header) const noexcept { bcf_hdr_destroy(header); }
};
struct FreeVcfRecord {
  void operator()(bcf1_t* record) const noexcept { bcf_destroy(record); }
};

void check_bcf(Check& check) {
  const HtsFile file = open_hts(check, "BCF");
  if (!file) return;
  const std::unique_ptr<bcf_hdr_t, FreeVcfHeader> told(bcf_hdr_read(file.get()));
  if (!told) {
    check.findings.error("INVALID_HEADER", "the header cannot be read");
    return;
  }
  VcfCheck vcf(check);
  HtsText text;
  if (bcf_hdr_format(told.get(), 0, text.get()) != 0)
    fail(Errc::OutOfResources, "{}: no memory for the header", check.path.string());
  std::string_view rest = text.view();
  for (std::uint64_t number = 1; !rest.empty(); ++number) {
    check.findings.at_line(number);
    if (const std::string_view line = take_part(rest, '\n'); !line.empty()) vcf.take(line);
  }
  const std::unique_ptr<bcf1_t, FreeVcfRecord> record(bcf_init());
  BytesOf bytes{*file};
  int status = 0;
  std::uint64_t number = 0;
  while ((status = bcf_read(file.get(), told.get(), record.get())) == 0) {
    check.findings.at_record(++number);
    text.get()->l = 0;
    constexpr int kHarmless = BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF;
    if ((record->errcode & ~kHarmless) != 0 ||
        vcf_format(told.get(), record.get(), text.get()) != 0) {
      check.findings.error("CORRUPT_RECORD", "the record cannot be told as VCF");
    } else {
      std::string_view line = text.view();
      if (line.ends_with('\n')) line.remove_suffix(1);
      vcf.take(line);
    }
    check.report(number, bytes);
  }
  check.findings.at_record(number + 1);
  if (status < -1)
    check.findings.error("CORRUPT_RECORD", "the record cannot be read: damaged, or cut");
  vcf.finish();
  check.records = number;  // (those that could not be told as VCF among them)
  if (hts_get_format(file.get())->compression == bgzf) check_end_marker(check, *file);
}

void check_bed(Check& check) {
  BedRules rules(check.reference, check.findings);
  for_lines(check, "BED", [&](std::string_view line) {
    ++check.records;
    rules.check(line);
  });
}

/// Takes an error's text apart: what stands before the message is told with the finding.
void add_error(Check& check, std::string_view kind, const Error& error) {
  std::string_view text = error.what();
  const std::string file = check.path.string() + ": ";
  if (text.starts_with(file)) text.remove_prefix(file.size());
  std::uint64_t number = 0;
  constexpr std::string_view kRecord = "record ";
  if (text.starts_with(kRecord)) {
    const auto [end, failed] =
        std::from_chars(text.data() + kRecord.size(), text.data() + text.size(), number);
    if (failed == std::errc{} && end + 1 < text.data() + text.size() && *end == ':')
      text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 2);
    else
      number = 0;
  }
  if (number > 0) check.findings.at_record(number);
  check.findings.error(kind, "{}", text);
}

void check_fastq(Check& check) {
  Warnings warnings;
  FastqRules rules(check.path, warnings, check.findings);
  try {
    for_lines(check, "FASTQ", [&](std::string_view line) { rules.add(line); });
  } catch (const Error&) {
    rules.check_whole();
    check.records = rules.records();
    throw;
  }
  rules.finish();
  check.records = rules.records();
  add_warnings(check, warnings);
}

void check_fasta(Check& check) {
  Warnings warnings;
  TextSource source({check.path}, warnings, "FASTA");
  BgzfInflater inflater;
  FastaRules rules(check.findings);
  while (const std::optional<TextPiece> piece = source.next()) {
    check.context.progress.advance(piece->source_bytes);
    check.stop_if_asked();
    const TextPiece text = inflate_piece(*piece, inflater, *source.file_names());
    rules.add({reinterpret_cast<const char*>(text.bytes.data()), text.size});
    check.records = rules.contigs();
  }
  rules.finish();
  check.records = rules.contigs();
  add_warnings(check, warnings);
}

/// By what text begins with.
FileType text_type(std::string_view text) {
  for (const std::string_view begin : {"@HD\t", "@SQ\t", "@RG\t", "@PG\t", "@CO\t"}) {
    if (text.starts_with(begin)) return FileType::Sam;
  }
  if (text.starts_with("##") || text.starts_with("#CHROM")) return FileType::Vcf;
  if (text.starts_with('>')) return FileType::Fasta;
  if (text.starts_with('@')) return FileType::Fastq;
  const std::string_view line = text.substr(0, text.find('\n'));
  std::string_view rest = line;
  (void)take_part(rest, '\t');
  const std::string_view second = take_part(rest, '\t'), third = take_part(rest, '\t');
  const std::string_view fourth = take_part(rest, '\t'), fifth = take_part(rest, '\t');
  if (std::ranges::count(line, '\t') >= 10 && all_digits(second) && all_digits(fourth) &&
      all_digits(fifth))
    return FileType::Sam;
  if (all_digits(second) && all_digits(third)) return FileType::Bed;
  if (line.starts_with("track") || line.starts_with("browser")) return FileType::Bed;
  return FileType::Unknown;
}

FileType type_of_name(const std::filesystem::path& path) {
  struct Ending {
    std::string_view ending;
    FileType type;
  };
  static constexpr Ending kEndings[] = {
      {".sam", FileType::Sam},     {".bam", FileType::Bam},   {".cram", FileType::Cram},
      {".vcf", FileType::Vcf},     {".bcf", FileType::Bcf},   {".fa", FileType::Fasta},
      {".fasta", FileType::Fasta}, {".fna", FileType::Fasta}, {".fq", FileType::Fastq},
      {".fastq", FileType::Fastq}, {".bed", FileType::Bed}};
  std::string file = to_lower(path.filename().string());
  if (file.ends_with(".gz")) file.resize(file.size() - 3);
  for (const Ending& known : kEndings) {
    if (file.ends_with(known.ending)) return known.type;
  }
  return FileType::Unknown;
}

/// Up to a BGZF block of the beginning of a file.
std::string head_of(const std::filesystem::path& path) {
  std::string raw(kBgzfMaxBlock, '\0');
  std::size_t size = 0;
  const FileHandle file = open_for_reading(path);
  const auto bytes = std::as_writable_bytes(std::span(raw));
  while (const std::size_t got = read_some(file.get(), bytes.subspan(size), path)) size += got;
  raw.resize(size);
  return raw;
}

/// The text of a file that begins with `head`: of BGZF no more than the first block that is not
/// empty, so that damage behind it is found where it is.
std::string first_text(std::string_view head, const std::filesystem::path& path) {
  if (!head.starts_with("\x1f\x8b")) return std::string(head);
  BgzfInflater inflater;
  const auto bytes = std::as_bytes(std::span(head));
  for (std::size_t at = 0; at < bytes.size();) {
    const auto block = bytes.subspan(at);
    const auto header = try_read_bgzf_header(block);
    if (!header || header->block_size > block.size()) break;
    std::string text(kBgzfMaxBlock, '\0');
    text.resize(inflater.inflate(block.first(header->block_size), text, path.string(), at));
    if (!text.empty()) return text;
    at += header->block_size;
  }
  return first_gzip_text(bytes, kBgzfMaxBlock);
}

void check_as(Check& check, FileType type) {
  switch (type) {
    case FileType::Sam:
      return check_sam(check);
    case FileType::Bam:
    case FileType::Cram:
      return check_bam(check, type);
    case FileType::Vcf:
      return check_vcf(check);
    case FileType::Bcf:
      return check_bcf(check);
    case FileType::Fasta:
      return check_fasta(check);
    case FileType::Fastq:
      return check_fastq(check);
    case FileType::Bed:
      return check_bed(check);
    case FileType::Unknown:
      break;
  }
  check.findings.error(
      "UNKNOWN_FORMAT",
      "expected SAM, BAM, CRAM, VCF, BCF, FASTA, FASTQ or BED, found none of them");
}

FileType file_type(std::string_view begin, const std::filesystem::path& path) {
  if (begin.starts_with("CRAM")) return FileType::Cram;
  if (begin.starts_with("BAM\1")) return FileType::Bam;
  if (begin.starts_with("BCF\2")) return FileType::Bcf;
  const FileType told = text_type(begin), named = type_of_name(path);
  // Text may begin like several things; what begins like nothing is what its name says.
  const bool unsure = begin.starts_with('#') || told == FileType::Fastq ||
                      told == FileType::Unknown ||
                      (told == FileType::Sam && named == FileType::Bed);
  const bool text_name =
      named != FileType::Bam && named != FileType::Cram && named != FileType::Bcf;
  return unsure && text_name && named != FileType::Unknown ? named : told;
}

/// Checks what is opened as `path` and begins with `head`; `named` is what the user calls it.
CheckedFile check_beginning_with(std::string_view head, const std::filesystem::path& path,
                                 const std::filesystem::path& named, const Reference* reference,
                                 Findings& findings, app::RunContext& context) {
  Check check{path, reference, findings, context};
  CheckedFile out;
  try {
    out.type = file_type(first_text(head, path), named);
    if (out.type == FileType::Unknown && head.empty())
      findings.error("EMPTY_FILE", "the file is empty");
    else
      check_as(check, out.type);
  } catch (const Error& error) {
    if (error.code() != Errc::CorruptData && error.code() != Errc::Unsupported) throw;
    add_error(check, "CORRUPT_FILE", error);
  }
  out.records = check.records;
  return out;
}

}  // namespace

std::string_view name(FileType type) noexcept {
  static constexpr std::string_view kNames[] = {"SAM",   "BAM",   "CRAM", "VCF",    "BCF",
                                                "FASTA", "FASTQ", "BED",  "unknown"};
  return kNames[static_cast<std::size_t>(type)];
}

CheckedFile check_file(const std::filesystem::path& path, const Reference* reference,
                       Findings& findings, app::RunContext& context) {
  findings.begin_file(path.string());
  std::error_code ignored;  // (opening tells)
  if (std::filesystem::is_regular_file(path, ignored))
    return check_beginning_with(head_of(path), path, path, reference, findings, context);
  PipedFile pipe(path, kBgzfMaxBlock, context.stop);
  const CheckedFile out =
      check_beginning_with(pipe.head(), pipe.path(), path, reference, findings, context);
  pipe.finish();
  return out;
}

}  // namespace aceso::genomics
