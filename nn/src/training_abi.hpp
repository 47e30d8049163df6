/// \file
/// What the training plugin and its loader say to each other: plain C, so that the plugin may be
/// built against another PyTorch, another standard library and another compiler than the program.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// Raised with every change of what follows; a plugin of another version is refused.
#define ACESO_TRAINING_ABI 2
#define ACESO_TRAINING_ENTRY "aceso_training_plugin"

/// Element types of an array.
enum { ACESO_F32 = 0, ACESO_I32 = 1 };

/// A contiguous row-major array. Borrowed for the time of a call.
struct aceso_array {
  const char* name;
  const void* data;
  const std::int64_t* shape;
  std::int32_t rank;
  std::int32_t type;
};

/// Arrays that belong together: weights, a state, or what one micro-batch holds.
struct aceso_arrays {
  const aceso_array* arrays;
  std::size_t count;
};

/// Why a call failed. `code` is 0 for a mistake in what was given, 1 for lack of memory, 2 for a
/// stop that was asked for, 3 for another rank that is gone, 4 for a bug.
struct aceso_failure {
  std::int32_t code;
  char message[1000];
};

/// Sums over what a call computed.
struct aceso_figures {
  double loss;           ///< sum over the targets
  double targets;        ///< how many there were
  double correct;        ///< of classes: how many were the likeliest
  double gradient_norm;  ///< of the mean gradient, before clipping
  double computed;       ///< tokens or atoms
};

typedef void (*aceso_visit)(void* context, const aceso_array* array);
typedef int (*aceso_stopped)(void* context);

/// Functions return 0, or 1 and fill `failure`. A trainer is used by one thread at a time.
struct aceso_training_api {
  std::uint32_t version;
  const char* about;  ///< e.g. "PyTorch 1.13.1"

  /// `plan` is JSON; see TrainingPlan in training.cpp.
  int (*open)(const char* plan, aceso_arrays weights, void** trainer, aceso_failure* failure);
  void (*close)(void* trainer);
  /// Gradients over all micro-batches of all ranks, then one update of the weights.
  int (*step)(void* trainer, const aceso_arrays* batches, std::size_t count, double learning_rate,
              std::int32_t threads, aceso_stopped stopped, void* context, aceso_figures* figures,
              aceso_failure* failure);
  /// Loss without an update, over this rank's micro-batches alone.
  int (*evaluate)(void* trainer, const aceso_arrays* batches, std::size_t count,
                  std::int32_t threads, aceso_stopped stopped, void* context,
                  aceso_figures* figures, aceso_failure* failure);
  /// The net's outputs for one micro-batch, f32 [rows, outputs].
  int (*outputs)(void* trainer, aceso_arrays batch, aceso_visit visit, void* context,
                 aceso_failure* failure);
  /// Every trained tensor as "weights.NAME"; with `moments` the optimiser's too.
  int (*read)(void* trainer, int moments, aceso_visit visit, void* context, aceso_failure* failure);
  /// Takes back what read() gave; `steps` updates were made before it.
  int (*restore)(void* trainer, aceso_arrays state, std::int64_t steps, aceso_failure* failure);
  /// Waits until every rank is here.
  int (*barrier)(void* trainer, aceso_failure* failure);
  /// Where this rank computes and how ranks exchange gradients, for people; "" for one alone. Lives
  /// as long as the trainer.
  const char* (*placement)(void* trainer);
};

/// The plugin's one symbol has this type.
typedef const aceso_training_api* (*aceso_training_entry)(void);
}
