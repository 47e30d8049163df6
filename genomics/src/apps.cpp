#include "aceso/genomics/apps.hpp"

#include "align_app.hpp"
#include "annotate_app.hpp"
#include "check_app.hpp"
#include "compare_app.hpp"
#include "fasta_index.hpp"
#include "germline_app.hpp"
#include "joint_app.hpp"
#include "merge_app.hpp"
#include "metrics_app.hpp"
#include "reads_app.hpp"
#include "scatter_app.hpp"
#include "simulate_app.hpp"
#include "train_filter_app.hpp"
#include "variant_view.hpp"

namespace aceso::genomics {

std::vector<app::App> apps() {
  return {reads_app(),   index_app(),        align_app(),   metrics_app(),  germline_app(),
          scatter_app(), merge_app(),        joint_app(),   annotate_app(), compare_app(),
          check_app(),   train_filter_app(), simulate_app()};
}

std::vector<app::FileView> views() {
  std::vector<app::FileView> out;
  out.push_back(variant_view());
  return out;
}

std::vector<app::FileIndex> file_indexes() { return {fasta_index()}; }

}  // namespace aceso::genomics
