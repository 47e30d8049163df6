/// \file
/// The option of apps that compute a net: where.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/nn/transformer.hpp"

#include <string>
#include <string_view>

namespace aceso::lm {

/// Adds the option `device`; nn::device_by_name() takes its value. \param computed what a GPU
/// computes of the app's nets.
template <typename Job>
void describe_device(app::Describe<Job>& d, std::string Job::* device,
                     std::string_view computed = "in fp32 or bf16") {
  d.option("device", device,
           {.help = "where the net is computed; cuda: the first NVIDIA GPU (compute capability "
                    "8.0 or more), " +
                    std::string(computed),
            .choices = nn::device_names(),
            .advanced = true});
}

}  // namespace aceso::lm
