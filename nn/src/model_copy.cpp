#include "aceso/nn/model_copy.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/nn/model_folder.hpp"
#include "tar.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

namespace aceso::nn {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDescriptionFile = "model.yaml";

bool is_packed(const fs::path& path) { return path.string().ends_with(".model.tar"); }

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The model's files in the order in which they are packed: the description first.
std::vector<std::string> names_of(const ModelFolder& model) {
  std::vector<std::string> names{std::string(kDescriptionFile)};
  for (const auto& [name, size] : model.files())
    if (name != kDescriptionFile) names.push_back(name);
  return names;
}

void unpack(const fs::path& from, AtomicFolder& to) {
  const MappedFile archive(from);
  for (const TarEntry& entry : list_tar(archive.bytes(), from.string()))
    write_file(to.staging() / entry.name,
               text_of(archive.bytes().subspan(entry.offset, entry.size)));
}

void copy_files(const fs::path& from, const std::vector<std::string>& names, AtomicFolder& to) {
  for (const std::string& name : names) {
    const MappedFile file(from / name);
    write_file(to.staging() / name, text_of(file.bytes()));
  }
}

}  // namespace

void copy_model(const fs::path& from, const fs::path& to) {
  const ModelFolder model(from);
  const bool packed = !fs::is_directory(from);
  if (is_packed(to)) {
    if (!packed) return write_tar(from, names_of(model), to);
    const MappedFile archive(from);
    return write_file(to, text_of(archive.bytes()));
  }
  std::error_code ignored;
  if (fs::is_directory(to, ignored) && !fs::is_empty(to, ignored) &&
      !fs::exists(to / kDescriptionFile, ignored))
    fail(Errc::InvalidArgument, "{}: a folder that is no model is there; choose another name",
         to.string());
  AtomicFolder folder(to);
  if (packed)
    unpack(from, folder);
  else
    copy_files(from, names_of(model), folder);
  folder.commit();
}

std::string model_hash(const fs::path& path) {
  return sha256(ModelFolder(path).text(std::string(kDescriptionFile)));
}

}  // namespace aceso::nn
