// What is done to reads, resolved from the options of the app.
#pragma once

#include "kernels/kernels.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

/// A sliding window that cuts where the mean quality is too low.
struct QualityCut {
  bool enabled = false;
  int window = 4;
  int mean = 20;  ///< phred
};

/// Fixed cuts of one mate, in bases.
struct FixedTrim {
  int front = 0;
  int tail = 0;
  int crop = 0;  ///< longest read kept whole; 0: any
};

enum class UmiPlace { None, Index1, Index2, Read1, Read2, PerIndex, PerRead };

struct UmiRules {
  UmiPlace place = UmiPlace::None;
  int length = 0;
  int skip = 0;  ///< bases dropped behind the UMI
  std::string prefix;
};

/// Filters, in the units of the options.
struct FilterRules {
  bool quality = true;
  int qualified = 15;  ///< phred
  int most_unqualified_percent = 40;
  int most_n = 5;
  int least_mean_quality = 0;
  bool length = true;
  int least_length = 15;
  int most_length = 0;  ///< 0: any
  bool complexity = false;
  int least_complexity_percent = 30;
};

struct Rules {
  bool paired = false;
  FixedTrim fixed[2];
  QualityCut cut_front, cut_tail, cut_right;
  bool poly_g = false;
  int poly_g_least = 10;
  bool poly_x = false;
  int poly_x_least = 10;
  bool trim_adapters = true;
  bool correct = false;
  OverlapRules overlap;
  std::string adapter[2];  ///< empty: unknown
  std::vector<std::string> more_adapters;
  FilterRules filter;
  UmiRules umi;
};

}  // namespace aceso::genomics
