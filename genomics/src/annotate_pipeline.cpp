#include "annotate_pipeline.hpp"

#include "annotate_line.hpp"
#include "annotation_track.hpp"
#include "bed.hpp"
#include "contig_names.hpp"
#include "haplotype_notes.hpp"
#include "hgvs.hpp"
#include "text_source.hpp"
#include "vcf_text_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <utility>

namespace aceso::genomics {
namespace {

constexpr std::size_t kBatch = 1024, kGrain = 256;
/// Lines are kept until the transcripts that they touch end, but no more than these.
constexpr std::size_t kLongestBatch = std::size_t{1} << 18, kLongestText = std::size_t{1} << 28;
constexpr std::string_view kBcsqHeader =
    "##INFO=<ID=BCSQ,Number=.,Type=String,Description=\"Consequence annotation from aceso genomics "
    "annotate, in the form of BCFtools/csq. Format: "
    "Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change\">";

constexpr std::string_view kHgvsHeader =
    "##INFO=<ID=HGVS,Number=.,Type=String,Description=\"HGVS names from aceso genomics annotate; "
    "%3D stands for =. Format: allele|transcript|transcript_change|protein_change\">";
constexpr std::string_view kHgvsgHeader =
    "##INFO=<ID=HGVSG,Number=A,Type=String,Description=\"HGVS name of each allele on its contig, "
    "from aceso genomics annotate\">";

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
      : context_(context),
        variants_(job.variants, context.warnings),
        phase_(static_cast<PhaseMode>(job.phase.at(0))),
        hgvs_(job.hgvs) {
    if (job.genes && !job.reference)
      fail(Errc::InvalidArgument, "genes: needs a reference too, to translate what they code for");
    if (job.hgvs && !job.genes)
      fail(Errc::InvalidArgument, "hgvs: needs genes and a reference, to name places by");
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
      haplotypes_ = !job.local && !variants_.samples().empty();
    }
    if (job.output) output_.emplace(*job.output);
    context.progress.stage("variants", total_size({job.variants}), "bytes");
  }

  AnnotateResult run() {
    write(header());
    while (read_batch()) {
      parallel_for(
          used_, kGrain, context_.threads,
          [&](std::size_t begin, std::size_t end) { add_consequences(begin, end); }, context_.stop);
      if (haplotypes_) add_joint_consequences();
      for (std::size_t i = 0; i < used_; ++i) finish(batch_[i]);
      context_.progress.advance(variants_.take_source_bytes());
      if (context_.stop.stop_requested()) fail(Errc::Cancelled, "{}: stopped", variants_.path());
    }
    check_contigs();
    warn_of_overlaps();
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
    if (haplotypes_) added.emplace_back(kHcsqHeader);
    if (hgvs_) added.insert(added.end(), {std::string(kHgvsgHeader), std::string(kHgvsHeader)});
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

  /// Lines; with haplotypes, all that lie on the transcripts of each other.
  bool read_batch() {
    used_ = text_bytes_ = 0;
    open_until_ = 0;
    if (held_ > 0) {
      std::swap(batch_[0].line, batch_[std::exchange(held_, 0)].line);
      take_line();
    }
    while (true) {
      if (batch_.size() == used_) batch_.emplace_back();
      if (!variants_.next(batch_[used_].line)) break;
      if (used_ >= kBatch && !goes_on(batch_[used_].line)) {
        held_ = used_;
        break;
      }
      take_line();
    }
    return used_ > 0;
  }

  void take_line() {
    LineWork& work = batch_[used_++];
    prepare(work);
    text_bytes_ += work.line.text().size();
    if (!haplotypes_ || work.contig < 0) return;
    const std::uint32_t begin = work.line.position();
    const auto size = static_cast<std::uint32_t>(work.line.column(VcfColumn::Reference).size());
    const auto contig = static_cast<std::size_t>(work.contig);
    genes_->by_contig[contig].for_overlapping(begin, begin + size, [&](const Transcript& t) {
      if (!t.coding.empty() && t.coding_begin() < begin + size && t.coding_end() > begin)
        open_until_ = std::max(open_until_, t.coding_end());
    });
  }

  /// Whether a line may lie on a transcript that lines before it touch.
  bool goes_on(const VcfLine& line) {
    const VcfLine& last = batch_[used_ - 1].line;
    if (!haplotypes_ || line.position() >= open_until_ ||
        line.column(VcfColumn::Contig) != last.column(VcfColumn::Contig))
      return false;
    if (used_ < kLongestBatch && text_bytes_ < kLongestText) return true;
    context_.warnings.add("annotate.haplotype_cut",
                          fmt::format("{}: too many lines on transcripts that overlap; haplotypes "
                                      "before and behind it are judged apart",
                                      variants_.where(line)));
    return false;
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
    work.clear();
    find_contig_of(work);
    work.contig = contig_;
    const std::string_view reference = work.line.column(VcfColumn::Reference);
    const auto contig = codes(contig_);
    if (has_reference() && contig_ < 0)
      context_.warnings.add(
          "annotate.unknown_contig",
          fmt::format("{} is on a contig that the reference lacks", variants_.where(work.line)));
    if (contig_ >= 0) check_reference(work.line, contig);
    // (Only tracks need gaps moved left.)
    const auto moved_on = tracks_.empty() ? std::span<const std::uint8_t>() : contig;
    for_each_part(work.line.column(VcfColumn::Alternatives), ',', [&](std::string_view text) {
      if (text == ".") return;
      AlleleWork& allele = work.alleles.emplace_back();
      allele.text = text;
      allele.normal = normal_allele(work.line.position(), reference, text, moved_on);
    });
    if (!tracks_.empty()) add_tracks(work, contig);
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
      found_.clear();
      std::uint64_t matched = 0;
      for (const AlleleWork& allele : work.alleles) {
        found_.push_back(allele.normal ? track.find(*allele.normal) : nullptr);
        matched += found_.back() != nullptr ? 1 : 0;
      }
      if (matched > 0) track.tell(found_, work.updates, work.ids);
      track.matched += matched;
    }
  }

  void add_consequences(std::size_t begin, std::size_t end) {
    if (!genes_) return;
    std::optional<CodingSequences> sequences;
    int contig = -1;
    for (std::size_t i = begin; i < end; ++i) {
      LineWork& work = batch_[i];
      if (work.contig < 0) continue;
      if (work.contig != contig) {
        contig = work.contig;
        sequences.emplace(sequences_of(owned_.reference, contig));
      }
      for (AlleleWork& allele : work.alleles) {
        if (allele.normal) add_consequences(work, allele, *sequences);
        if (hgvs_) add_genomic_name(work, allele, *sequences);
      }
      if (!work.coding.empty()) read_genotypes(work);
    }
  }

  static void add_genomic_name(LineWork& work, const AlleleWork& allele,
                               const CodingSequences& sequences) {
    if (!work.genomic_names.empty()) work.genomic_names += ',';
    const std::string name = allele.normal ? hgvs_genomic(places_of(work.line, allele).first,
                                                          sequences.contig(), sequences.code())
                                           : "";
    work.genomic_names += name.empty() ? "." : name;
  }

  static void add_name(LineWork& work, const AlleleWork& allele, const SequenceChange& change,
                       const Transcript& transcript, const Consequence& found,
                       CodingSequences& sequences) {
    std::string& out = work.names;
    if (!out.empty()) out += ',';
    out.append(allele.text).append("|");
    append_safe(out, transcript.id);
    out.append("|").append(hgvs_transcript(change, transcript, sequences.contig())).append("|");
    for (const char letter : hgvs_protein(found, transcript, sequences))
      out += letter == '=' ? "%3D" : std::string(1, letter);
  }

  void read_genotypes(LineWork& work) const {
    try {
      work.genotypes.read(work.line, phase_);
    } catch (const Error& error) {
      fail(error.code(), "{}: {}", variants_.where(work.line), error.what());
    }
  }

  void add_joint_consequences() {
    const HaplotypeFigures figures = add_haplotype_notes(
        batch_, used_, variants_.samples(), owned_.reference, context_.threads, context_.stop);
    result_.joint += figures.entries;
    overlapping_ += figures.overlapping;
  }

  void warn_of_overlaps() const {
    if (overlapping_ == 0) return;
    context_.warnings.add("annotate.overlapping",
                          fmt::format("{}: {} times alleles of one haplotype overlap on a "
                                      "transcript; the later ones are left out of it",
                                      variants_.path(), overlapping_));
  }

  void add_consequences(LineWork& work, AlleleWork& allele, CodingSequences& sequences) const {
    const Places places = places_of(work.line, allele);
    const SequenceChange& first = places.first;
    // (An insertion touches what lies on both sides of it.)
    const std::uint32_t end = std::max(first.end, first.begin + 1);
    const auto contig = static_cast<std::size_t>(work.contig);
    genes_->by_contig[contig].for_overlapping(first.begin, end, [&](const Transcript& transcript) {
      if (!touches(first, transcript)) return;
      const SequenceChange* place = &first;
      Consequence found = consequence_of(first, transcript, sequences);
      if (places.second) choose_place(*places.second, transcript, sequences, place, found);
      append_bcsq(work, allele, transcript, found);
      if (hgvs_) add_name(work, allele, *place, transcript, found, sequences);
      if (haplotypes_ && found.coding) {
        const auto number = static_cast<std::size_t>(&allele - work.alleles.data()) + 1;
        work.coding.push_back({&transcript, number, *place, found});
      }
      note(work, allele, transcript, found);
    });
    if (allele.effects.empty()) allele.effects.add(Effect::Intergenic);
  }

  /// Where the letters of a line put a change: what both alleles begin with cut off first, and what
  /// they end with. Of a gap these may be two places with one outcome.
  struct Places {
    SequenceChange first;
    std::optional<SequenceChange> second;
  };

  static SequenceChange change_of(const NormalAllele& allele) {
    SequenceChange out{allele.position,
                       allele.position + static_cast<std::uint32_t>(allele.removed.size()),
                       allele.added};
    for (char& letter : out.added) letter = static_cast<char>(code_of_base(letter));
    return out;
  }

  static Places places_of(const VcfLine& line, const AlleleWork& allele) {
    const bool gap = allele.normal->removed.empty() || allele.normal->added.empty();
    if (!gap) return {change_of(*allele.normal), std::nullopt};
    const std::string_view reference = line.column(VcfColumn::Reference);
    Places out{change_of(*trimmed_allele(line.position(), reference, allele.text)), std::nullopt};
    SequenceChange other = change_of(*normal_allele(line.position(), reference, allele.text));
    if (other.begin != out.first.begin) out.second = std::move(other);
    return out;
  }

  /// A gap at a border is what it is on the side where it does less: both make the same sequence,
  /// which so has what the graver one would have lost.
  static void choose_place(const SequenceChange& other, const Transcript& transcript,
                           CodingSequences& sequences, const SequenceChange*& place,
                           Consequence& found) {
    if (!touches(other, transcript)) return;
    Consequence there = consequence_of(other, transcript, sequences);
    if (there.effects.gravest() <= found.effects.gravest()) return;
    found = std::move(there);
    place = &other;
  }

  static void append_bcsq(LineWork& work, const AlleleWork& allele, const Transcript& transcript,
                          const Consequence& found) {
    std::string& out = work.consequences;
    if (!out.empty()) out += ',';
    append_consequence(out, found.effects, transcript);
    if (found.amino_acids.empty()) return;
    out.append("|").append(found.amino_acids).append("|");
    append_dna_change(out, work.line, allele.text);
  }

  static void note(LineWork& work, AlleleWork& allele, const Transcript& transcript,
                   Consequence& found) {
    work.pairs.push_back(found.effects);
    if (allele.effects.empty() || found.effects.gravest() < allele.effects.gravest()) {
      allele.told = &transcript;
      allele.amino_acids = std::move(found.amino_acids);
    }
    allele.effects.add(found.effects.gravest());
  }

  void finish(LineWork& work) {
    if (!work.consequences.empty()) work.updates.push_back({"BCSQ", work.consequences});
    if (!work.genomic_names.empty()) work.updates.push_back({"HGVSG", work.genomic_names});
    if (!work.names.empty()) work.updates.push_back({"HGVS", work.names});
    if (!work.joint.empty()) work.updates.push_back({"HCSQ", work.joint});
    if (output_) write_line(work);
    ++result_.records;
    longest_ = std::max<std::uint64_t>(longest_, work.line.position());
    for (const Effects effects : work.pairs)
      effects.for_each([&](Effect effect) { ++result_.effects[static_cast<std::size_t>(effect)]; });
    for (const AlleleWork& allele : work.alleles) {
      ++(allele.normal ? result_.alleles : result_.symbolic);
      if (allele.effects.empty()) continue;
      const Effect gravest = allele.effects.gravest();
      ++result_.gravest[static_cast<std::size_t>(gravest)];
      if (gravest <= Effect::Missense) add_notable(work, allele, gravest);
    }
  }

  void add_notable(const LineWork& work, const AlleleWork& allele, Effect gravest) {
    // (Of equals the earlier ones are kept.)
    if (kept_full_ && gravest >= result_.notable[kNotableAlleles - 1].effect) return;
    NotableAllele told{.effect = gravest,
                       .contig = std::string(work.line.column(VcfColumn::Contig)),
                       .reference = std::string(work.line.column(VcfColumn::Reference)),
                       .alternative = std::string(allele.text),
                       .id = {},
                       .gene = allele.told->gene,
                       .transcript = allele.told->id,
                       .amino_acids = allele.amino_acids,
                       .position = work.line.position() + 1};
    append_ids(told.id, work.line.column(VcfColumn::Id), work.ids);
    result_.notable.push_back(std::move(told));
    if (result_.notable.size() > 2 * kNotableAlleles) keep_gravest();
  }

  void keep_gravest() {
    std::ranges::stable_sort(result_.notable, {}, &NotableAllele::effect);
    kept_full_ = result_.notable.size() >= kNotableAlleles;
    result_.notable.resize(std::min(result_.notable.size(), kNotableAlleles));
  }

  void write_line(const LineWork& work) {
    text_.clear();
    append_line(text_, work);
    output_->write(text_);
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
  std::deque<LineWork> batch_;  ///< the first `used_` of them; where they are, they stay
  std::size_t used_ = 0, text_bytes_ = 0, overlapping_ = 0;
  std::size_t held_ = 0;          ///< a line read too far; 0: none
  std::uint32_t open_until_ = 0;  ///< the furthest end of what lines code for
  PhaseMode phase_;
  bool haplotypes_ = false, hgvs_ = false;
  std::vector<const TrackAllele*> found_;
  std::string text_;
  bool kept_full_ = false;
  int contig_ = -1;
  std::uint64_t known_contigs_ = 0, longest_ = 0;
};

}  // namespace

AnnotateResult run_annotate(const AnnotateJob& job, app::RunContext& context) {
  return Annotator(job, context).run();
}

}  // namespace aceso::genomics
