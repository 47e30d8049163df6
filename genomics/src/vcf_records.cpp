#include "vcf_records.hpp"

#include "hts_files.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <htslib/bgzf.h>
#include <htslib/hts.h>
#include <htslib/hts_log.h>
#include <htslib/vcf.h>

#include <cmath>
#include <cstring>
#include <limits>
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

/// What htslib says of a record that we can live with: tags and contigs that no line declares.
constexpr int kTolerable = BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF;

std::vector<std::string> samples_of(const bcf_hdr_t* header) {
  return {header->samples, header->samples + bcf_hdr_nsamples(header)};
}

/// The `index`-th integer of a BCF vector; nothing if the vector ends before it or holds no
/// integers. (htslib's own getters end the process when they meet a type that they do not expect.)
std::optional<std::int32_t> integer_at(int type, const std::uint8_t* data, int index) {
  std::int32_t value = 0;
  const auto read = [&]<typename T>(T, std::int32_t missing, std::int32_t end) {
    T stored;
    std::memcpy(&stored, data + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
    value = stored == missing ? bcf_int32_missing : stored == end ? bcf_int32_vector_end : stored;
  };
  switch (type) {
    case BCF_BT_INT8:
      read(std::int8_t{}, bcf_int8_missing, bcf_int8_vector_end);
      break;
    case BCF_BT_INT16:
      read(std::int16_t{}, bcf_int16_missing, bcf_int16_vector_end);
      break;
    case BCF_BT_INT32:
      read(std::int32_t{}, bcf_int32_missing, bcf_int32_vector_end);
      break;
    default:
      return std::nullopt;
  }
  if (value == bcf_int32_vector_end) return std::nullopt;
  return value;
}

/// The first number of a BCF vector, or -1.
double first_number(int type, const std::uint8_t* data) {
  if (type == BCF_BT_FLOAT) {
    float value = 0;
    std::memcpy(&value, data, sizeof(value));
    return bcf_float_is_missing(value) != 0 || std::isnan(value) ? -1 : value;
  }
  const std::int32_t value = integer_at(type, data, 0).value_or(bcf_int32_missing);
  return value == bcf_int32_missing ? -1 : value;
}

}  // namespace

struct VcfRecords::Impl {
  Impl(const std::filesystem::path& file_path, const Reference& genome, Warnings& sink,
       const VcfRecordsOptions& with)
      : path(file_path.string()), reference(genome), warnings(sink), options(with) {
    silence_htslib();
    (void)open_for_reading(file_path);
    file.reset(hts_open(path.c_str(), "r"));
    if (!file) fail(Errc::CorruptData, "{}: neither VCF nor BCF", path);
    const htsFormat& format = *hts_get_format(file.get());
    if (format.format != vcf && format.format != bcf)
      fail(Errc::CorruptData, "{}: neither VCF nor BCF", path);
    // (No threads: with them htslib 1.16 takes a file that ends within a block for a whole one.)
    header.reset(bcf_hdr_read(file.get()));
    if (!header) fail(Errc::CorruptData, "{}: the header of the VCF cannot be read", path);
    if (format.compression == bgzf && bgzf_check_EOF(file->fp.bgzf) == 0)
      warnings.add("vcf.no_end_marker",
                   fmt::format("{}: no end marker; the file may have been cut short", path));
    choose_sample();
    choose_score();
  }

  void choose_sample() {
    const std::vector<std::string> names = samples_of(header.get());
    if (names.empty() && options.sites_do) return;
    if (names.empty())
      fail(Errc::CorruptData, "{}: no sample; expected a genotype for each record", path);
    if (!options.sample) {
      if (names.size() > 1)
        fail(Errc::InvalidArgument, "{}: {} samples; name one by --{}: {}", path, names.size(),
             options.sample_option, printable(fmt::format("{}", fmt::join(names, ", ")), 200));
      sample_name = names[0];
    } else {
      sample_name = *options.sample;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == sample_name) sample_index = static_cast<int>(i);
    }
    if (sample_index < 0)
      fail(Errc::InvalidArgument, "{}: no sample called \"{}\"; there is: {}", path,
           printable(sample_name), printable(fmt::format("{}", fmt::join(names, ", ")), 200));
    // Others need not be unpacked.
    if (bcf_hdr_set_samples(header.get(), sample_name.c_str(), 0) != 0)
      fail(Errc::Internal, "{}: htslib did not take the sample", path);
  }

  void choose_score() {
    if (options.score_field == "QUAL") return;
    const int id = bcf_hdr_id2int(header.get(), BCF_DT_ID, options.score_field.c_str());
    score_in_format = id >= 0 && bcf_hdr_idinfo_exists(header.get(), BCF_HL_FMT, id);
    score_in_info = id >= 0 && bcf_hdr_idinfo_exists(header.get(), BCF_HL_INFO, id);
    if (!score_in_format && !score_in_info)
      fail(Errc::InvalidArgument, "{}: declares no FORMAT or INFO field \"{}\" to score by", path,
           printable(options.score_field));
  }

  [[nodiscard]] std::string where(const bcf1_t& line) const {
    const char* name = line.rid >= 0 ? bcf_hdr_id2name(header.get(), line.rid) : nullptr;
    return fmt::format("{}: record {} ({}:{})", path, number,
                       printable(name == nullptr ? "?" : name), line.pos + 1);
  }

  /// One number of the score's field, or -1.
  double score_of(bcf1_t* line) {
    const char* field = options.score_field.c_str();
    if (score_in_format) {
      const bcf_fmt_t* found = bcf_get_fmt(header.get(), line, field);
      return found == nullptr || found->n < 1 || found->p == nullptr
                 ? -1
                 : first_number(found->type, found->p);
    }
    const bcf_info_t* found = bcf_get_info(header.get(), line, field);
    return found == nullptr || found->len < 1 || found->vptr == nullptr
               ? -1
               : first_number(found->type, found->vptr);
  }

  void read_numbers(bcf1_t* line, GenotypeRecord& out) const {
    out.numbers.clear();
    for (const std::string& field : options.numbers) {
      const bcf_info_t* found = bcf_get_info(header.get(), line, field.c_str());
      float value = std::numeric_limits<float>::quiet_NaN();
      if (found != nullptr && found->len >= 1 && found->vptr != nullptr) {
        if (found->type == BCF_BT_FLOAT)
          std::memcpy(&value, found->vptr, sizeof(value));
        else if (const auto whole = integer_at(found->type, found->vptr, 0);
                 whole && *whole != bcf_int32_missing)
          value = static_cast<float>(*whole);
      }
      out.numbers.push_back(value);
    }
  }

  void read_genotype(bcf1_t* line, GenotypeRecord& out) {
    out.genotype.clear();
    out.phased = false;
    if (sample_index < 0) return;
    const bcf_fmt_t* found = bcf_get_fmt(header.get(), line, "GT");
    if (found == nullptr || found->p == nullptr) return;
    for (int i = 0; i < found->n; ++i) {
      const std::optional<std::int32_t> value = integer_at(found->type, found->p, i);
      if (!value) break;
      const bool missing = *value == bcf_int32_missing || bcf_gt_is_missing(*value);
      const int allele = missing ? kMissingAllele : bcf_gt_allele(*value);
      if (allele < kMissingAllele || allele >= static_cast<int>(line->n_allele))
        fail(Errc::CorruptData, "{}: the genotype names allele {}, there are {}", where(*line),
             allele, static_cast<int>(line->n_allele));
      out.phased |= i > 0 && bcf_gt_is_phased(*value);
      out.genotype.push_back(allele);
    }
  }

  void check_order(const bcf1_t& line, const std::string& name) {
    if (line.rid != contig) {
      if (!seen.insert(name).second)
        fail(Errc::CorruptData, "{}: {} comes twice; expected a sorted file", where(line),
             printable(name));
      contig = line.rid;
    } else if (line.pos < position) {
      fail(Errc::CorruptData, "{}: behind position {}; expected a sorted file", where(line),
           position + 1);
    }
    position = line.pos;
  }

  bool next(GenotypeRecord& out) {
    bcf1_t* line = record.get();
    const int status = bcf_read(file.get(), header.get(), line);
    if (status == -1) return false;
    ++number;
    if (status < -1 || (line->errcode & ~kTolerable) != 0)
      fail(Errc::CorruptData, "{}: record {}: cannot be read as {}", path, number,
           hts_get_format(file.get())->format == bcf ? "BCF" : "VCF");
    if (bcf_unpack(line, BCF_UN_ALL) != 0 || (line->errcode & ~kTolerable) != 0 ||
        line->n_allele == 0)
      fail(Errc::CorruptData, "{}: not a well-formed record", where(*line));
    fill(line, out);
    return true;
  }

  void fill(bcf1_t* line, GenotypeRecord& out) {
    const char* name = bcf_hdr_id2name(header.get(), line->rid);
    out.contig_name = name == nullptr ? "" : name;
    check_order(*line, out.contig_name);
    out.number = number;
    out.contig = reference.find(out.contig_name);
    out.position = line->pos < 0 ? UINT32_MAX : static_cast<std::uint32_t>(line->pos);
    out.alleles.assign(line->d.allele, line->d.allele + line->n_allele);
    const std::string pass = "PASS";
    out.passed = bcf_has_filter(header.get(), line, const_cast<char*>(pass.c_str())) == 1;
    out.quality = bcf_float_is_missing(line->qual) != 0 ? -1 : line->qual;
    out.score = options.score_field == "QUAL" ? out.quality : score_of(line);
    read_numbers(line, out);
    read_genotype(line, out);
    if (out.contig >= 0 && line->pos >= 0) check_reference(*line, out);
  }

  void check_reference(const bcf1_t& line, const GenotypeRecord& out) const {
    const auto codes = reference.codes(static_cast<std::uint32_t>(out.contig));
    const std::string& letters = out.alleles[0];
    if (out.position + letters.size() > codes.size())
      fail(Errc::CorruptData, "{}: ends behind the contig's last base, {}", where(line),
           codes.size());
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const std::uint8_t here = codes[out.position + i], told = code_of_base(letters[i]);
      if (here == told || here >= kCodeN || told >= kCodeN) continue;
      std::string expected;
      for (std::size_t j = 0; j < letters.size(); ++j)
        expected += base_of_code(codes[out.position + j]);
      fail(Errc::CorruptData,
           "{}: REF is {}, the reference has {} there; the file belongs to another reference",
           where(line), printable(letters, 40), printable(expected, 40));
    }
  }

  std::string path;
  const Reference& reference;
  Warnings& warnings;
  VcfRecordsOptions options;
  std::unique_ptr<htsFile, CloseFile> file;
  std::unique_ptr<bcf_hdr_t, FreeHeader> header;
  std::unique_ptr<bcf1_t, FreeRecord> record{bcf_init()};
  std::string sample_name;
  int sample_index = -1;
  bool score_in_format = false, score_in_info = false;
  std::uint64_t number = 0;
  std::int32_t contig = -1;
  hts_pos_t position = 0;
  std::set<std::string> seen;
};

VcfRecords::VcfRecords(const std::filesystem::path& path, const Reference& reference,
                       Warnings& warnings, const VcfRecordsOptions& options)
    : impl_(std::make_unique<Impl>(path, reference, warnings, options)) {}
VcfRecords::~VcfRecords() = default;
VcfRecords::VcfRecords(VcfRecords&&) noexcept = default;
bool VcfRecords::next(GenotypeRecord& out) { return impl_->next(out); }
const std::string& VcfRecords::sample() const noexcept { return impl_->sample_name; }

}  // namespace aceso::genomics
