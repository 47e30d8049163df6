/// \file
/// The restricted pickle reader: plain data and tensors, and nothing that acts.
#pragma once

#include "aceso/core/tensor.hpp"

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace aceso::nn {

struct PickleValue;
/// Values of a pickle may hold each other in any depth and in circles; an arena owns them all.
using PicklePointer = PickleValue*;

struct PickleNone {};
struct PickleList {
  std::vector<PicklePointer> items;  ///< of a list, tuple or set
};
struct PickleDict {
  std::vector<std::pair<PicklePointer, PicklePointer>> items;  ///< of a dict or a plain object
};
/// A name that the pickle imports, e.g. {"torch", "FloatStorage"}; only known ones get this far.
struct PickleGlobal {
  std::string module, name;
};
/// A piece of memory in the archive, found by its key.
struct PickleStorage {
  std::string key;
  DType type = DType::F32;
  std::int64_t elements = 0;
};
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset = 0;  ///< in elements
  std::vector<std::int64_t> shape, strides;
};

struct PickleValue {
  std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleList, PickleDict,
               PickleGlobal, PickleStorage, PickleTensor>
      data;
};
using PickleArena = std::deque<PickleValue>;

/// Reads one pickle (protocols 0 to 5, the opcodes that saved data use) from the front of `bytes`
/// and sets `used` to its length. The values live in `arena`.
/// \throws Error CorruptData naming `source` and the offset; Unsupported naming a constructor that
/// is not on the list of harmless ones. Nothing named in a pickle is ever called.
[[nodiscard]] PicklePointer read_pickle(std::span<const std::byte> bytes, const std::string& source,
                                        PickleArena& arena, std::size_t& used);

}  // namespace aceso::nn
