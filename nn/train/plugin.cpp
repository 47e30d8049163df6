// The plugin's C functions: each hands on to a Trainer and turns exceptions into failures.
#include "trainer.hpp"
#include "training_abi.hpp"

#include <torch/csrc/api/include/torch/version.h>

#include <cstring>
#include <new>

namespace aceso::train {
namespace {

constexpr std::int32_t kMistake = 0, kMemory = 1, kStopped = 2, kUnreachable = 3, kBug = 4;

int failed(aceso_failure* failure, std::int32_t code, const char* message) {
  failure->code = code;
  std::strncpy(failure->message, message, sizeof failure->message - 1);
  failure->message[sizeof failure->message - 1] = '\0';
  return 1;
}

template <typename Body>
int guarded(aceso_failure* failure, const Body& body) {
  try {
    body();
    return 0;
  } catch (const Mistake& error) {
    return failed(failure, kMistake, error.what());
  } catch (const nlohmann::json::exception& error) {
    return failed(failure, kMistake, error.what());
  } catch (const Stopped& error) {
    return failed(failure, kStopped, error.what());
  } catch (const Unreachable& error) {
    return failed(failure, kUnreachable, error.what());
  } catch (const std::bad_alloc& error) {
    return failed(failure, kMemory, error.what());
  } catch (const std::exception& error) {
    // PyTorch has no error type of its own for memory that is not there, and tells where it failed
    // below the first line.
    const std::string what = error.what();
    const bool memory = what.find("can't allocate memory") != std::string::npos;
    return failed(failure, memory ? kMemory : kBug, what.substr(0, what.find('\n')).c_str());
  }
}

Trainer& trainer_of(void* trainer) { return *static_cast<Trainer*>(trainer); }

std::vector<Tensors> batches_of(const aceso_arrays* batches, std::size_t count) {
  std::vector<Tensors> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(borrow(batches[i]));
  return all;
}

void give(aceso_figures* to, const Figures& figures) {
  *to = {figures.loss, figures.targets, figures.correct, figures.gradient_norm, figures.computed};
}

void show(const std::string& name, const at::Tensor& tensor, aceso_visit visit, void* context) {
  const aceso_array array{name.c_str(), tensor.data_ptr(), tensor.sizes().data(),
                          static_cast<std::int32_t>(tensor.dim()), ACESO_F32};
  visit(context, &array);
}

int open(const char* plan, aceso_arrays weights, void** trainer, aceso_failure* failure) {
  return guarded(failure,
                 [&] { *trainer = new Trainer(nlohmann::json::parse(plan), borrow(weights)); });
}

void close(void* trainer) { delete static_cast<Trainer*>(trainer); }

int step(void* trainer, const aceso_arrays* batches, std::size_t count, double learning_rate,
         std::int32_t threads, aceso_stopped stopped, void* context, aceso_figures* figures,
         aceso_failure* failure) {
  return guarded(failure, [&] {
    give(figures, trainer_of(trainer).step(batches_of(batches, count), learning_rate, threads,
                                           [&] { return stopped(context) != 0; }));
  });
}

int evaluate(void* trainer, const aceso_arrays* batches, std::size_t count, std::int32_t threads,
             aceso_stopped stopped, void* context, aceso_figures* figures, aceso_failure* failure) {
  return guarded(failure, [&] {
    give(figures, trainer_of(trainer).evaluate(batches_of(batches, count), threads,
                                               [&] { return stopped(context) != 0; }));
  });
}

int outputs(void* trainer, aceso_arrays batch, aceso_visit visit, void* context,
            aceso_failure* failure) {
  return guarded(failure, [&] {
    show("outputs", trainer_of(trainer).outputs(borrow(batch)), visit, context);
  });
}

int read(void* trainer, int moments, aceso_visit visit, void* context, aceso_failure* failure) {
  return guarded(failure, [&] {
    for (const auto& [name, tensor] : trainer_of(trainer).state(moments != 0))
      show(name, tensor, visit, context);
  });
}

int restore(void* trainer, aceso_arrays state, std::int64_t steps, aceso_failure* failure) {
  return guarded(failure, [&] { trainer_of(trainer).restore(borrow(state), steps); });
}

int barrier(void* trainer, aceso_failure* failure) {
  return guarded(failure, [&] { trainer_of(trainer).barrier(); });
}

const char* placement(void* trainer) { return trainer_of(trainer).placement().told.c_str(); }

constexpr aceso_training_api kApi{ACESO_TRAINING_ABI,
                                  "PyTorch " TORCH_VERSION,
                                  open,
                                  close,
                                  step,
                                  evaluate,
                                  outputs,
                                  read,
                                  restore,
                                  barrier,
                                  placement};

}  // namespace
}  // namespace aceso::train

extern "C" __attribute__((visibility("default"))) const aceso_training_api* aceso_training_plugin(
    void) {
  return &aceso::train::kApi;
}
