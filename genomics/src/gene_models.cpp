#include "gene_models.hpp"

#include "bed.hpp"
#include "contig_names.hpp"
#include "text_lines.hpp"
#include "vcf_lines.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace aceso::genomics {
namespace {

enum class Part : std::uint8_t { Exon, Coding, Utr, StopCodon, Other };

Part part_of(std::string_view type) {
  if (type == "exon") return Part::Exon;
  if (type == "CDS") return Part::Coding;
  if (type == "stop_codon") return Part::StopCodon;
  if (type == "five_prime_UTR" || type == "three_prime_UTR" || type == "UTR" || type == "5UTR" ||
      type == "3UTR" || type == "five_prime_utr" || type == "three_prime_utr")
    return Part::Utr;
  return Part::Other;
}

/// `text` with %XX of GFF3 as bytes.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// The last column: key=value;... of GFF3 or key "value"; ... of GTF.
class Attributes {
 public:
  explicit Attributes(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = end_of_entry(text);
      add(trimmed(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  /// The first of `keys` that is there, or nothing.
  [[nodiscard]] std::string first(std::initializer_list<std::string_view> keys) const {
    for (const std::string_view key : keys) {
      for (const auto& [name, value] : entries_) {
        if (name == key && !value.empty()) return unescaped(value);
      }
    }
    return {};
  }

 private:
  /// A ';' in quotes ends nothing.
  static std::size_t end_of_entry(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"') quoted = !quoted;
      if (text[i] == ';' && !quoted) return i;
    }
    return text.size();
  }

  void add(std::string_view entry) {
    const std::size_t cut = entry.find_first_of("= ");
    if (cut == std::string_view::npos) return;
    std::string_view value = trimmed(entry.substr(cut + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    entries_.emplace_back(entry.substr(0, cut), value);
  }

  std::vector<std::pair<std::string_view, std::string_view>> entries_;
};

/// "transcript:ENST1" of Ensembl's GFF3 is called ENST1.
std::string without_prefix(std::string id) {
  for (const std::string_view prefix : {"transcript:", "gene:"}) {
    if (id.starts_with(prefix)) return id.substr(prefix.size());
  }
  return id;
}

void join_spans(std::vector<Span>& spans) {
  std::ranges::sort(spans, {}, &Span::begin);
  std::size_t kept = 0;
  for (const Span next : spans) {
    if (kept > 0 && next.begin <= spans[kept - 1].end)
      spans[kept - 1].end = std::max(spans[kept - 1].end, next.end);
    else
      spans[kept++] = next;
  }
  spans.resize(kept);
}

/// What lines say of a gene or transcript itself.
struct FeatureNote {
  std::string parent, name, biotype, type;
};

struct Draft {
  std::string id, gene_id, gene_name, biotype;
  std::size_t contig = 0;
  bool reverse = false, mixed = false;
  std::vector<Span> exons, coding, others;
  std::vector<std::pair<Span, std::uint32_t>> phases;  ///< of each CDS line
};

class GeneReader {
 public:
  GeneReader(const std::filesystem::path& path, const Reference& reference, Warnings& warnings)
      : path_(path.string()),
        reference_(reference),
        warnings_(warnings),
        lines_(path, warnings, "GFF3 or GTF") {}

  GeneModels read() {
    std::string_view line;
    while (lines_.next(line)) {
      if (line.starts_with("##FASTA") || line.starts_with('>')) break;
      if (line.empty() || line.starts_with('#')) continue;
      add_line(line);
    }
    if (drafts_.empty() && unknown_ > 0)
      fail(Errc::CorruptData, "{}: none of its contigs is in the reference: {}{}", path_,
           printable(first_unknown_), contig_hint(reference_, first_unknown_));
    if (drafts_.empty())
      fail(Errc::CorruptData,
           "{}: no transcript; expected GFF3 or GTF with features exon or CDS that name their "
           "transcript",
           path_);
    return finish();
  }

 private:
  [[nodiscard]] std::string where() const {
    return fmt::format("{}: line {}", path_, lines_.number());
  }

  std::uint32_t parse_number(std::string_view text, std::string_view what) const {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
      fail(Errc::CorruptData, "{}: expected the {} of a feature of GFF3 or GTF, found \"{}\"",
           where(), what, printable(text));
    return value;
  }

  Span parse_span(std::string_view from, std::string_view to) const {
    const std::uint32_t first = parse_number(from, "start"), last = parse_number(to, "end");
    if (first == 0 || last < first)
      fail(Errc::CorruptData,
           "{}: expected a start from 1 on and an end not before it, found {} "
           "and {}",
           where(), first, last);
    return {first - 1, last};
  }

  /// -1: not of the reference.
  int contig_of(std::string_view name) {
    const auto [found, is_new] = contigs_.try_emplace(std::string(name), -1);
    if (is_new) {
      found->second = find_contig(reference_, name);
      if (found->second >= 0 && reference_.find(name) < 0)
        warnings_.add(
            "genes.contig_names",
            fmt::format("{}: {} is taken for {} of the reference", where(), printable(name),
                        reference_.contigs()[static_cast<std::size_t>(found->second)].name));
    }
    return found->second;
  }

  void add_line(std::string_view line) {
    const auto columns = split_views(line, '\t');
    if (columns.size() < 9)
      fail(Errc::CorruptData, "{}: expected nine columns of GFF3 or GTF, found {}", where(),
           columns.size());
    const Span span = parse_span(columns[3], columns[4]);
    const Part part = part_of(columns[2]);
    const Attributes attributes(columns[8]);
    if (part == Part::Other) {
      note_feature(columns[2], attributes);
      return;
    }
    const int contig = contig_of(columns[0]);
    if (contig < 0) {
      if (unknown_++ == 0) first_unknown_ = columns[0];
      warnings_.add("genes.unknown_contig",
                    fmt::format("{}: {} is not in the reference", where(), printable(columns[0])));
      return;
    }
    const auto index = static_cast<std::size_t>(contig);
    if (span.end > reference_.contigs()[index].length)
      fail(Errc::CorruptData, "{}: ends at {}, {} at {}; the file belongs to another reference",
           where(), span.end, printable(columns[0]), reference_.contigs()[index].length);
    const std::string id = attributes.first({"transcript_id", "Parent"});
    const std::string parent = attributes.first({"Parent"});
    // Parents may be several; transcript_id of a GFF3 line names one of them at most.
    const std::string owners = parent.empty() ? id : parent;
    if (owners.empty()) {
      warnings_.add("genes.no_transcript",
                    fmt::format("{}: names no transcript (Parent, transcript_id)", where()));
      return;
    }
    for (const std::string_view owner : split_views(owners, ','))
      add_part(draft(index, owner, columns[6], attributes), part, span, columns[7]);
  }

  void note_feature(std::string_view type, const Attributes& attributes) {
    const std::string id = attributes.first({"ID"});
    if (id.empty()) return;  // GTF says all on each line
    notes_.try_emplace(
        without_prefix(id),
        FeatureNote{without_prefix(attributes.first({"Parent"})),
                    attributes.first({"gene_name", "Name", "gene"}),
                    attributes.first({"biotype", "transcript_biotype", "transcript_type",
                                      "gene_biotype", "gene_type"}),
                    std::string(type)});
  }

  Draft& draft(std::size_t contig, std::string_view owner, std::string_view strand,
               const Attributes& attributes) {
    const std::string id = without_prefix(std::string(owner));
    // (Transcripts of the pseudo-autosomal regions stand on two contigs under one name.)
    const auto [found, is_new] =
        by_id_.try_emplace(fmt::format("{}\t{}", contig, id), drafts_.size());
    if (is_new) {
      Draft made;
      made.id = id;
      made.contig = contig;
      made.reverse = strand == "-";
      made.gene_id = attributes.first({"gene_id"});
      made.gene_name = attributes.first({"gene_name", "gene"});
      made.biotype =
          attributes.first({"transcript_biotype", "transcript_type", "gene_biotype", "gene_type"});
      drafts_.push_back(std::move(made));
    }
    Draft& out = drafts_[found->second];
    out.mixed |= out.reverse != (strand == "-");
    return out;
  }

  void add_part(Draft& out, Part part, Span span, std::string_view phase) {
    if (part == Part::Exon) out.exons.push_back(span);
    if (part == Part::Utr) out.others.push_back(span);
    if (part == Part::StopCodon || part == Part::Coding) out.coding.push_back(span);
    if (part == Part::Coding)
      out.phases.emplace_back(span, phase == "1" ? 1U : phase == "2" ? 2U : 0U);
  }

  GeneModels finish() {
    std::vector<std::vector<Transcript>> lists(reference_.contigs().size());
    GeneModels out;
    for (Draft& draft : drafts_) {
      if (draft.mixed) {
        warnings_.add("genes.two_strands",
                      fmt::format("{}: {} has parts on both strands", path_, printable(draft.id)));
        continue;
      }
      if (draft.exons.empty() && draft.coding.empty()) continue;
      lists[draft.contig].push_back(transcript_of(draft));
      ++out.transcripts;
      out.coding += lists[draft.contig].back().coding.empty() ? 0 : 1;
    }
    for (auto& list : lists) out.by_contig.emplace_back(std::move(list));
    return out;
  }

  Transcript transcript_of(Draft& draft) const {
    Transcript out;
    out.id = draft.id;
    out.reverse = draft.reverse;
    join_spans(draft.coding);
    // Where exons are not told of, or do not hold all that is coding, they are what is.
    for (const auto* spans : {&draft.coding, &draft.others}) {
      if (draft.exons.empty() || spans == &draft.coding)
        draft.exons.insert(draft.exons.end(), spans->begin(), spans->end());
    }
    join_spans(draft.exons);
    out.exons = std::move(draft.exons);
    out.coding = std::move(draft.coding);
    out.begin = out.exons.front().begin;
    out.end = out.exons.back().end;
    out.phase = first_phase(draft);
    name_gene(draft, out);
    return out;
  }

  static std::uint32_t first_phase(const Draft& draft) {
    if (draft.phases.empty()) return 0;
    const auto place = [](const auto& p) { return p.first.begin; };
    return draft.reverse ? std::ranges::max_element(draft.phases, {}, place)->second
                         : std::ranges::min_element(draft.phases, {}, place)->second;
  }

  void name_gene(const Draft& draft, Transcript& out) const {
    out.gene = draft.gene_name;
    out.biotype = draft.biotype;
    std::string at = draft.id;
    const FeatureNote* last = nullptr;
    // From the transcript up to its gene (and no further if they name each other).
    for (int depth = 0; depth < 4; ++depth) {
      const auto found = notes_.find(at);
      if (found == notes_.end()) break;
      last = &found->second;
      if (out.biotype.empty()) out.biotype = last->biotype;
      if (last->parent.empty()) break;
      at = last->parent;
    }
    if (out.gene.empty() && last != nullptr) out.gene = last->name;
    if (out.gene.empty()) out.gene = draft.gene_id.empty() ? at : draft.gene_id;
    if (out.biotype.empty()) out.biotype = out.coding.empty() ? "non_coding" : "protein_coding";
  }

  std::string path_;
  const Reference& reference_;
  Warnings& warnings_;
  TextLines lines_;
  std::unordered_map<std::string, int> contigs_;
  std::unordered_map<std::string, FeatureNote> notes_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::vector<Draft> drafts_;
  std::uint64_t unknown_ = 0;
  std::string first_unknown_;
};

}  // namespace

TranscriptIndex::TranscriptIndex(std::vector<Transcript> transcripts)
    : transcripts_(std::move(transcripts)) {
  std::ranges::stable_sort(transcripts_, {}, &Transcript::begin);
  std::uint32_t furthest = 0;
  for (const Transcript& transcript : transcripts_)
    furthest_end_.push_back(furthest = std::max(furthest, transcript.end));
}

std::size_t TranscriptIndex::first_reaching(std::uint32_t begin) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(furthest_end_, begin) -
                                  furthest_end_.begin());
}

GeneModels read_genes(const std::filesystem::path& path, const Reference& reference,
                      Warnings& warnings) {
  return GeneReader(path, reference, warnings).read();
}

}  // namespace aceso::genomics
