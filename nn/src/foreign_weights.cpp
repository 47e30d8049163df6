#include "aceso/nn/foreign_weights.hpp"

#include "aceso/core/bytes.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "pickle.hpp"
#include "zip.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

namespace aceso::nn {
namespace fs = std::filesystem;
namespace {

using Bytes = std::span<const std::byte>;

constexpr int kDeepest = 100;
// torch.save's first pickle is the number 0x1950a86a20f9469cfc6c; these are its low eight bytes.
constexpr std::int64_t kLegacyMagic = static_cast<std::int64_t>(0xa86a20f9469cfc6cULL);

/// Finds the bytes of a storage.
using FindStorage = std::function<Bytes(const PickleStorage&)>;

/// Turns pickled values into tensors and plain data.
class Unpacker {
 public:
  Unpacker(std::string source, std::shared_ptr<const MappedFile> file, FindStorage find)
      : source_(std::move(source)), file_(std::move(file)), find_(std::move(find)) {}

  void unpack(PicklePointer value, ForeignWeights& into) {
    into_ = &into;
    into.values = plain(value, "", 0);
  }

 private:
  Json plain(PicklePointer value, const std::string& path, int depth) {
    if (depth > kDeepest || ++visited_ > 10'000'000)
      fail(Errc::CorruptData, "{}: {}: nested too deeply", source_, printable(path));
    return std::visit([&](const auto& data) { return convert(data, path, depth); }, value->data);
  }

  Json convert(PickleNone, const std::string&, int) { return nullptr; }
  Json convert(bool value, const std::string&, int) { return value; }
  Json convert(std::int64_t value, const std::string&, int) { return value; }
  Json convert(double value, const std::string&, int) { return value; }
  Json convert(const std::string& value, const std::string&, int) {
    return is_utf8(value) ? value : printable(value);
  }
  Json convert(const PickleGlobal& value, const std::string&, int) {
    return value.module + "." + value.name;
  }
  Json convert(const PickleStorage&, const std::string&, int) { return nullptr; }

  Json convert(const PickleList& list, const std::string& path, int depth) {
    Json made = Json::array();
    for (std::size_t i = 0; i < list.items.size(); ++i)
      made.push_back(plain(list.items[i], below(path, std::to_string(i)), depth + 1));
    return made;
  }

  Json convert(const PickleDict& dict, const std::string& path, int depth) {
    Json made = Json::object();
    for (const auto& [key, value] : dict.items) {
      const std::string name = key_text(key);
      made[printable(name, 500)] = plain(value, below(path, name), depth + 1);
    }
    return made;
  }

  Json convert(const PickleTensor& tensor, const std::string& path, int) {
    into_->tensors[path] = view(tensor, path);
    return nullptr;
  }

  static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  static std::string key_text(PicklePointer key) {
    if (const auto* text = std::get_if<std::string>(&key->data)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&key->data)) return std::to_string(*number);
    return "?";
  }

  Tensor view(const PickleTensor& tensor, const std::string& path) const {
    const Bytes bytes = find_(tensor.storage);
    const auto size = size_in_bytes(tensor.storage.type);
    if (tensor.shape.size() != tensor.strides.size() || tensor.shape.size() > 32 ||
        tensor.offset < 0 || tensor.offset > tensor.storage.elements)
      fail(Errc::CorruptData, "{}: tensor {}: impossible shape or offset", source_,
           printable(path));
    if (static_cast<std::uint64_t>(tensor.storage.elements) > bytes.size() / size)
      fail(Errc::CorruptData, "{}: tensor {}: its storage says {} elements, the file has {}",
           source_, printable(path), tensor.storage.elements, bytes.size() / size);
    // A copy: archives align nothing. Tensor checks that all elements lie inside.
    Buffer memory(std::max<std::size_t>(bytes.size(), 1));
    std::memcpy(memory.data(), bytes.data(), bytes.size());
    try {
      return Tensor(memory, static_cast<std::size_t>(tensor.offset) * size, tensor.storage.type,
                    tensor.shape, tensor.strides);
    } catch (const Error& error) {
      fail(Errc::CorruptData, "{}: tensor {}: {}", source_, printable(path), error.what());
    }
  }

  std::string source_;
  std::shared_ptr<const MappedFile> file_;
  FindStorage find_;
  ForeignWeights* into_ = nullptr;
  std::size_t visited_ = 0;
};

ForeignWeights from_zip(const std::shared_ptr<const MappedFile>& file, const std::string& source) {
  const ZipMembers members = read_zip(file->bytes(), source);
  std::string folder;
  for (const auto& [name, bytes] : members)
    if (name.ends_with("/data.pkl")) folder = name.substr(0, name.size() - 8);
  if (folder.empty())
    fail(Errc::CorruptData, "{}: expected an archive of torch.save, found no data.pkl in it",
         source);
  PickleArena arena;
  std::size_t used = 0;
  const PicklePointer root = read_pickle(members.at(folder + "data.pkl"), source, arena, used);
  const auto find = [&](const PickleStorage& storage) {
    const auto found = members.find(folder + "data/" + storage.key);
    if (found == members.end())
      fail(Errc::CorruptData, "{}: the storage {} is missing", source, printable(storage.key));
    return found->second;
  };
  ForeignWeights weights;
  Unpacker(source, file, find).unpack(root, weights);
  return weights;
}

/// The layout of torch.save before 1.6: pickles of a magic number, a protocol version, facts about
/// the machine, the object, and the storages' keys; then each storage's length and bytes.
class LegacyArchive {
 public:
  LegacyArchive(std::shared_ptr<const MappedFile> file, std::string source)
      : file_(std::move(file)), source_(std::move(source)), rest_(file_->bytes()) {}

  ForeignWeights read() {
    const PicklePointer magic = pickle();
    const auto* number = std::get_if<std::int64_t>(&magic->data);
    if (number == nullptr || *number != kLegacyMagic)
      fail(Errc::CorruptData,
           "{}: expected weights (safetensors or an archive of torch.save), found another pickle",
           source_);
    static_cast<void>(pickle());
    static_cast<void>(pickle());
    const PicklePointer object = pickle();
    const PicklePointer keys = pickle();
    const auto* list = std::get_if<PickleList>(&keys->data);
    if (list == nullptr) fail(Errc::CorruptData, "{}: expected the keys of storages", source_);
    sizes_of(object, 0);
    for (const PicklePointer key : list->items) read_storage(key);
    ForeignWeights weights;
    Unpacker(source_, file_, [this](const PickleStorage& storage) {
      const auto found = storages_.find(storage.key);
      if (found == storages_.end())
        fail(Errc::CorruptData, "{}: the storage {} is missing", source_, printable(storage.key));
      return found->second;
    }).unpack(object, weights);
    return weights;
  }

 private:
  PicklePointer pickle() {
    std::size_t used = 0;
    const PicklePointer value = read_pickle(rest_, source_, arena_, used);
    rest_ = rest_.subspan(used);
    return value;
  }

  /// The element types of storages stand in the object only.
  void sizes_of(PicklePointer value, int depth) {
    if (depth > kDeepest || ++visited_ > 10'000'000)
      fail(Errc::CorruptData, "{}: nested too deeply", source_);
    if (const auto* tensor = std::get_if<PickleTensor>(&value->data))
      element_sizes_[tensor->storage.key] = size_in_bytes(tensor->storage.type);
    else if (const auto* list = std::get_if<PickleList>(&value->data))
      for (const PicklePointer item : list->items) sizes_of(item, depth + 1);
    else if (const auto* dict = std::get_if<PickleDict>(&value->data))
      for (const auto& [key, item] : dict->items) sizes_of(item, depth + 1);
  }

  void read_storage(PicklePointer key) {
    const auto* name = std::get_if<std::string>(&key->data);
    if (name == nullptr || !element_sizes_.contains(*name))
      fail(Errc::CorruptData, "{}: a storage that no tensor uses", source_);
    ByteReader reader(rest_, source_);
    const auto elements = reader.little<std::uint64_t>("length of a storage");
    const std::uint64_t size = checked_product(elements, element_sizes_[*name], "storage size");
    storages_[*name] = reader.take(size, "storage " + *name);
    rest_ = rest_.subspan(reader.offset());
  }

  std::shared_ptr<const MappedFile> file_;
  std::string source_;
  Bytes rest_;
  PickleArena arena_;
  std::map<std::string, std::size_t> element_sizes_;
  std::map<std::string, Bytes> storages_;
  std::size_t visited_ = 0;
};

bool starts_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

}  // namespace

ForeignWeights read_foreign_weights(const fs::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const std::string source = path.string();
  const Bytes bytes = file->bytes();
  if (starts_with(bytes, "PK\x03\x04")) return from_zip(file, source);
  if (starts_with(bytes, "\x80")) {
    // A pickle begins with its protocol, safetensors with the header's length, eight bytes
    // before its '{'.
    if (bytes.size() < 9 || bytes[8] != std::byte{'{'}) return LegacyArchive(file, source).read();
  }
  return {TensorFile(file, 0, bytes.size(), source).all(), Json::object()};
}

}  // namespace aceso::nn
