#include "annotate_pipeline.hpp"

#include "annotation_track.hpp"
#include "bed.hpp"
#include "contig_names.hpp"
#include "text_source.hpp"
#include "vcf_text_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aceso::genomics {
namespace {

constexpr std::size_t kBatch = 2048;
constexpr std::string_view kBcsqHeader =
    "##INFO=<ID=BCSQ,Number=.,Type=String,Description=\"Consequence annotation from aceso genomics "
    "annotate, in the form of BCFtools/csq. Format: "
    "Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change\">";

/// What separates fields of BCSQ or of INFO.
std::string safe(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (std::string_view("|,;=& \t").find(letter) != std::string_view::npos) letter = '_';
  }
  return out;
}

/// An alternative and what is known of it.
struct AlleleWork {
  std::string text;
  std::optional<NormalAllele> normal;
  Effects effects;
  NotableAllele told;
};

/// A line under way.
struct LineWork {
  VcfLine line;
  int contig = -1;
  std::vector<AlleleWork> alleles;
  std::vector<InfoUpdate> updates;
  std::vector<std::string> ids;
  std::vector<Effects> pairs;
};

std::string joined_ids(std::string_view old, const std::vector<std::string>& found) {
  std::string out(old == "." ? "" : old);
  const auto had = split_views(old, ';');
  for (const std::string& id : found) {
    if (std::ranges::find(had, id) != had.end()) continue;
    if (!out.empty()) out += ';';
    out += id;
  }
  return out.empty() ? "." : out;
}

std::string updated_info(std::string_view old, const std::vector<InfoUpdate>& updates) {
  std::string out;
  const auto add = [&](std::string_view entry) {
    if (!out.empty()) out += ';';
    out += entry;
  };
  for (const std::string_view entry : split_views(old, ';')) {
    const std::string_view key = entry.substr(0, entry.find('='));
    const bool replaced = std::ranges::any_of(updates, [&](const auto& u) { return u.key == key; });
    if (!replaced && entry != "." && !entry.empty()) add(entry);
  }
  for (auto u = updates.begin(); u != updates.end(); ++u) {
    // Of tracks that tell of the same field the last one counts.
    if (std::any_of(u + 1, updates.end(), [&](const auto& later) { return later.key == u->key; }))
      continue;
    add(u->value ? u->key + "=" + *u->value : u->key);
  }
  return out.empty() ? "." : out;
}

std::string updated_line(const LineWork& work) {
  const VcfLine& line = work.line;
  const auto column = [&](VcfColumn c) { return line.column(c); };
  std::string out = fmt::format(
      "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", column(VcfColumn::Contig), column(VcfColumn::Position),
      joined_ids(column(VcfColumn::Id), work.ids), column(VcfColumn::Reference),
      column(VcfColumn::Alternatives), column(VcfColumn::Quality), column(VcfColumn::Filter),
      updated_info(column(VcfColumn::Info), work.updates));
  if (!line.rest().empty()) out.append("\t").append(line.rest());
  return out + "\n";
}

/// The columns of each track, of "ID;CLNSIG,CLNDN".
std::vector<std::string> columns_by_track(const AnnotateJob& job) {
  const std::vector<std::string> lists = split(job.columns, ';');
  if (lists.size() > 1 && lists.size() != job.tracks.size())
    fail(Errc::InvalidArgument, "columns: {} lists for {} tracks; expected one for all or one each",
         lists.size(), job.tracks.size());
  std::vector<std::string> out;
  for (std::size_t i = 0; i < job.tracks.size(); ++i)
    out.push_back(lists.empty() ? "" : lists.size() == 1 ? lists[0] : lists[i]);
  return out;
}

class Annotator {
 public:
  Annotator(const AnnotateJob& job, app::RunContext& context)
      : context_(context), variants_(job.variants, context.warnings) {
    if (job.genes && !job.reference)
      fail(Errc::InvalidArgument, "genes: needs a reference too, to translate what they code for");
    if (!job.genes && job.tracks.empty())
      fail(Errc::InvalidArgument, "expected tracks, or genes with a reference, to annotate with");
    const std::vector<std::string> columns = columns_by_track(job);
    for (std::size_t i = 0; i < job.tracks.size(); ++i)
      tracks_.emplace_back(job.tracks[i], columns[i], context.warnings);
    if (job.reference) {
      context.progress.stage("reference", 0, "bases");
      owned_ = read_reference(*job.reference, context.stop);
    }
    if (job.genes) {
      context.progress.stage("genes", 0, "lines");
      genes_ = read_genes(*job.genes, owned_.reference, context.warnings);
      result_.transcripts = genes_->transcripts;
      result_.coding_transcripts = genes_->coding;
    }
    if (job.output) output_.emplace(*job.output);
    context.progress.stage("variants", total_size({job.variants}), "bytes");
  }

  AnnotateResult run() {
    write(header());
    std::vector<LineWork> batch;
    while (read_batch(batch)) {
      parallel_for(
          batch.size(), 64, context_.threads,
          [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) add_consequences(batch[i]);
          },
          context_.stop);
      for (LineWork& work : batch) finish(work);
      context_.progress.advance(variants_.take_source_bytes());
      if (context_.stop.stop_requested()) fail(Errc::Cancelled, "{}: stopped", variants_.path());
    }
    check_contigs();
    if (output_) output_->commit(longest_contig());
    context_.progress.finish();
    return take_result();
  }

 private:
  [[nodiscard]] bool has_reference() const { return !owned_.reference.contigs().empty(); }

  std::span<const std::uint8_t> codes(int contig) const {
    if (contig < 0) return {};
    return owned_.reference.codes(static_cast<std::uint32_t>(contig));
  }

  std::string header() const {
    std::vector<std::string> added;
    for (const AnnotationTrack& track : tracks_) {
      for (const TrackColumn& column : track.columns()) {
        if (!column.is_id) added.push_back(column.header);
      }
    }
    if (genes_) added.emplace_back(kBcsqHeader);
    std::string out;
    for (const std::string& line : variants_.header()) {
      const bool redefined =
          line.starts_with("##INFO=") && std::ranges::any_of(added, [&](const auto& a) {
            return header_value(a, "ID") == header_value(line, "ID");
          });
      if (!redefined) out += line + "\n";
    }
    for (std::size_t i = 0; i < added.size(); ++i) {
      const bool again = std::any_of(
          added.begin() + static_cast<std::ptrdiff_t>(i) + 1, added.end(),
          [&](const auto& a) { return header_value(a, "ID") == header_value(added[i], "ID"); });
      if (!again) out += added[i] + "\n";
    }
    return out + variants_.columns() + "\n";
  }

  bool read_batch(std::vector<LineWork>& batch) {
    batch.clear();
    LineWork work;
    while (batch.size() < kBatch && variants_.next(work.line)) {
      prepare(work);
      batch.push_back(std::move(work));
      work = {};
    }
    return !batch.empty();
  }

  void find_contig_of(const LineWork& work) {
    const std::string_view name = work.line.column(VcfColumn::Contig);
    if (name == contig_name_) return;
    contig_name_ = name;
    plain_name_ = plain_contig_name(name);
    contig_ = find_contig(owned_.reference, name);
    if (!has_reference()) return;
    if (contig_ < 0) {
      if (first_unknown_.empty()) first_unknown_ = name;
      return;
    }
    ++known_contigs_;
    const std::string& theirs = owned_.reference.contigs()[static_cast<std::size_t>(contig_)].name;
    if (theirs != name)
      context_.warnings.add("annotate.contig_names",
                            fmt::format("{} is taken for {} of the reference",
                                        variants_.where(work.line), printable(theirs)));
  }

  void prepare(LineWork& work) {
    find_contig_of(work);
    work.contig = contig_;
    const std::string_view reference = work.line.column(VcfColumn::Reference);
    const auto contig = codes(contig_);
    if (has_reference() && contig_ < 0)
      context_.warnings.add(
          "annotate.unknown_contig",
          fmt::format("{} is on a contig that the reference lacks", variants_.where(work.line)));
    if (contig_ >= 0) check_reference(work.line, contig);
    for (const std::string_view text :
         split_views(work.line.column(VcfColumn::Alternatives), ',')) {
      if (text == ".") continue;
      AlleleWork allele;
      allele.text = text;
      allele.normal = normal_allele(work.line.position(), reference, text, contig);
      work.alleles.push_back(std::move(allele));
    }
    add_tracks(work, contig);
  }

  void check_reference(const VcfLine& line, std::span<const std::uint8_t> contig) const {
    const std::string_view letters = line.column(VcfColumn::Reference);
    if (line.position() + letters.size() > contig.size())
      fail(Errc::CorruptData, "{}: ends behind the contig's last base, {}", variants_.where(line),
           contig.size());
    if (agrees(line.position(), letters, contig)) return;
    std::string expected;
    for (std::size_t i = 0; i < letters.size(); ++i)
      expected += base_of_code(contig[line.position() + i]);
    fail(Errc::CorruptData,
         "{}: REF is {}, the reference has {} there; the file belongs to another reference",
         variants_.where(line), printable(letters, 40), printable(expected, 40));
  }

  void add_tracks(LineWork& work, std::span<const std::uint8_t> contig) {
    const std::uint32_t begin = work.line.position();
    const auto end =
        begin + static_cast<std::uint32_t>(work.line.column(VcfColumn::Reference).size());
    for (AnnotationTrack& track : tracks_) {
      track.move_to(plain_name_, begin, end, contig);
      std::vector<const TrackAllele*> found;
      for (const AlleleWork& allele : work.alleles) {
        found.push_back(allele.normal ? track.find(*allele.normal) : nullptr);
        track.matched += found.back() != nullptr ? 1 : 0;
      }
      track.tell(found, work.updates, work.ids);
    }
  }

  void add_consequences(LineWork& work) const {
    if (!genes_ || work.contig < 0) return;
    std::string told;
    for (AlleleWork& allele : work.alleles) {
      if (allele.normal) add_consequences(work, allele, told);
    }
    if (!told.empty()) work.updates.push_back({"BCSQ", std::move(told)});
  }

  void add_consequences(LineWork& work, AlleleWork& allele, std::string& told) const {
    const std::vector<SequenceChange> places = places_of(work.line, allele.text);
    const auto contig = static_cast<std::uint32_t>(work.contig);
    const GeneticCode code = genetic_code_of(owned_.reference.contigs()[contig].name);
    const SequenceChange& first = places.front();
    // (An insertion touches what lies on both sides of it.)
    const std::uint32_t end = std::max(first.end, first.begin + 1);
    genes_->by_contig[contig].for_overlapping(first.begin, end, [&](const Transcript& transcript) {
      if (!touches(first, transcript)) return;
      const Consequence found = least_consequence(places, transcript, codes(work.contig), code);
      note(work, allele, transcript, found);
      if (!told.empty()) told += ',';
      told += bcsq(work, allele, transcript, found);
    });
    if (allele.effects.empty()) allele.effects.add(Effect::Intergenic);
  }

  /// Where the letters of a line put a change: what both alleles begin with cut off first, and what
  /// they end with. Of a gap these may be two places with one outcome.
  static std::vector<SequenceChange> places_of(const VcfLine& line, std::string_view alternative) {
    const std::string_view reference = line.column(VcfColumn::Reference);
    std::vector<SequenceChange> out;
    for (const NormalAllele& allele : {*trimmed_allele(line.position(), reference, alternative),
                                       *normal_allele(line.position(), reference, alternative)}) {
      SequenceChange change{allele.position,
                            allele.position + static_cast<std::uint32_t>(allele.removed.size()),
                            allele.added};
      for (char& letter : change.added) letter = static_cast<char>(code_of_base(letter));
      if (out.empty() || out[0].begin != change.begin) out.push_back(std::move(change));
    }
    return out;
  }

  /// A gap at a border is what it is on the side where it does less: both make the same sequence,
  /// which so has what the graver one would have lost.
  static Consequence least_consequence(const std::vector<SequenceChange>& places,
                                       const Transcript& transcript,
                                       std::span<const std::uint8_t> contig, GeneticCode code) {
    Consequence least = consequence_of(places[0], transcript, contig, code);
    for (std::size_t i = 1; i < places.size(); ++i) {
      if (!touches(places[i], transcript)) continue;
      Consequence other = consequence_of(places[i], transcript, contig, code);
      if (other.effects.gravest() > least.effects.gravest()) least = std::move(other);
    }
    return least;
  }

  static std::string bcsq(const LineWork& work, const AlleleWork& allele,
                          const Transcript& transcript, const Consequence& found) {
    std::string out =
        fmt::format("{}|{}|{}|{}|{}", found.effects.text(), safe(transcript.gene),
                    safe(transcript.id), safe(transcript.biotype), transcript.reverse ? '-' : '+');
    if (!found.amino_acids.empty())
      out += fmt::format("|{}|{}{}>{}", found.amino_acids, work.line.column(VcfColumn::Position),
                         work.line.column(VcfColumn::Reference), allele.text);
    return out;
  }

  static void note(LineWork& work, AlleleWork& allele, const Transcript& transcript,
                   const Consequence& found) {
    work.pairs.push_back(found.effects);
    if (allele.effects.empty() || found.effects.gravest() < allele.effects.gravest()) {
      allele.told.gene = transcript.gene;
      allele.told.transcript = transcript.id;
      allele.told.amino_acids = found.amino_acids;
    }
    allele.effects.add(found.effects.gravest());
  }

  void finish(LineWork& work) {
    write(updated_line(work));
    ++result_.records;
    longest_ = std::max<std::uint64_t>(longest_, work.line.position());
    for (const Effects& effects : work.pairs) {
      for (std::size_t i = 0; i < kEffectNames.size(); ++i)
        result_.effects[i] += effects.has(static_cast<Effect>(i)) ? 1 : 0;
    }
    for (AlleleWork& allele : work.alleles) {
      ++(allele.normal ? result_.alleles : result_.symbolic);
      if (allele.effects.empty()) continue;
      const Effect gravest = allele.effects.gravest();
      ++result_.gravest[static_cast<std::size_t>(gravest)];
      if (gravest <= Effect::Missense) add_notable(work, allele, gravest);
    }
  }

  void add_notable(const LineWork& work, AlleleWork& allele, Effect gravest) {
    NotableAllele told = std::move(allele.told);
    told.effect = gravest;
    told.contig = work.line.column(VcfColumn::Contig);
    told.position = work.line.position() + 1;
    told.reference = work.line.column(VcfColumn::Reference);
    told.alternative = allele.text;
    told.id = joined_ids(work.line.column(VcfColumn::Id), work.ids);
    result_.notable.push_back(std::move(told));
    if (result_.notable.size() > 2 * kNotableAlleles) keep_gravest();
  }

  void keep_gravest() {
    std::ranges::stable_sort(result_.notable, {}, &NotableAllele::effect);
    result_.notable.resize(std::min(result_.notable.size(), kNotableAlleles));
  }

  void write(std::string_view text) {
    if (output_) output_->write(text);
  }

  void check_contigs() const {
    if (has_reference() && known_contigs_ == 0 && !first_unknown_.empty())
      fail(Errc::CorruptData, "{}: none of its contigs is in the reference: {}{}", variants_.path(),
           printable(first_unknown_), contig_hint(owned_.reference, first_unknown_));
    for (const AnnotationTrack& track : tracks_) {
      if (!track.ever_there() && result_.records > 0)
        context_.warnings.add(
            "annotate.track_elsewhere",
            fmt::format("{}: has no record on any contig of {}", track.path(), variants_.path()));
    }
  }

  [[nodiscard]] std::uint64_t longest_contig() const {
    std::uint64_t out = longest_;
    for (const std::string& line : variants_.header()) {
      if (!line.starts_with("##contig=")) continue;
      const std::string_view text = header_value(line, "length");
      std::uint64_t length = 0;
      (void)std::from_chars(text.data(), text.data() + text.size(), length);
      out = std::max(out, length);
    }
    return out;
  }

  AnnotateResult take_result() {
    keep_gravest();
    for (const AnnotationTrack& track : tracks_) {
      TrackFigures figures{
          std::filesystem::path(track.path()).filename().string(), {}, track.matched};
      for (const TrackColumn& column : track.columns()) figures.columns.push_back(column.to);
      result_.tracks.push_back(std::move(figures));
    }
    return std::move(result_);
  }

  app::RunContext& context_;
  VcfLines variants_;
  std::vector<AnnotationTrack> tracks_;
  OwnedReference owned_;
  std::optional<GeneModels> genes_;
  std::optional<VcfTextFile> output_;
  AnnotateResult result_;
  std::string contig_name_, plain_name_, first_unknown_;
  int contig_ = -1;
  std::uint64_t known_contigs_ = 0, longest_ = 0;
};

}  // namespace

AnnotateResult run_annotate(const AnnotateJob& job, app::RunContext& context) {
  return Annotator(job, context).run();
}

}  // namespace aceso::genomics
