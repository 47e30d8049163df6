#include "aceso/core/error.hpp"
#include "aceso/molecules/similarity.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kWords = std::tuple_size_v<BitFingerprint>;

Tensor checked(const nn::TensorFile& file, const char* name, DType type, std::size_t rank) {
  if (!file.contains(name))
    fail(Errc::CorruptData, "{}: expected fingerprints, found no tensor \"{}\"", file.source(),
         name);
  Tensor tensor = file.tensor(name);
  if (tensor.type() != type || tensor.shape().size() != rank)
    fail(Errc::CorruptData, "{}: {}: expected {} of {} dimensions, found {} {}", file.source(),
         name, aceso::name(type), rank, aceso::name(tensor.type()), nn::shape_text(tensor.shape()));
  return tensor;
}

/// `ends` must rise from 0 to the size of the text.
void check_ends(const nn::TensorFile& file, const char* name, const Tensor& bytes,
                const Tensor& ends, std::size_t count) {
  const auto values = ends.values<const std::int64_t>();
  const auto size = static_cast<std::int64_t>(bytes.values<const std::uint8_t>().size());
  if (values.size() != count || !std::ranges::is_sorted(values) ||
      (count > 0 && (values.front() < 0 || values.back() > size)))
    fail(Errc::CorruptData, "{}: {}: expected {} rising ends within {} bytes", file.source(), name,
         count, size);
}

struct Texts {
  Tensor bytes, ends;
  explicit Texts(const std::vector<std::string>& list) {
    std::size_t size = 0;
    for (const std::string& one : list) size += one.size();
    bytes = Tensor(DType::U8, {static_cast<std::int64_t>(size)});
    ends = Tensor(DType::I64, {static_cast<std::int64_t>(list.size())});
    std::size_t at = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::ranges::copy(list[i],
                        bytes.values<std::uint8_t>().begin() + static_cast<std::ptrdiff_t>(at));
      at += list[i].size();
      ends.values<std::int64_t>()[i] = static_cast<std::int64_t>(at);
    }
  }
};

}  // namespace

FingerprintFile::FingerprintFile(const fs::path& path)
    : file_(path),
      bit_words_(checked(file_, "bits", DType::U64, 2)),
      ids_(checked(file_, "ids", DType::U8, 1)),
      id_ends_(checked(file_, "ids.ends", DType::I64, 1)),
      smiles_(checked(file_, "smiles", DType::U8, 1)),
      smiles_ends_(checked(file_, "smiles.ends", DType::I64, 1)) {
  if (bit_words_.shape()[1] != static_cast<std::int64_t>(kWords))
    fail(Errc::CorruptData, "{}: bits: expected {} words a molecule, found {}", file_.source(),
         kWords, bit_words_.shape()[1]);
  const auto words = bit_words_.values<const std::uint64_t>();
  const auto count = static_cast<std::size_t>(bit_words_.shape()[0]);
  // An array of words has the layout of the words.
  bits_ = {reinterpret_cast<const BitFingerprint*>(words.data()), count};
  check_ends(file_, "ids.ends", ids_, id_ends_, count);
  check_ends(file_, "smiles.ends", smiles_, smiles_ends_, count);
}

std::string_view FingerprintFile::text(const Tensor& bytes, const Tensor& ends, std::size_t index) {
  const auto values = ends.values<const std::int64_t>();
  const auto begin = index == 0 ? 0 : static_cast<std::size_t>(values[index - 1]);
  const auto* text = reinterpret_cast<const char*>(bytes.values<const std::uint8_t>().data());
  return {text + begin, static_cast<std::size_t>(values[index]) - begin};
}

void FingerprintFile::write(const fs::path& path, std::span<const BitFingerprint> bits,
                            const std::vector<std::string>& ids,
                            const std::vector<std::string>& smiles) {
  const Texts id_texts(ids), smiles_texts(smiles);
  Tensor words(DType::U64,
               {static_cast<std::int64_t>(bits.size()), static_cast<std::int64_t>(kWords)});
  if (!bits.empty())
    std::memcpy(words.values<std::uint64_t>().data(), bits.data(), bits.size_bytes());
  const std::vector<std::pair<std::string, Tensor>> tensors{{"bits", words},
                                                            {"ids", id_texts.bytes},
                                                            {"ids.ends", id_texts.ends},
                                                            {"smiles", smiles_texts.bytes},
                                                            {"smiles.ends", smiles_texts.ends}};
  std::vector<nn::TensorInfo> infos;
  for (const auto& [name, tensor] : tensors) infos.push_back({name, tensor.type(), tensor.shape()});
  nn::TensorFileWriter writer(path, infos, {{"fingerprint", "ecfp4, 2048 bits"}});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i].second;
    const auto size =
        static_cast<std::size_t>(tensor.element_count()) * size_in_bytes(tensor.type());
    writer.put(i, {tensor.data(), size});
  }
  writer.commit();
}

}  // namespace aceso::molecules
