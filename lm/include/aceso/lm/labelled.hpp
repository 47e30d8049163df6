/// \file
/// Sequences with measured values or classes, for fine-tuning: tables, and FASTA as FLIP has it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aceso::lm {

enum class Split { Train, Validation, Test };

/// What the word in a column of sets stands for: train, test, and validation, valid or val, in any
/// case. \throws Error CorruptData naming `place` and `column`.
[[nodiscard]] Split parse_split(const std::string& word, const std::string& place,
                                const std::string& column);

/// One sequence with what is known of it.
struct Labelled {
  std::string id, sequence;
  std::string target;  ///< of the whole sequence, as written; or one letter for each residue
  Split split = Split::Train;
  std::string place;  ///< "FILE: row 3", for messages
};

/// Names of a table's columns.
struct LabelledColumns {
  std::string sequence = "sequence", target = "target", set = "set", validation = "validation";
};

/// Reads a table, or FASTA whose headers say TARGET=, SET=train|test|validation and
/// VALIDATION=True|False (Dallago et al. 2021, FLIP). Without a set everything is for training,
/// and every tenth sequence, by its content, for validation.
/// \throws Error CorruptData naming file and record: no target, no sequence, another set.
[[nodiscard]] std::vector<Labelled> read_labelled(const std::filesystem::path& path,
                                                  const LabelledColumns& columns);

/// Reads labels of every residue: FASTA with the ids of `sequences`, one letter for each residue,
/// and sets in the headers. With `mask`, FASTA of the same shape, letters where it has 0 do not
/// count; they are written as '\0' in the target.
/// \throws Error CorruptData naming file and record: an id without a sequence, another length.
[[nodiscard]] std::vector<Labelled> read_residue_labels(
    const std::filesystem::path& sequences, const std::filesystem::path& labels,
    const std::optional<std::filesystem::path>& mask);

}  // namespace aceso::lm
