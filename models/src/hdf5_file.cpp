#include "hdf5_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <hdf5.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMostBytes = 16ULL << 30;
constexpr std::size_t kMostObjects = 1'000'000, kMostTexts = 100'000, kLongestText = 64U << 20;
constexpr int kMostAxes = 8;

/// Owns an HDF5 identifier.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) noexcept : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  [[nodiscard]] hid_t get() const noexcept { return id_; }
  [[nodiscard]] bool is_open() const noexcept { return id_ >= 0; }

 private:
  hid_t id_;
  Close close_;
};

class Reader {
 public:
  explicit Reader(const fs::path& path)
      : source_(path.string()), file_(open(path)), file_bytes_(fs::file_size(path)) {}

  nn::ForeignWeights read() {
    take_attributes("/", "");
    if (H5Ovisit2(file_.get(), H5_INDEX_NAME, H5_ITER_INC, &Reader::visit, this, H5O_INFO_BASIC) <
        0)
      damaged("", "its list of objects");
    std::ranges::sort(paths_);
    for (const auto& [name, type] : paths_) {
      if (type == H5O_TYPE_GROUP) take_attributes(name, name);
      if (type == H5O_TYPE_DATASET) take_data(name);
    }
    return std::move(into_);
  }

 private:
  [[noreturn]] void damaged(const std::string& object, std::string_view what) const {
    fail(Errc::CorruptData, "{}: {}: expected {}, found damaged data", source_,
         object.empty() ? "HDF5" : printable(object), what);
  }

  [[nodiscard]] static Handle open(const fs::path& path) {
    (void)open_for_reading(path);  // says what is wrong if the system refuses
    Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!file.is_open())
      fail(Errc::CorruptData, "{}: expected an HDF5 file, found another format or a damaged one",
           path.string());
    return file;
  }

  /// Runs inside libhdf5: only notes what there is.
  static herr_t visit(hid_t, const char* name, const H5O_info_t* info, void* self) {
    auto& paths = static_cast<Reader*>(self)->paths_;
    if (paths.size() >= kMostObjects) return -1;
    try {
      if (std::string_view(name) != ".") paths.emplace_back(name, info->type);
    } catch (...) {
      return -1;
    }
    return 0;
  }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const Handle& space,
                                                   const std::string& object) const {
    const int axes = space.is_open() ? H5Sget_simple_extent_ndims(space.get()) : -1;
    if (axes < 0 || axes > kMostAxes) damaged(object, "a shape of at most 8 axes");
    std::vector<hsize_t> extents(static_cast<std::size_t>(axes));
    if (axes > 0 && H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr) < 0)
      damaged(object, "a shape");
    std::uint64_t elements = 1;
    std::vector<std::int64_t> shape;
    for (const hsize_t extent : extents) {
      if (extent > 0 && elements > kMostBytes / extent)
        fail(Errc::OutOfResources, "{}: {}: expected at most {} of numbers, found more", source_,
             printable(object), format_bytes(kMostBytes));
      elements *= extent;
      shape.push_back(static_cast<std::int64_t>(extent));
    }
    return shape;
  }

  void take_data(const std::string& name) {
    const Handle data(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!data.is_open()) damaged(name, "a data set");
    const Handle type(H5Dget_type(data.get()), H5Tclose);
    if (!type.is_open() || H5Tget_class(type.get()) != H5T_FLOAT) return;
    const Handle plan(H5Dget_create_plist(data.get()), H5Pclose);
    if (!plan.is_open()) damaged(name, "a data set");
    if (H5Pget_external_count(plan.get()) > 0 || H5Pget_layout(plan.get()) == H5D_VIRTUAL)
      fail(Errc::Unsupported, "{}: {}: expected numbers in this file, found a reference to another",
           source_, printable(name));
    const Handle space(H5Dget_space(data.get()), H5Sclose);
    const std::vector<std::int64_t> shape = shape_of(space, name);
    std::uint64_t bytes = sizeof(float);
    for (const std::int64_t extent : shape) bytes *= static_cast<std::uint64_t>(extent);
    // Deflate, the filter that is always there, makes numbers at most 1032 times smaller.
    if (bytes / 1032 > file_bytes_)
      fail(Errc::CorruptData, "{}: {}: {} of numbers are more than a file of this size can hold",
           source_, printable(name), format_bytes(bytes));
    if (bytes > kMostBytes - std::exchange(bytes_, bytes_ + bytes))
      fail(Errc::OutOfResources, "{}: expected at most {} of numbers, found more", source_,
           format_bytes(kMostBytes));
    Tensor tensor(DType::F32, shape);
    if (bytes > 0 &&
        H5Dread(data.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.data()) < 0)
      damaged(name, fmt::format("{} of numbers", format_bytes(bytes)));
    into_.tensors.emplace(name, std::move(tensor));
  }

  void take_attributes(const std::string& name, const std::string& key) {
    const Handle object(H5Oopen(file_.get(), name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.is_open()) damaged(name, "a group");
    H5O_info_t info;
    if (H5Oget_info2(object.get(), &info, H5O_INFO_NUM_ATTRS) < 0) damaged(name, "a group");
    Json values = Json::object();
    for (hsize_t i = 0; i < std::min<hsize_t>(info.num_attrs, kMostTexts); ++i) {
      const Handle attribute(H5Aopen_by_idx(object.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i,
                                            H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose);
      if (!attribute.is_open()) damaged(name, "an attribute");
      take_attribute(attribute, name, values);
    }
    into_.values[key] = std::move(values);
  }

  void take_attribute(const Handle& attribute, const std::string& object, Json& values) const {
    const Handle type(H5Aget_type(attribute.get()), H5Tclose);
    if (!type.is_open() || H5Tget_class(type.get()) != H5T_STRING) return;
    const ssize_t length = H5Aget_name(attribute.get(), 0, nullptr);
    if (length < 0 || static_cast<std::size_t>(length) > kLongestText) damaged(object, "a name");
    std::string name(static_cast<std::size_t>(length), '\0');
    H5Aget_name(attribute.get(), name.size() + 1, name.data());
    const Handle space(H5Aget_space(attribute.get()), H5Sclose);
    const std::vector<std::int64_t> shape = shape_of(space, object);
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    if (count > kMostTexts) damaged(object, "at most 100000 texts");
    const std::vector<std::string> texts = texts_of(attribute, type, space, count, object);
    if (shape.empty())
      values[printable(name)] = texts.at(0);
    else
      values[printable(name)] = texts;
  }

  [[nodiscard]] std::vector<std::string> texts_of(const Handle& attribute, const Handle& type,
                                                  const Handle& space, std::size_t count,
                                                  const std::string& object) const {
    std::vector<std::string> texts;
    const auto add = [&](std::string_view text) {
      texts.push_back(is_utf8(text) ? std::string(text) : printable(text, text.size()));
    };
    if (count == 0) return texts;
    if (H5Tis_variable_str(type.get()) > 0) {
      const Handle memory(H5Tcopy(type.get()), H5Tclose);
      std::vector<char*> pointers(count, nullptr);
      if (H5Aread(attribute.get(), memory.get(), pointers.data()) < 0) damaged(object, "texts");
      for (const char* text : pointers) add(text != nullptr ? text : "");
      H5Dvlen_reclaim(memory.get(), space.get(), H5P_DEFAULT, pointers.data());
      return texts;
    }
    const std::size_t size = H5Tget_size(type.get());
    if (size == 0 || size > kLongestText / count) damaged(object, "texts of at most 64 MB");
    std::string bytes(size * count, '\0');
    if (H5Aread(attribute.get(), type.get(), bytes.data()) < 0) damaged(object, "texts");
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view text = std::string_view(bytes).substr(i * size, size);
      add(text.substr(0, text.find('\0')));
    }
    return texts;
  }

  std::string source_;
  Handle file_;
  std::uint64_t file_bytes_;
  std::vector<std::pair<std::string, H5O_type_t>> paths_;
  std::uint64_t bytes_ = 0;
  nn::ForeignWeights into_;
};

}  // namespace

nn::ForeignWeights read_hdf5(const fs::path& path) {
  // libhdf5 is not built for several threads, and prints what goes wrong unless told not to.
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  return Reader(path).read();
}

}  // namespace aceso::models
