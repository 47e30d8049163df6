/// \file
/// Apps as steps of workflow systems, written from their descriptions: a CommandLineTool of CWL
/// (commonwl.org/v1.2), a task of WDL 1.0 (github.com/openwdl/wdl), a process of Nextflow's DSL 2,
/// a rule of Snakemake.
///
/// All call the program `aceso` as a user does. Outputs that an app always writes are written under
/// their usual names, the report among them; the others when a name is given for them.
#pragma once

#include "aceso/app/description.hpp"

#include <span>
#include <string>
#include <string_view>

namespace aceso::app {

struct WorkflowLanguage {
  std::string_view name;    ///< "cwl", "wdl", "nextflow" or "snakemake"
  std::string_view ending;  ///< of its files
};
[[nodiscard]] std::span<const WorkflowLanguage> workflow_languages() noexcept;

/// The app as a step. \throws Error InvalidArgument if there is no such language.
[[nodiscard]] std::string workflow_step(const Description& description, std::string_view language);

}  // namespace aceso::app
