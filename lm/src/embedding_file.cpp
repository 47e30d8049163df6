#include "aceso/lm/embedding_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <hdf5.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

using Sequences = std::vector<EmbeddingFile::Sequence>;

std::string rows_name(const std::string& id) { return id + ".residues"; }

class SafetensorsFile final : public EmbeddingFile {
 public:
  SafetensorsFile(const fs::path& path, const Sequences& sequences, std::int64_t hidden,
                  bool per_residue)
      : per_residue_(per_residue), writer_(path, tensors(sequences, hidden, per_residue)) {}

  void put(std::size_t sequence, std::span<const float> mean,
           std::span<const float> rows) override {
    const std::size_t first = per_residue_ ? 2 * sequence : sequence;
    writer_.put(first, std::as_bytes(mean));
    if (per_residue_) writer_.put(first + 1, std::as_bytes(rows));
  }

  void commit() override { writer_.commit(); }

 private:
  static std::vector<nn::TensorInfo> tensors(const Sequences& sequences, std::int64_t hidden,
                                             bool per_residue) {
    std::vector<nn::TensorInfo> list;
    for (const Sequence& sequence : sequences) {
      list.push_back({sequence.id, DType::F32, {hidden}});
      if (per_residue)
        list.push_back({rows_name(sequence.id), DType::F32, {sequence.length, hidden}});
    }
    return list;
  }

  bool per_residue_;
  nn::TensorFileWriter writer_;
};

/// NumPy's format, version 1.0 (NEP 1).
class NpyFile final : public EmbeddingFile {
 public:
  NpyFile(const fs::path& path, const Sequences& sequences, std::int64_t hidden)
      : file_(path),
        hidden_(static_cast<std::size_t>(hidden)),
        values_(sequences.size() * hidden_) {
    std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                    sequences.size(), hidden);
    constexpr std::size_t kBefore = 10;
    header.resize((kBefore + header.size() + 1 + 63) / 64 * 64 - kBefore - 1, ' ');
    header.push_back('\n');
    const auto length = static_cast<std::uint16_t>(header.size());
    file_.write(std::string_view("\x93NUMPY\x01\x00", 8));
    file_.write(std::as_bytes(std::span(&length, 1)));
    file_.write(header);
  }

  void put(std::size_t sequence, std::span<const float> mean, std::span<const float>) override {
    std::ranges::copy(mean, values_.begin() + static_cast<std::ptrdiff_t>(sequence * hidden_));
  }

  void commit() override {
    file_.write(std::as_bytes(std::span(values_)));
    file_.commit();
  }

 private:
  AtomicFile file_;
  std::size_t hidden_;
  std::vector<float> values_;
};

/// An HDF5 identifier that is closed when it goes.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {
    if (id < 0) fail(Errc::Io, "HDF5 cannot make the next part of the file");
  }
  ~Handle() { close_(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  [[nodiscard]] hid_t get() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// The packaged library works on one thread at a time, so calls take turns.
class Hdf5File final : public EmbeddingFile {
 public:
  Hdf5File(const fs::path& path, Sequences sequences, std::int64_t hidden, bool per_residue)
      : folder_(path.has_parent_path() ? path.parent_path() : fs::path(".")),
        path_(path),
        part_(folder_.path() / "embeddings.h5"),
        sequences_(std::move(sequences)),
        hidden_(static_cast<hsize_t>(hidden)),
        per_residue_(per_residue) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are ours to report
    file_.emplace(H5Fcreate(part_.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  }

  void put(std::size_t sequence, std::span<const float> mean,
           std::span<const float> rows) override {
    const std::scoped_lock lock(mutex_);
    const Sequence& named = sequences_[sequence];
    write(named.id, {hidden_}, mean);
    if (per_residue_)
      write(rows_name(named.id), {static_cast<hsize_t>(named.length), hidden_}, rows);
  }

  void commit() override {
    if (H5Fflush(file_->get(), H5F_SCOPE_GLOBAL) < 0)
      fail(Errc::Io, "{}: cannot be written", path_.string());
    file_.reset();
    const FileHandle handle = open_for_reading(part_);
    AtomicFile target(path_);
    std::vector<std::byte> block(1U << 20);
    while (const std::size_t count = read_some(handle.get(), block, part_))
      target.write(std::span(block).first(count));
    target.commit();
  }

 private:
  void write(const std::string& name, const std::vector<hsize_t>& shape,
             std::span<const float> values) {
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.get(), 1);
    const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                       H5Sclose);
    const Handle set(H5Dcreate2(file_->get(), name.c_str(), H5T_IEEE_F32LE, space.get(),
                                links.get(), H5P_DEFAULT, H5P_DEFAULT),
                     H5Dclose);
    if (H5Dwrite(set.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
      fail(Errc::Io, "{}: cannot write {}", path_.string(), printable(name));
  }

  ScratchFolder folder_;
  fs::path path_, part_;
  Sequences sequences_;
  hsize_t hidden_;
  bool per_residue_;
  std::mutex mutex_;
  std::optional<Handle> file_;
};

}  // namespace

std::unique_ptr<EmbeddingFile> new_embedding_file(const fs::path& path, const Sequences& sequences,
                                                  std::int64_t hidden, bool per_residue) {
  const std::string name = to_lower(path.filename().string());
  if (name.ends_with(".safetensors"))
    return std::make_unique<SafetensorsFile>(path, sequences, hidden, per_residue);
  if (name.ends_with(".h5") || name.ends_with(".hdf5"))
    return std::make_unique<Hdf5File>(path, sequences, hidden, per_residue);
  if (!name.ends_with(".npy"))
    fail(Errc::InvalidArgument, "{}: expected a name that ends in .safetensors, .npy or .h5",
         path.string());
  if (per_residue)
    fail(Errc::InvalidArgument,
         "{}: rows per residue differ in length and do not fit one .npy array; use .safetensors "
         "or .h5",
         path.string());
  return std::make_unique<NpyFile>(path, sequences, hidden);
}

}  // namespace aceso::lm
