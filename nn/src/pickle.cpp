#include "pickle.hpp"

#include "aceso/core/bytes.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>

namespace aceso::nn {
namespace {

using Pointer = PickleValue*;

constexpr std::size_t kMostValues = 20'000'000;
constexpr std::size_t kMostItems = 50'000'000;

/// What is done with a name that a pickle imports.
enum class Role {
  Storage,
  Tensor,
  Parameter,
  Container,
  Object,      ///< becomes its fields
  Opaque,      ///< becomes nothing
  Bytes,       ///< text that stands for bytes, as old protocols write them
  NumberType,  ///< of an array: becomes its name
  Array        ///< of numpy: becomes a list of numbers
};

struct Known {
  std::string_view module, name;
  Role role;
};

/// All names that may stand in a pickle. Containers become plain data, objects their fields.
constexpr std::array<Known, 28> kKnown{{
    {"collections", "OrderedDict", Role::Container},
    {"builtins", "dict", Role::Container},
    {"builtins", "list", Role::Container},
    {"builtins", "set", Role::Container},
    {"__builtin__", "set", Role::Container},
    {"torch._utils", "_rebuild_tensor", Role::Tensor},
    {"torch._utils", "_rebuild_tensor_v2", Role::Tensor},
    {"torch._utils", "_rebuild_parameter", Role::Parameter},
    {"torch", "Size", Role::Container},
    {"torch", "device", Role::Opaque},
    {"argparse", "Namespace", Role::Object},
    {"lightning.fabric.utilities.data", "AttributeDict", Role::Container},
    {"torch.nn.modules.linear", "Identity", Role::Object},
    {"_codecs", "encode", Role::Bytes},
    {"numpy", "ndarray", Role::Opaque},
    {"numpy", "dtype", Role::NumberType},
    {"numpy.core.multiarray", "_reconstruct", Role::Array},
    {"torch", "FloatStorage", Role::Storage},
    {"torch", "DoubleStorage", Role::Storage},
    {"torch", "HalfStorage", Role::Storage},
    {"torch", "BFloat16Storage", Role::Storage},
    {"torch", "LongStorage", Role::Storage},
    {"torch", "IntStorage", Role::Storage},
    {"torch", "ShortStorage", Role::Storage},
    {"torch", "CharStorage", Role::Storage},
    {"torch", "ByteStorage", Role::Storage},
    {"torch", "BoolStorage", Role::Storage},
    {"torch.storage", "UntypedStorage", Role::Storage},
}};

constexpr std::array<std::pair<std::string_view, DType>, 11> kStorageTypes{
    {{"FloatStorage", DType::F32},
     {"DoubleStorage", DType::F64},
     {"HalfStorage", DType::F16},
     {"BFloat16Storage", DType::BF16},
     {"LongStorage", DType::I64},
     {"IntStorage", DType::I32},
     {"ShortStorage", DType::I16},
     {"CharStorage", DType::I8},
     {"ByteStorage", DType::U8},
     {"BoolStorage", DType::Bool},
     {"UntypedStorage", DType::U8}}};

/// Layers and settings of chemprop, whose checkpoints name their classes: data to this reader.
constexpr std::string_view kChemprop = "chemprop.nn.";
constexpr Known kChempropObject{kChemprop, "", Role::Object};

const Known* known(const PickleGlobal& global) {
  if (global.module.starts_with(kChemprop)) return &kChempropObject;
  const auto found = std::ranges::find_if(
      kKnown, [&](const Known& k) { return k.module == global.module && k.name == global.name; });
  return found == kKnown.end() ? nullptr : &*found;
}

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& source, PickleArena& arena)
      : reader_(bytes, source), source_(source), arena_(arena) {}

  Pointer run() {
    while (!step(reader_.little<std::uint8_t>("pickle opcode"))) {
      if (arena_.size() > kMostValues || stack_.size() > kMostValues || items_ > kMostItems)
        broken("too many values");
    }
    return pop();
  }

  [[nodiscard]] std::size_t used() const { return reader_.offset(); }

 private:
  [[noreturn]] void broken(std::string_view what) const {
    fail(Errc::CorruptData, "{}: pickle: {} at byte {}", source_, what, reader_.offset());
  }

  template <typename T>
  Pointer make(T value) {
    return &arena_.emplace_back(PickleValue{std::move(value)});
  }
  Pointer make(const PickleValue& value) { return &arena_.emplace_back(value); }

  Pointer pop() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size()))
      broken("a value is missing");
    Pointer last = stack_.back();
    stack_.pop_back();
    return last;
  }

  [[nodiscard]] Pointer top() const {
    if (stack_.empty()) broken("a value is missing");
    return stack_.back();
  }

  void push(Pointer value) { stack_.push_back(value); }

  /// The values since the last mark.
  std::vector<Pointer> since_mark() {
    if (marks_.empty()) broken("a mark is missing");
    const std::size_t begin = marks_.back();
    if (begin > stack_.size()) broken("a mark is behind the stack");
    marks_.pop_back();
    std::vector<Pointer> values(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end());
    stack_.resize(begin);
    items_ += values.size();
    return values;
  }

  template <typename T>
  [[nodiscard]] const T& as(PicklePointer value, std::string_view expected) const {
    const T* found = value != nullptr ? std::get_if<T>(&value->data) : nullptr;
    if (found == nullptr) broken("expected " + std::string(expected));
    return *found;
  }

  std::string text(std::uint64_t size) {
    if (size > reader_.remaining()) broken("a text longer than the file");
    return std::string(reader_.text(size, "text"));
  }

  std::string line() {
    std::string result;
    for (char c = '\0'; (c = static_cast<char>(reader_.little<std::uint8_t>("line"))) != '\n';)
      result.push_back(c);
    return result;
  }

  void memoize(std::uint64_t index) {
    if (memo_.size() > kMostValues) broken("too many values");
    memo_[index] = top();
  }

  void recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) broken("a memory that was never made");
    push(found->second);
  }

  bool step(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80:
        reader_.skip(1, "protocol");
        return false;
      case 0x95:
        reader_.skip(8, "frame");
        return false;
      case '.':
        return true;
      case '(':
        marks_.push_back(stack_.size());
        return false;
      case '0':
        static_cast<void>(pop());
        return false;
      case '1':
        static_cast<void>(since_mark());
        return false;
      case '2':
        push(top());
        return false;
      case 'N':
        push(make(PickleNone{}));
        return false;
      case 0x88:
        push(make(true));
        return false;
      case 0x89:
        push(make(false));
        return false;
      default:
        break;
    }
    if (number(opcode) || string(opcode) || container(opcode) || memory(opcode) || build(opcode))
      return false;
    broken(fmt::format("opcode 0x{:02x}, which saved weights do not use,", opcode));
  }

  bool number(std::uint8_t opcode) {
    switch (opcode) {
      case 'K':
        push(make(std::int64_t{reader_.little<std::uint8_t>("number")}));
        return true;
      case 'M':
        push(make(std::int64_t{reader_.little<std::uint16_t>("number")}));
        return true;
      case 'J':
        push(make(std::int64_t{reader_.little<std::int32_t>("number")}));
        return true;
      case 0x8a:
        long_number(reader_.little<std::uint8_t>("length"));
        return true;
      case 'I':
      case 'L':
        text_number(line());
        return true;
      case 'G': {
        const auto bits = reader_.little<std::uint64_t>("number");
        push(make(std::bit_cast<double>(__builtin_bswap64(bits))));
        return true;
      }
      default:
        return false;
    }
  }

  void long_number(std::size_t size) {
    const auto bytes = reader_.take(size, "number");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(size, 8); ++i)
      value |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
    if (size > 0 && size < 8 && (static_cast<std::uint8_t>(bytes[size - 1]) & 0x80U) != 0)
      value |= ~std::uint64_t{0} << (8 * size);
    // Only the magic number of old archives is longer; its low bytes tell it apart.
    push(make(static_cast<std::int64_t>(value)));
  }

  void text_number(std::string digits) {
    if (digits.ends_with('L')) digits.pop_back();
    if (digits == "00" || digits == "01") return push(make(digits == "01"));
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
      broken("a number that is none");
    push(make(value));
  }

  bool string(std::uint8_t opcode) {
    switch (opcode) {
      case 'X':
      case 'B':
      case 'T':
        push(make(text(reader_.little<std::uint32_t>("length"))));
        return true;
      case 0x8c:
      case 'C':
      case 'U':
        push(make(text(reader_.little<std::uint8_t>("length"))));
        return true;
      case 0x8d:
      case 0x8e:
        push(make(text(reader_.little<std::uint64_t>("length"))));
        return true;
      case 'V':
        push(make(line()));
        return true;
      default:
        return false;
    }
  }

  bool container(std::uint8_t opcode) {
    switch (opcode) {
      case ']':
      case ')':
      case 0x8f:
        push(make(PickleList{}));
        return true;
      case '}':
        push(make(PickleDict{}));
        return true;
      case 'l':
      case 't':
      case 0x91:
        push(make(list_of(since_mark())));
        return true;
      case 0x85:
        tuple(1);
        return true;
      case 0x86:
        tuple(2);
        return true;
      case 0x87:
        tuple(3);
        return true;
      case 'a':
        append({pop()});
        return true;
      case 'e':
      case 0x90:
        append(since_mark());
        return true;
      case 's': {
        Pointer value = pop(), key = pop();
        set_items({key, value});
        return true;
      }
      case 'u':
        set_items(since_mark());
        return true;
      case 'd': {
        const auto items = since_mark();
        push(make(PickleDict{}));
        set_items(items);
        return true;
      }
      default:
        return false;
    }
  }

  static PickleList list_of(const std::vector<Pointer>& values) {
    return {{values.begin(), values.end()}};
  }

  void tuple(std::size_t size) {
    PickleList list;
    for (std::size_t i = 0; i < size; ++i) list.items.push_back(pop());
    std::ranges::reverse(list.items);
    push(make(std::move(list)));
  }

  void append(const std::vector<Pointer>& values) {
    auto* list = std::get_if<PickleList>(&top()->data);
    if (list == nullptr) broken("expected a list");
    items_ += values.size();
    list->items.insert(list->items.end(), values.begin(), values.end());
  }

  void set_items(const std::vector<Pointer>& values) {
    auto* dict = std::get_if<PickleDict>(&top()->data);
    if (dict == nullptr || values.size() % 2 != 0) broken("expected a dictionary");
    for (std::size_t i = 0; i < values.size(); i += 2)
      dict->items.emplace_back(values[i], values[i + 1]);
  }

  bool memory(std::uint8_t opcode) {
    switch (opcode) {
      case 'q':
        memoize(reader_.little<std::uint8_t>("index"));
        return true;
      case 'r':
        memoize(reader_.little<std::uint32_t>("index"));
        return true;
      case 0x94:
        memoize(memo_.size());
        return true;
      case 'h':
        recall(reader_.little<std::uint8_t>("index"));
        return true;
      case 'j':
        recall(reader_.little<std::uint32_t>("index"));
        return true;
      default:
        return false;
    }
  }

  bool build(std::uint8_t opcode) {
    switch (opcode) {
      case 'c': {
        std::string module = line(), name = line();
        global({std::move(module), std::move(name)});
        return true;
      }
      case 0x93: {
        const Pointer name = pop(), module = pop();
        global({as<std::string>(module, "a module"), as<std::string>(name, "a name")});
        return true;
      }
      case 'Q':
        storage(pop());
        return true;
      case 'R':
      case 0x81: {
        const Pointer arguments = pop(), called = pop();
        reduce(as<PickleGlobal>(called, "a constructor"), as<PickleList>(arguments, "arguments"));
        return true;
      }
      case 'b':
        state();
        return true;
      default:
        return false;
    }
  }

  void global(PickleGlobal name) {
    if (known(name) == nullptr)
      fail(Errc::Unsupported,
           "{}: the pickle asks for {}.{}; only plain data and tensors are read, and nothing in "
           "the file was executed",
           source_, printable(name.module), printable(name.name));
    push(make(std::move(name)));
  }

  /// ("storage", type, key, device, elements), as torch.save names pieces of memory.
  void storage(PicklePointer id) {
    const auto& parts = as<PickleList>(id, "a storage").items;
    if (parts.size() < 5) broken("expected a storage of five parts");
    PickleStorage made;
    const auto& type = as<PickleGlobal>(parts[1], "a storage type");
    const auto found = std::ranges::find(kStorageTypes, std::string_view(type.name),
                                         &std::pair<std::string_view, DType>::first);
    if (found == kStorageTypes.end()) broken("expected a storage type");
    made.type = found->second;
    made.key = as<std::string>(parts[2], "a storage key");
    made.elements = as<std::int64_t>(parts[4], "a count of elements");
    if (made.elements < 0) broken("a negative size");
    push(make(std::move(made)));
  }

  [[nodiscard]] std::vector<std::int64_t> numbers(PicklePointer value) const {
    std::vector<std::int64_t> list;
    for (const PicklePointer item : as<PickleList>(value, "a list of numbers").items)
      list.push_back(as<std::int64_t>(item, "a number"));
    return list;
  }

  void reduce(const PickleGlobal& called, const PickleList& arguments) {
    const auto& given = arguments.items;
    switch (known(called)->role) {
      case Role::Tensor: {
        if (given.size() < 4) broken("expected a tensor of four parts");
        push(make(PickleTensor{as<PickleStorage>(given[0], "a storage"),
                               as<std::int64_t>(given[1], "an offset"), numbers(given[2]),
                               numbers(given[3])}));
        return;
      }
      case Role::Parameter:
        if (given.empty()) broken("expected a parameter's tensor");
        return push(make(*given[0]));
      case Role::Container:
        if (called.name == "OrderedDict" || called.name == "dict" || called.name == "AttributeDict")
          return ordered(given);
        return push(given.empty() ? make(PickleList{}) : make(*given[0]));
      case Role::Object:
        return push(make(PickleDict{}));
      case Role::Opaque:
        return push(make(PickleNone{}));
      case Role::Bytes:
        if (given.empty()) broken("expected text that stands for bytes");
        return push(make(latin1(as<std::string>(given[0], "text"))));
      case Role::NumberType:
        if (given.empty()) broken("expected a type of numbers");
        return push(make(as<std::string>(given[0], "a type of numbers")));
      case Role::Array:
        return push(make(PickleList{}));
      case Role::Storage:
        broken("a storage that is called");
    }
  }

  /// OrderedDict([[key, value], …]), as old versions write it, or empty.
  void ordered(const std::vector<Pointer>& given) {
    PickleDict dict;
    if (!given.empty()) {
      for (const PicklePointer item : as<PickleList>(given[0], "pairs").items) {
        const auto& pair = as<PickleList>(item, "a pair").items;
        if (pair.size() != 2) broken("expected a pair");
        dict.items.emplace_back(pair[0], pair[1]);
      }
    }
    push(make(std::move(dict)));
  }

  /// UTF-8 of characters below 256 to one byte each.
  [[nodiscard]] std::string latin1(const std::string& text) const {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto code = static_cast<unsigned char>(text[i]);
      if (code < 0x80) {
        bytes += text[i];
        continue;
      }
      if ((code != 0xc2 && code != 0xc3) || i + 1 == text.size()) broken("text that is not bytes");
      const auto next = static_cast<unsigned char>(text[++i]);
      bytes += static_cast<char>(((code & 3U) << 6U) | (next & 0x3fU));
    }
    return bytes;
  }

  /// The numbers of a numpy array, from (version, shape, type, order, bytes).
  void array_state(PickleList& list, const PickleList& state) {
    if (state.items.size() != 5) return;
    const auto* type = std::get_if<std::string>(&state.items[2]->data);
    const auto* bytes = std::get_if<std::string>(&state.items[4]->data);
    if (type == nullptr || bytes == nullptr) return;
    if (*type == "f8") numbers_of<double>(list, *bytes);
    if (*type == "f4") numbers_of<float>(list, *bytes);
    if (*type == "i8") numbers_of<std::int64_t>(list, *bytes);
  }

  template <typename T>
  void numbers_of(PickleList& list, const std::string& bytes) {
    for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
      T value;
      std::memcpy(&value, bytes.data() + at, sizeof(T));
      if constexpr (std::is_integral_v<T>)
        list.items.push_back(make(std::int64_t{value}));
      else
        list.items.push_back(make(static_cast<double>(value)));
    }
    items_ += bytes.size() / sizeof(T);
  }

  /// Fields of a plain object; attributes of a dictionary (torch's _metadata) are left out.
  void state() {
    const Pointer fields = pop();
    auto* object = std::get_if<PickleDict>(&top()->data);
    const auto* given = std::get_if<PickleDict>(&fields->data);
    auto* array = std::get_if<PickleList>(&top()->data);
    const auto* parts = std::get_if<PickleList>(&fields->data);
    if (array != nullptr && parts != nullptr && array->items.empty()) array_state(*array, *parts);
    if (object != nullptr && given != nullptr && object->items.empty())
      object->items = given->items;
  }

  ByteReader reader_;
  std::string source_;
  PickleArena& arena_;
  std::vector<Pointer> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, Pointer> memo_;
  std::size_t items_ = 0;
};

}  // namespace

PicklePointer read_pickle(std::span<const std::byte> bytes, const std::string& source,
                          PickleArena& arena, std::size_t& used) {
  Machine machine(bytes, source, arena);
  const PicklePointer value = machine.run();
  used = machine.used();
  return value;
}

}  // namespace aceso::nn
