#include "aceso/nn/tensor_file.hpp"

#include "aceso/core/bytes.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/json.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

namespace aceso::nn {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLongestHeader = 100'000'000;  // of the format

struct TypeName {
  std::string_view name;
  DType type;
};
constexpr std::array<TypeName, 13> kTypes{{{"F32", DType::F32},
                                           {"F16", DType::F16},
                                           {"BF16", DType::BF16},
                                           {"F64", DType::F64},
                                           {"I64", DType::I64},
                                           {"I32", DType::I32},
                                           {"I16", DType::I16},
                                           {"I8", DType::I8},
                                           {"U8", DType::U8},
                                           {"U16", DType::U16},
                                           {"U32", DType::U32},
                                           {"U64", DType::U64},
                                           {"BOOL", DType::Bool}}};

std::string_view format_name(DType type) {
  return std::ranges::find(kTypes, type, &TypeName::type)->name;
}

std::uint64_t bytes_of(const TensorInfo& info) {
  std::uint64_t bytes = size_in_bytes(info.type);
  for (const std::int64_t extent : info.shape)
    bytes = checked_product(bytes, static_cast<std::uint64_t>(extent), "tensor size");
  return bytes;
}

std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

struct Place {
  std::uint64_t begin = 0, end = 0;
};

/// Reads one member of the header, all of whose mistakes name the file and the tensor.
class EntryReader {
 public:
  EntryReader(const std::string& source, const std::string& name, const Json& entry)
      : source_(source), name_(name), entry_(entry) {}

  [[nodiscard]] TensorInfo info() const {
    TensorInfo made{name_, DType::F32, {}};
    const Json& type = member("dtype");
    const auto known = std::ranges::find_if(kTypes, [&](const TypeName& t) {
      return type.is_string() && type.get_ref<const std::string&>() == t.name;
    });
    if (known == kTypes.end()) complain("an element type that this build reads", type);
    made.type = known->type;
    const Json& shape = member("shape");
    if (!shape.is_array() || shape.size() > 32) complain("a shape", shape);
    for (const Json& extent : shape) made.shape.push_back(whole(extent));
    return made;
  }

  [[nodiscard]] Place place(std::uint64_t data_size) const {
    const Json& offsets = member("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2) complain("two data_offsets", offsets);
    const Place found{static_cast<std::uint64_t>(whole(offsets[0])),
                      static_cast<std::uint64_t>(whole(offsets[1]))};
    if (found.begin > found.end || found.end > data_size)
      fail(Errc::CorruptData,
           "{}: tensor {}: bytes {} to {} do not lie inside the data of {} bytes", source_,
           printable(name_), found.begin, found.end, data_size);
    return found;
  }

 private:
  [[nodiscard]] const Json& member(const char* key) const {
    if (!entry_.is_object() || !entry_.contains(key))
      fail(Errc::CorruptData, "{}: tensor {}: {} is missing", source_, printable(name_), key);
    return entry_.at(key);
  }

  [[nodiscard]] std::int64_t whole(const Json& value) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > (1ULL << 62))
      complain("a whole number", value);
    return static_cast<std::int64_t>(value.get<std::uint64_t>());
  }

  [[noreturn]] void complain(std::string_view expected, const Json& found) const {
    fail(Errc::CorruptData, "{}: tensor {}: expected {}, found {}", source_, printable(name_),
         expected, printable(found.dump(-1, ' ', false, Json::error_handler_t::replace), 60));
  }

  const std::string& source_;
  const std::string& name_;
  const Json& entry_;
};

}  // namespace

struct TensorFile::Impl {
  std::shared_ptr<const MappedFile> file;
  std::span<const std::byte> data;
  std::string source;
  std::vector<TensorInfo> tensors;
  std::vector<Place> places;
  std::map<std::string, std::size_t, std::less<>> index;
  std::map<std::string, std::string> metadata;

  void read(std::span<const std::byte> bytes) {
    ByteReader reader(bytes, source);
    const auto length = reader.little<std::uint64_t>("length of the header");
    if (length > kLongestHeader || length > reader.remaining())
      fail(Errc::CorruptData, "{}: the header says {} bytes, the file has {} left", source, length,
           reader.remaining());
    const Json header = parse_json(reader.text(length, "header"), source, 8);
    data = bytes.subspan(reader.offset());
    if (!header.is_object())
      fail(Errc::CorruptData, "{}: expected an object of tensors as header", source);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        read_metadata(entry);
      else
        add(EntryReader(source, name, entry));
    }
    sort_and_check();
  }

  void read_metadata(const Json& entry) {
    if (!entry.is_object())
      fail(Errc::CorruptData, "{}: __metadata__: expected an object of texts", source);
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string())
        fail(Errc::CorruptData, "{}: __metadata__: {}: expected a text", source, printable(key));
      metadata[key] = value.get<std::string>();
    }
  }

  void add(const EntryReader& entry) {
    TensorInfo info = entry.info();
    const Place place = entry.place(data.size());
    if (bytes_of(info) != place.end - place.begin)
      fail(Errc::CorruptData, "{}: tensor {}: its shape needs {} bytes, its offsets give {}",
           source, printable(info.name), bytes_of(info), place.end - place.begin);
    tensors.push_back(std::move(info));
    places.push_back(place);
  }

  void sort_and_check() {
    std::vector<std::size_t> order(tensors.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      return std::pair(places[a].begin, places[a].end) < std::pair(places[b].begin, places[b].end);
    });
    std::vector<TensorInfo> sorted;
    std::vector<Place> sorted_places;
    std::uint64_t end = 0;
    for (const std::size_t i : order) {
      if (places[i].begin != end)
        fail(Errc::CorruptData, "{}: tensor {}: begins at byte {}, expected {} ({})", source,
             printable(tensors[i].name), places[i].begin, end,
             places[i].begin < end ? "tensors overlap" : "a gap before it");
      end = places[i].end;
      index[tensors[i].name] = sorted.size();
      sorted.push_back(std::move(tensors[i]));
      sorted_places.push_back(places[i]);
    }
    if (end != data.size())
      fail(Errc::CorruptData, "{}: {} bytes after the last tensor", source, data.size() - end);
    tensors = std::move(sorted);
    places = std::move(sorted_places);
  }
};

TensorFile::TensorFile(const fs::path& path) {
  auto impl = std::make_shared<Impl>();
  impl->file = std::make_shared<const MappedFile>(path);
  impl->source = path.string();
  impl->read(impl->file->bytes());
  impl_ = std::move(impl);
}

TensorFile::TensorFile(std::shared_ptr<const MappedFile> file, std::size_t offset, std::size_t size,
                       std::string source) {
  auto impl = std::make_shared<Impl>();
  impl->file = std::move(file);
  impl->source = std::move(source);
  const std::size_t whole = impl->file->bytes().size();
  if (offset > whole || size > whole - offset)
    fail(Errc::CorruptData, "{}: ends after its file", impl->source);
  impl->read(impl->file->bytes().subspan(offset, size));
  impl_ = std::move(impl);
}

TensorFile::TensorFile(std::span<const std::byte> bytes, std::string source) {
  auto impl = std::make_shared<Impl>();
  impl->source = std::move(source);
  impl->read(bytes);
  impl_ = std::move(impl);
}

const std::vector<TensorInfo>& TensorFile::tensors() const noexcept { return impl_->tensors; }
const std::map<std::string, std::string>& TensorFile::metadata() const noexcept {
  return impl_->metadata;
}
bool TensorFile::contains(std::string_view name) const noexcept {
  return impl_->index.find(name) != impl_->index.end();
}
const std::string& TensorFile::source() const noexcept { return impl_->source; }

Tensor TensorFile::tensor(std::string_view name) const {
  const auto found = impl_->index.find(name);
  if (found == impl_->index.end())
    fail(Errc::NotFound, "{}: no tensor is called {}", impl_->source, printable(name));
  const TensorInfo& info = impl_->tensors[found->second];
  const Place& place = impl_->places[found->second];
  const auto bytes = impl_->data.subspan(place.begin, place.end - place.begin);
  if (bytes.empty()) return Tensor(info.type, info.shape);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size_in_bytes(info.type) != 0) {
    Tensor copy(info.type, info.shape);
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
  }
  // A Buffer's bytes can be written by its type; the mapping's pages would refuse.
  const Buffer view(const_cast<std::byte*>(bytes.data()), bytes.size(),
                    std::const_pointer_cast<Impl>(impl_));
  return Tensor(view, 0, info.type, info.shape, row_major(info.shape));
}

TensorSet TensorFile::all() const {
  TensorSet set;
  for (const TensorInfo& info : tensors()) set.emplace(info.name, tensor(info.name));
  return set;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string list;
  for (const std::int64_t extent : shape)
    list += (list.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + list + "]";
}

// ------------------------------------------------------------------------------------- writing

struct TensorFileWriter::Impl {
  AtomicFile file;
  std::vector<TensorInfo> tensors;
  std::vector<std::uint64_t> offsets;  ///< in the file; one more than there are tensors
  std::vector<std::atomic<bool>> given;

  Impl(const fs::path& path, std::vector<TensorInfo> all)
      : file(path), tensors(std::move(all)), given(tensors.size()) {}
};

TensorFileWriter::TensorFileWriter(const fs::path& path, std::vector<TensorInfo> tensors,
                                   const std::map<std::string, std::string>& metadata)
    : impl_(std::make_unique<Impl>(path, std::move(tensors))) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t end = 0;
  std::vector<std::uint64_t> ends{0};
  for (const TensorInfo& info : impl_->tensors) {
    if (header.contains(info.name))
      fail(Errc::InvalidArgument, "{}: two tensors are called {}", path.string(),
           printable(info.name));
    const std::uint64_t begin = end;
    end += bytes_of(info);
    ends.push_back(end);
    header[info.name] = {
        {"dtype", format_name(info.type)}, {"shape", info.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data begin aligned, as the format advises
  if (text.size() > kLongestHeader)
    fail(Errc::Unsupported, "{}: {} tensors make a header of {} bytes; the format allows {}",
         path.string(), impl_->tensors.size(), text.size(), kLongestHeader);
  const auto length = static_cast<std::uint64_t>(text.size());
  impl_->file.write(std::as_bytes(std::span(&length, 1)));
  impl_->file.write(text);
  for (const std::uint64_t place : ends) impl_->offsets.push_back(8 + length + place);
}

TensorFileWriter::~TensorFileWriter() = default;
TensorFileWriter::TensorFileWriter(TensorFileWriter&&) noexcept = default;
TensorFileWriter& TensorFileWriter::operator=(TensorFileWriter&&) noexcept = default;

void TensorFileWriter::put(std::size_t index, std::span<const std::byte> bytes) {
  const std::uint64_t begin = impl_->offsets.at(index), end = impl_->offsets.at(index + 1);
  if (bytes.size() != end - begin)
    fail(Errc::InvalidArgument, "tensor {}: expected {} bytes, found {}",
         impl_->tensors[index].name, end - begin, bytes.size());
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::pwrite(impl_->file.descriptor(), bytes.data() + done,
                                   bytes.size() - done, static_cast<off_t>(begin + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system(errno, "write", impl_->file.path().string());
    done += static_cast<std::size_t>(count);
  }
  impl_->given[index] = true;
}

void TensorFileWriter::commit() {
  for (std::size_t i = 0; i < impl_->tensors.size(); ++i) {
    if (!impl_->given[i])
      fail(Errc::Internal, "tensor {} was never written", impl_->tensors[i].name);
  }
  impl_->file.commit();
}

void write_tensor_file(const fs::path& path, const TensorSet& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorInfo> infos;
  for (const auto& [name, tensor] : tensors) infos.push_back({name, tensor.type(), tensor.shape()});
  TensorFileWriter writer(path, std::move(infos), metadata);
  std::size_t index = 0;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_contiguous())
      fail(Errc::InvalidArgument, "tensor {} is not contiguous and cannot be written", name);
    const auto size =
        static_cast<std::size_t>(tensor.element_count()) * size_in_bytes(tensor.type());
    writer.put(index++, {tensor.data(), size});
  }
  writer.commit();
}

// ---------------------------------------------------------------------------------- conversion

namespace {

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16, exponent = (half >> 10) & 31U;
  const std::uint32_t fraction = half & 0x3ffU;
  if (exponent == 0) {  // zero and subnormal: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t bits =
      sign | (exponent == 31 ? 0x7f800000U : (exponent + 112) << 23) | (fraction << 13);
  return std::bit_cast<float>(bits);
}

template <typename From, typename Convert>
void convert_all(const Tensor& from, const Tensor& to, const Convert& convert) {
  std::ranges::transform(from.values<From>(), to.values<float>().begin(), convert);
}

template <typename From>
void convert_numbers(const Tensor& from, const Tensor& to) {
  convert_all<From>(from, to, [](From value) { return static_cast<float>(value); });
}

Tensor contiguous(const Tensor& tensor) {
  Tensor copy(tensor.type(), tensor.shape());
  const std::size_t size = size_in_bytes(tensor.type());
  std::vector<std::int64_t> place(tensor.shape().size(), 0);
  for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < place.size(); ++axis)
      offset += place[axis] * tensor.strides()[axis];
    std::memcpy(copy.data() + static_cast<std::size_t>(i) * size,
                tensor.data() + offset * static_cast<std::int64_t>(size), size);
    for (std::size_t axis = place.size(); axis-- > 0;) {
      if (++place[axis] < tensor.shape()[axis]) break;
      place[axis] = 0;
    }
  }
  return copy;
}

}  // namespace

Tensor to_float32(const Tensor& tensor) {
  if (!tensor.is_contiguous()) return to_float32(contiguous(tensor));
  if (tensor.type() == DType::F32) return tensor;
  Tensor result(DType::F32, tensor.shape());
  switch (tensor.type()) {
    case DType::F16:
      convert_all<std::uint16_t>(tensor, result, half_to_float);
      break;
    case DType::BF16:
      convert_all<std::uint16_t>(tensor, result, [](std::uint16_t v) {
        return std::bit_cast<float>(std::uint32_t{v} << 16);
      });
      break;
    case DType::F64:
      convert_numbers<double>(tensor, result);
      break;
    case DType::I64:
      convert_numbers<std::int64_t>(tensor, result);
      break;
    case DType::I32:
      convert_numbers<std::int32_t>(tensor, result);
      break;
    case DType::I16:
      convert_numbers<std::int16_t>(tensor, result);
      break;
    case DType::I8:
      convert_numbers<std::int8_t>(tensor, result);
      break;
    case DType::U8:
      convert_numbers<std::uint8_t>(tensor, result);
      break;
    default:
      fail(Errc::Unsupported, "a tensor of type {} cannot be converted to f32",
           name(tensor.type()));
  }
  return result;
}

Tensor to_bfloat16(const Tensor& tensor) {
  const Tensor floats = to_float32(tensor);
  Tensor result(DType::BF16, tensor.shape());
  std::ranges::transform(
      floats.values<float>(), result.values<std::uint16_t>().begin(), [](float value) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16U | 0x40U);
        return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U);
      });
  return result;
}

}  // namespace aceso::nn
