#include "record_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace aceso::genomics {
namespace {

// Picard counts bases of at least this quality when it chooses which duplicate to keep.
constexpr int kDuplicateLeastQuality = 15;
constexpr std::uint8_t kConfident = 20;

constexpr std::array<std::uint8_t, 256> packed_bases() {
  std::array<std::uint8_t, 256> table{};
  table.fill(15);
  table['A'] = 1;
  table['C'] = 2;
  table['G'] = 4;
  table['T'] = 8;
  return table;
}
constexpr std::array<std::uint8_t, 256> kPacked = packed_bases();
/// The complement of a packed base.
constexpr std::array<std::uint8_t, 16> kPackedComplement = {15, 8,  4,  15, 2,  15, 15, 15,
                                                            1,  15, 15, 15, 15, 15, 15, 15};

std::string_view read_name(const FastqRecord& read) {
  std::string_view name = read.name_view();
  name = name.substr(0, name.find_first_of(" \t"));
  if (name.size() > 2 && name[name.size() - 2] == '/' && (name.back() == '1' || name.back() == '2'))
    name.remove_suffix(2);
  constexpr std::size_t kMostName = 250;  // BAM holds 254, and NULs are added
  return name.substr(0, kMostName);
}

std::uint32_t duplicate_quality(const FastqRecord& read) {
  std::uint32_t sum = 0;
  for (const char letter : read.qualities_view()) {
    const int phred = letter - '!';
    if (phred >= kDuplicateLeastQuality) sum += static_cast<std::uint32_t>(phred);
  }
  return sum;
}

/// Signed distance of the 5' ends, as bwa and samtools fixmate give it.
std::int32_t template_length(const Alignment& own, const Alignment& mate) {
  const auto end5 = [](const Alignment& a) {
    return static_cast<std::int64_t>(a.reversed ? a.end - 1 : a.position);
  };
  const std::int64_t distance = end5(mate) - end5(own);
  const std::int64_t one = distance > 0 ? 1 : distance < 0 ? -1 : 0;
  return static_cast<std::int32_t>(distance + one);
}

std::uint64_t end_key(const Alignment& alignment) {
  return DuplicateKey::end_key(alignment.unclipped_start(), alignment.reversed);
}

void add_keys(std::uint64_t number, std::span<const FastqRecord* const> reads,
              std::span<const Alignment* const> places, std::vector<DuplicateKey>& out) {
  std::uint32_t quality = 0;
  std::vector<std::uint64_t> ends;
  for (std::size_t m = 0; m < reads.size(); ++m) {
    if (!places[m]->mapped) continue;
    quality += duplicate_quality(*reads[m]);
    ends.push_back(end_key(*places[m]));
  }
  if (ends.empty()) return;
  std::ranges::sort(ends);
  if (ends.size() == 1) {
    out.push_back({ends[0], DuplicateKey::kNoMate, number, quality, 0, {}, 0});
    return;
  }
  const std::uint32_t strands = (places[0]->reversed ? 1U : 0U) | (places[1]->reversed ? 2U : 0U);
  const ClusterPlace cluster = cluster_place(read_name(*reads[0]));
  out.push_back({ends[0], ends[1], number, quality, 0, cluster, strands});
  out.push_back({ends[1], 0, number, 0, 1, {}, 0});
}

}  // namespace

void AlignCounts::add(const AlignCounts& other) {
  reads += other.reads;
  mapped += other.mapped;
  pairs += other.pairs;
  proper += other.proper;
  supplementary += other.supplementary;
  secondary += other.secondary;
  singletons += other.singletons;
  confident += other.confident;
  bases += other.bases;
}

std::string cigar_text(std::span<const std::uint32_t> packed) {
  if (packed.empty()) return "*";
  std::string out;
  for (const std::uint32_t op : packed)
    out += fmt::format("{}{}", cigar_length(op), "MIDNSHP=X"[op & 15U]);
  return out;
}

/// One record to be written.
struct RecordBuilder::Job {
  std::uint64_t number = 0;
  const FastqRecord* read = nullptr;
  const Alignment* alignment = nullptr;
  const Alignment* mate = nullptr;     ///< of the primary record of the mate; null: unpaired
  const ReadPlaces* places = nullptr;  ///< all of this read
  std::uint16_t flags = 0;
  std::uint8_t order = 0;
};

void RecordBuilder::add_pair(std::uint64_t number, const FastqRecord& read1,
                             const FastqRecord& read2, const PairPlaces& places, RecordBatch& out) {
  const std::array reads = {&read1, &read2};
  const std::array primary = {&places.reads[0].primary, &places.reads[1].primary};
  add_keys(number, reads, primary, out.keys);
  std::uint8_t order = 0;
  for (std::size_t m = 0; m < 2; ++m) {
    const Alignment &own = *primary[m], &mate = *primary[1 - m];
    std::uint16_t flags = kPaired | (m == 0 ? kFirst : kLast);
    if (places.proper) flags |= kProper;
    if (!mate.mapped) flags |= kMateUnmapped;
    if (mate.reversed) flags |= kMateReversed;
    Job job{number, reads[m], &own, &mate, &places.reads[m], flags, order++};
    if (!own.mapped) job.flags |= kUnmapped;
    add_one(job, out);
    job.flags = flags;
    add_others(job, order, out);
    if (own.mapped && !mate.mapped) ++out.counts.singletons;
  }
  ++out.counts.pairs;
  if (places.proper) out.counts.proper += 2;
}

void RecordBuilder::add_read(std::uint64_t number, const FastqRecord& read,
                             const ReadPlaces& places, RecordBatch& out) {
  const std::array reads = {&read};
  const std::array primary = {&places.primary};
  add_keys(number, reads, primary, out.keys);
  const auto unmapped = static_cast<std::uint16_t>(places.primary.mapped ? 0 : kUnmapped);
  Job job{number, &read, &places.primary, nullptr, &places, unmapped, 0};
  add_one(job, out);
  job.flags = 0;
  std::uint8_t order = 1;
  add_others(job, order, out);
}

void RecordBuilder::add_others(Job job, std::uint8_t& order, RecordBatch& out) {
  const std::uint16_t flags = job.flags;
  const auto add_all = [&](const std::vector<Alignment>& alignments, SamFlag kind) {
    for (const Alignment& alignment : alignments) {
      job.alignment = &alignment;
      job.flags = flags | kind;
      job.order = order++;
      add_one(job, out);
    }
  };
  add_all(job.places->supplementary, kSupplementary);
  add_all(job.places->secondary, kSecondary);
}

void RecordBuilder::add_one(const Job& job, RecordBatch& out) {
  const Alignment& own = *job.alignment;
  const std::size_t at = out.bytes.size();
  PackedRecord head;
  head.number = job.number;
  head.order = job.order;
  head.flags = static_cast<std::uint16_t>(job.flags | (own.reversed ? kReversed : 0));
  head.read_length = job.read->length;
  if (own.mapped) {
    head.position = own.position;
    head.mapping_quality = own.mapping_quality;
    head.cigar_count = static_cast<std::uint16_t>(own.cigar.size());
  }
  if (job.mate != nullptr) {
    if (job.mate->mapped) head.mate_position = job.mate->position;
    if (!own.mapped) head.position = head.mate_position;
    if (!job.mate->mapped) head.mate_position = head.position;
    if (own.mapped && job.mate->mapped &&
        reference_.contig_at(own.position) == reference_.contig_at(job.mate->position))
      head.template_length = template_length(own, *job.mate);
  }
  out.bytes.resize(at + sizeof head);
  write_data(job, out, head);
  out.bytes.resize((out.bytes.size() + 7) / 8 * 8);
  head.size = static_cast<std::uint32_t>(out.bytes.size() - at);
  std::memcpy(out.bytes.data() + at, &head, sizeof head);

  AlignCounts& counts = out.counts;
  if ((job.flags & kSupplementary) != 0) {
    ++counts.supplementary;
    return;
  }
  if ((job.flags & kSecondary) != 0) {
    ++counts.secondary;
    return;
  }
  ++counts.reads;
  counts.bases += head.read_length;
  if (own.mapped) ++counts.mapped;
  if (own.mapped && own.mapping_quality >= kConfident) ++counts.confident;
}

void RecordBuilder::write_data(const Job& job, RecordBatch& out, PackedRecord& head) {
  const FastqRecord& read = *job.read;
  const std::string_view name = complete_ ? read_name(read) : std::string_view();
  head.name_padding = static_cast<std::uint8_t>(3 - name.size() % 4);
  head.name_size = static_cast<std::uint8_t>(name.size() + 1 + head.name_padding);
  tags_.clear();
  if (complete_) write_tags(job);
  head.tags_size = static_cast<std::uint32_t>(tags_.size());

  const std::size_t begin = out.bytes.size();
  out.bytes.resize(begin + head.data_size());
  auto* to = reinterpret_cast<std::uint8_t*>(out.bytes.data() + begin);
  std::ranges::copy(name, to);
  std::fill_n(to + name.size(), 1 + head.name_padding, std::uint8_t{0});
  to += head.name_size;
  for (const std::uint32_t op : job.alignment->cigar) {
    std::memcpy(to, &op, sizeof op);
    to += sizeof op;
  }
  const std::uint32_t length = read.length;
  const bool reversed = job.alignment->reversed;
  const auto base = [&](std::uint32_t i) -> std::uint8_t {
    const std::uint8_t code =
        kPacked[static_cast<unsigned char>(read.bases[reversed ? length - 1 - i : i])];
    return reversed ? kPackedComplement[code] : code;
  };
  for (std::uint32_t i = 0; i + 1 < length; i += 2)
    *to++ = static_cast<std::uint8_t>(base(i) << 4 | base(i + 1));
  if (length % 2 != 0) *to++ = static_cast<std::uint8_t>(base(length - 1) << 4);
  for (std::uint32_t i = 0; i < length; ++i)
    *to++ = static_cast<std::uint8_t>(read.qualities[reversed ? length - 1 - i : i] - '!');
  std::ranges::copy(tags_, to);
}

void RecordBuilder::tag_text(const char* tag, std::string_view text) {
  tags_.insert(tags_.end(),
               {static_cast<std::uint8_t>(tag[0]), static_cast<std::uint8_t>(tag[1]), 'Z'});
  tags_.insert(tags_.end(), text.begin(), text.end());
  tags_.push_back(0);
}

void RecordBuilder::tag_number(const char* tag, std::int64_t value) {
  tags_.insert(tags_.end(), {static_cast<std::uint8_t>(tag[0]), static_cast<std::uint8_t>(tag[1])});
  const auto put = [&](char type, auto number) {
    tags_.push_back(static_cast<std::uint8_t>(type));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&number);
    tags_.insert(tags_.end(), bytes, bytes + sizeof number);
  };
  if (value >= 0 && value < 256)
    put('C', static_cast<std::uint8_t>(value));
  else
    put('i', static_cast<std::int32_t>(value));
}

/// NM and MD: what differs between the read and the reference.
void RecordBuilder::write_differences(const Job& job) {
  const Alignment& own = *job.alignment;
  const std::span<const std::uint8_t> codes = reference_.codes();
  const FastqRecord& read = *job.read;
  std::uint32_t in_read = 0, place = own.position, same = 0, edits = 0;
  text_.clear();
  const auto read_code = [&](std::uint32_t i) {
    const char letter = read.bases[own.reversed ? read.length - 1 - i : i];
    const std::uint8_t code = code_of_base(letter);
    return own.reversed ? complement(code) : code;
  };
  const auto add_same = [&] {
    text_ += fmt::format_int(same).c_str();
    same = 0;
  };
  for (const std::uint32_t op : own.cigar) {
    const std::uint32_t length = cigar_length(op);
    switch (cigar_op(op)) {
      case CigarOp::Match:
        for (std::uint32_t i = 0; i < length; ++i, ++in_read, ++place) {
          if (codes[place] == read_code(in_read) && codes[place] < kCodeN) {
            ++same;
            continue;
          }
          add_same();
          text_ += base_of_code(codes[place]);
          ++edits;
        }
        break;
      case CigarOp::Deletion:
        add_same();
        text_ += '^';
        for (std::uint32_t i = 0; i < length; ++i) text_ += base_of_code(codes[place++]);
        edits += length;
        break;
      case CigarOp::Insertion:
        edits += length;
        [[fallthrough]];
      case CigarOp::SoftClip:
        in_read += length;
        break;
      case CigarOp::HardClip:
        break;
    }
  }
  add_same();
  tag_number("NM", edits);
  tag_text("MD", text_);
}

std::string RecordBuilder::place_text(const Alignment& alignment) const {
  const Place place = reference_.place(alignment.position);
  return fmt::format("{},{},{},{},{},0;", reference_.contigs()[place.contig].name,
                     place.position + 1, alignment.reversed ? '-' : '+',
                     cigar_text(alignment.cigar), alignment.mapping_quality);
}

/// SA: the other parts of a split read, the primary one first.
void RecordBuilder::write_split(const Job& job) {
  if (job.places->supplementary.empty()) return;
  std::string others;
  if (job.alignment != &job.places->primary) others += place_text(job.places->primary);
  for (const Alignment& part : job.places->supplementary) {
    if (&part != job.alignment) others += place_text(part);
  }
  tag_text("SA", others);
}

void RecordBuilder::write_tags(const Job& job) {
  const Alignment& own = *job.alignment;
  if (own.mapped) {
    write_differences(job);
    tag_number("AS", own.score);
    // (A secondary place is one of those that XS and SA are about.)
    if ((job.flags & kSecondary) == 0) {
      tag_number("XS", own.second_score);
      write_split(job);
    }
  }
  if (job.mate != nullptr && job.mate->mapped) {
    tag_text("MC", cigar_text(job.mate->cigar));
    tag_number("MQ", job.mate->mapping_quality);
  }
  if (!read_group_.empty()) tag_text("RG", read_group_);
}

}  // namespace aceso::genomics
