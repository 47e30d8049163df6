#include "aceso/app/description.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <array>

namespace aceso::app {
namespace {

using Endings = std::array<std::string_view, 4>;

// Arrays of their own, because a Kind only borrows its endings.
constexpr std::array<std::string_view, 3> kBamEndings{".bam", ".cram", ".sam"};
constexpr std::array<std::string_view, 2> kBedEndings{".bed", ".bed.gz"};
constexpr std::array<std::string_view, 6> kFastaEndings{".fasta",    ".fa",    ".fna",
                                                        ".fasta.gz", ".fa.gz", ".fna.gz"};
constexpr Endings kFastqEndings{".fastq.gz", ".fq.gz", ".fastq", ".fq"};
constexpr std::array<std::string_view, 6> kGeneEndings{".gff3.gz", ".gff3", ".gtf.gz",
                                                       ".gtf",     ".gff",  ".gff.gz"};
constexpr std::array<std::string_view, 1> kHtmlEndings{".html"};
constexpr std::array<std::string_view, 5> kImageEndings{".png", ".jpg", ".jpeg", ".svg", ".webp"};
constexpr std::array<std::string_view, 1> kJsonEndings{".json"};
constexpr std::array<std::string_view, 8> kLabelledEndings{".csv",   ".tsv", ".csv.gz",   ".tsv.gz",
                                                           ".fasta", ".fa",  ".fasta.gz", ".fa.gz"};
constexpr std::array<std::string_view, 1> kModelEndings{".model.tar"};
constexpr std::array<std::string_view, 13> kMoleculeEndings{
    ".smi",       ".smiles", ".csv",    ".tsv",    ".sdf", ".mol",  ".smi.gz",
    ".smiles.gz", ".csv.gz", ".tsv.gz", ".sdf.gz", ".sd",  ".pdbqt"};
constexpr std::array<std::string_view, 2> kObjectiveEndings{".yaml", ".yml"};
constexpr std::array<std::string_view, 6> kStructureEndings{".pdb",    ".ent",   ".pdb.gz",
                                                            ".ent.gz", ".pdbqt", ".pdbqt.gz"};
constexpr Endings kTableEndings{".tsv", ".csv", ".tsv.gz", ".csv.gz"};
constexpr std::array<std::string_view, 3> kTensorEndings{".safetensors", ".npy", ".h5"};
constexpr std::array<std::string_view, 3> kTextEndings{".txt", ".log", ".md"};
constexpr std::array<std::string_view, 3> kVcfEndings{".vcf.gz", ".vcf", ".bcf"};
constexpr std::array<std::string_view, 7> kWeightEndings{".safetensors", ".pt",   ".pth", ".bin",
                                                         ".ckpt",        ".hdf5", ".h5"};

constexpr std::array kKinds{
    Kind{"any", "file", {}, "none", "application/octet-stream"},
    Kind{"bam", "aligned reads (BAM, CRAM, SAM)", kBamEndings, "none", "application/octet-stream"},
    Kind{"bed", "genome intervals (BED)", kBedEndings, "text", "text/plain; charset=utf-8"},
    Kind{"fasta", "sequences (FASTA)", kFastaEndings, "text", "text/plain; charset=utf-8"},
    Kind{"fastq", "sequencing reads (FASTQ)", kFastqEndings, "text", "text/plain; charset=utf-8"},
    Kind{"folder", "folder", {}, "none", "application/octet-stream", true},
    Kind{"genes", "genes (GFF3, GTF)", kGeneEndings, "text", "text/plain; charset=utf-8"},
    Kind{"html", "page (HTML)", kHtmlEndings, "html", "text/html; charset=utf-8"},
    Kind{"image", "image", kImageEndings, "image", "image/png"},
    Kind{"json", "JSON", kJsonEndings, "json", "application/json"},
    Kind{"labelled_sequences", "sequences with labels (CSV, TSV, FASTA)", kLabelledEndings, "text",
         "text/plain; charset=utf-8", false, true},
    Kind{"model", "model (folder, or .model.tar)", kModelEndings, "none", "application/x-tar",
         true},
    Kind{"molecules", "molecules (SMILES, CSV, TSV, SDF)", kMoleculeEndings, "molecules",
         "text/plain; charset=utf-8", false, true},
    Kind{"objective", "objective of a design (YAML)", kObjectiveEndings, "text",
         "text/plain; charset=utf-8"},
    Kind{"structure", "structure of a protein (PDB, PDBQT)", kStructureEndings, "text",
         "text/plain; charset=utf-8"},
    Kind{"table", "table (TSV, CSV)", kTableEndings, "table",
         "text/tab-separated-values; charset=utf-8"},
    Kind{"tensors", "tensors (safetensors, NPY, HDF5)", kTensorEndings, "none",
         "application/octet-stream"},
    Kind{"text", "text", kTextEndings, "text", "text/plain; charset=utf-8"},
    Kind{"vcf", "variants (VCF, BCF)", kVcfEndings, "text", "text/plain; charset=utf-8"},
    Kind{"weights", "weights from elsewhere (file or folder)", kWeightEndings, "none",
         "application/octet-stream", true},
};
static_assert(std::ranges::is_sorted(kKinds, {}, &Kind::name));

}  // namespace

std::span<const Kind> kinds() noexcept { return kKinds; }

const Kind& kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  if (found == kKinds.end()) fail(Errc::NotFound, "no data kind is called \"{}\"", name);
  return *found;
}

const Kind* kind_of_file(std::string_view file_name) noexcept {
  const std::string lower = to_lower(file_name);
  const Kind* best = nullptr;
  std::size_t best_length = 0;
  for (const Kind& candidate : kKinds) {
    for (const std::string_view ending : candidate.endings) {
      if (!lower.ends_with(ending)) continue;
      const bool owner = best != nullptr && best->borrows && !candidate.borrows;
      if (ending.size() > best_length || (owner && ending.size() == best_length)) {
        best = &candidate;
        best_length = ending.size();
      }
    }
  }
  return best;
}

}  // namespace aceso::app
