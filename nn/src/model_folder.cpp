#include "aceso/nn/model_folder.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/convolutional.hpp"
#include "aceso/nn/message_passing.hpp"
#include "aceso/nn/recurrent.hpp"
#include "aceso/nn/transformer.hpp"
#include "model_yaml.hpp"
#include "tar.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace aceso::nn {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDescriptionFile = "model.yaml";
constexpr std::string_view kWeightsFile = "weights.safetensors";
constexpr std::string_view kCardFile = "README.md";
constexpr std::string_view kPackedEnding = ".model.tar";
constexpr std::uint64_t kLargestText = 64ULL << 20;
constexpr int kLayout = 1;  ///< of model.yaml; a reader refuses newer ones

std::string text_member(const Json& object, const char* name, const std::string& source) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string() && !found->is_number())
    fail(Errc::CorruptData, "{}: {}: expected a text", source, name);
  return found->is_string() ? found->get<std::string>() : found->dump();
}

Json object_member(const Json& object, const char* name, const std::string& source) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return Json::object();
  if (!found->is_object()) fail(Errc::CorruptData, "{}: {}: expected named values", source, name);
  return *found;
}

ModelDescription description_of(const Json& yaml, const std::string& source) {
  if (!yaml.is_object() || !yaml.contains("aceso_model"))
    fail(Errc::CorruptData, "{}: expected a model's description that begins with aceso_model: {}",
         source, kLayout);
  if (yaml["aceso_model"] != kLayout)
    fail(Errc::Unsupported, "{}: written in layout {}, this program reads layout {}", source,
         printable(yaml["aceso_model"].dump(), 20), kLayout);
  ModelDescription d;
  d.name = text_member(yaml, "name", source);
  d.version = text_member(yaml, "version", source);
  d.architecture = text_member(yaml, "architecture", source);
  if (d.architecture.empty()) fail(Errc::CorruptData, "{}: architecture is missing", source);
  d.config = object_member(yaml, "config", source);
  if (yaml.contains("tokenizer")) d.tokenizer = yaml["tokenizer"];
  d.licence = text_member(yaml, "licence", source);
  d.intended_use = text_member(yaml, "intended_use", source);
  d.training_data = text_member(yaml, "training_data", source);
  d.source = text_member(yaml, "source", source);
  d.metrics = object_member(yaml, "metrics", source);
  d.provenance = object_member(yaml, "provenance", source);
  return d;
}

Json to_json(const ModelDescription& d) {
  Json yaml{
      {"aceso_model", kLayout},           {"name", d.name},       {"version", d.version},
      {"architecture", d.architecture},   {"licence", d.licence}, {"intended_use", d.intended_use},
      {"training_data", d.training_data}, {"source", d.source},   {"metrics", d.metrics},
      {"provenance", d.provenance},       {"config", d.config}};
  if (!d.tokenizer.is_null()) yaml["tokenizer"] = d.tokenizer;
  return yaml;
}

std::string card(const ModelDescription& d) {
  const auto or_unknown = [](const std::string& text) {
    return text.empty() ? std::string("not stated") : text;
  };
  std::string text = fmt::format(
      "# {} (version {})\n\n- Architecture: {}\n- Licence: {}\n- Intended use: {}\n"
      "- Training data: {}\n- Source: {}\n",
      d.name, d.version, d.architecture, or_unknown(d.licence), or_unknown(d.intended_use),
      or_unknown(d.training_data), or_unknown(d.source));
  if (!d.metrics.empty()) text += "\n## Metrics\n\n";
  for (const auto& [name, value] : d.metrics.items())
    text += fmt::format("- {}: {}\n", name,
                        value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

}  // namespace

struct ModelFolder::Impl {
  struct File {
    std::uint64_t offset = 0, size = 0;
  };

  fs::path path;
  std::shared_ptr<const MappedFile> mapped;          ///< null: a folder, or in memory
  std::optional<std::span<const std::byte>> packed;  ///< none: a folder
  std::vector<std::pair<std::string, std::uint64_t>> list;
  std::map<std::string, File> files;
  ModelDescription description;
  Json hashes = Json::array();
  mutable std::mutex mutex;
  mutable std::optional<TensorFile> weights;

  explicit Impl(fs::path place) : path(std::move(place)) {
    if (fs::is_directory(path))
      list_folder();
    else {
      mapped = std::make_shared<const MappedFile>(path);
      packed = mapped->bytes();
      list_packed();
    }
    describe();
  }

  Impl(std::span<const std::byte> bytes, const std::string& source) : path(source), packed(bytes) {
    list_packed();
    describe();
  }

  void describe() {
    for (const auto& [name, file] : files) list.emplace_back(name, file.size);
    const std::string source = name_of(kDescriptionFile);
    const Json yaml = parse_yaml(text(std::string(kDescriptionFile)), source);
    description = description_of(yaml, source);
    if (const auto found = yaml.find("files"); found != yaml.end()) hashes = *found;
  }

  [[nodiscard]] std::string name_of(std::string_view file) const { return (path / file).string(); }

  void list_folder() {
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_regular_file(ignored))
        files[entry->path().filename().string()] = {0, entry->file_size(ignored)};
    }
    if (error) fail(Errc::Io, "{}: cannot be listed: {}", path.string(), error.message());
    if (!files.contains(std::string(kDescriptionFile)))
      fail(Errc::CorruptData, "{}: not a model: it has no {} (see aceso models import)",
           path.string(), kDescriptionFile);
  }

  void list_packed() {
    for (const TarEntry& entry : list_tar(*packed, path.string()))
      files[entry.name] = {entry.offset, entry.size};
    if (!files.contains(std::string(kDescriptionFile)))
      fail(Errc::CorruptData, "{}: not a packed model: it has no {}", path.string(),
           kDescriptionFile);
  }

  [[nodiscard]] const File& find(const std::string& file) const {
    const auto found = files.find(file);
    if (found == files.end())
      fail(Errc::NotFound, "{}: the model has no file {}", path.string(), printable(file));
    return found->second;
  }

  [[nodiscard]] std::string text(const std::string& file) const {
    const File& place = find(file);
    if (!packed) return read_file(path / file, kLargestText);
    if (place.size > kLargestText)
      fail(Errc::CorruptData, "{}: larger than {} bytes", name_of(file), kLargestText);
    const auto bytes = packed->subspan(place.offset, place.size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[nodiscard]] TensorFile open(const std::string& file) const {
    const File& place = find(file);
    if (mapped) return {mapped, place.offset, place.size, name_of(file)};
    if (packed) return {packed->subspan(place.offset, place.size), name_of(file)};
    return TensorFile(path / file);
  }

  [[nodiscard]] std::string hash(const std::string& file, const std::stop_token& stop) const {
    if (!packed) return sha256_file(path / file, stop);
    const File& place = find(file);
    Sha256 hash;
    hash.update(packed->subspan(place.offset, place.size));
    return hash.finish();
  }
};

ModelFolder::ModelFolder(const fs::path& path) : impl_(std::make_shared<const Impl>(path)) {}
ModelFolder::ModelFolder(std::span<const std::byte> packed, const std::string& source)
    : impl_(std::make_shared<const Impl>(packed, source)) {}

const ModelDescription& ModelFolder::description() const noexcept { return impl_->description; }
const fs::path& ModelFolder::path() const noexcept { return impl_->path; }
const std::vector<std::pair<std::string, std::uint64_t>>& ModelFolder::files() const noexcept {
  return impl_->list;
}
std::string ModelFolder::text(const std::string& file) const { return impl_->text(file); }
bool ModelFolder::contains(const std::string& file) const noexcept {
  return impl_->files.contains(file);
}
TensorFile ModelFolder::tensor_file(const std::string& file) const { return impl_->open(file); }

const TensorFile& ModelFolder::weights() const {
  const std::scoped_lock lock(impl_->mutex);
  if (!impl_->weights) impl_->weights.emplace(impl_->open(std::string(kWeightsFile)));
  return *impl_->weights;
}

namespace {

/// The number of elements that are NaN or infinite, of a floating-point tensor.
std::int64_t not_finite(const Tensor& tensor) {
  if (tensor.type() != DType::F32 && tensor.type() != DType::F16 && tensor.type() != DType::BF16 &&
      tensor.type() != DType::F64)
    return 0;
  const Tensor numbers = to_float32(tensor);
  return std::ranges::count_if(numbers.values<float>(), [](float v) { return !std::isfinite(v); });
}

void check_tensors(const TensorFile& file, const std::string& name, const std::stop_token& stop,
                   std::vector<ModelProblem>& problems) {
  for (const TensorInfo& info : file.tensors()) {
    if (stop.stop_requested()) fail(Errc::Cancelled, "stopped");
    if (const std::int64_t bad = not_finite(file.tensor(info.name)); bad > 0)
      problems.push_back({name, fmt::format("tensor {}: {} values are NaN or infinite",
                                            printable(info.name), bad)});
  }
}

/// What the architecture asks for; nothing for one that is not known here.
std::vector<TensorInfo> expected_weights(const ModelFolder& model) {
  const ModelDescription& description = model.description();
  const std::string source = model.path().string();
  if (description.architecture == "transformer")
    return TransformerSpec::from_json(description.config, source).weights();
  if (description.architecture == "dmpnn")
    return MessagePassingSpec::from_json(description.config, source).weights();
  if (description.architecture == "lstm")
    return RecurrentSpec::from_json(description.config, source).weights();
  if (description.architecture == "convolutional")
    return ConvolutionalSpec::from_json(description.config, source).weights();
  return {};
}

void check_shapes(const ModelFolder& model, std::vector<ModelProblem>& problems) {
  const TensorFile& file = model.weights();
  for (const TensorInfo& expected : expected_weights(model)) {
    const auto found = std::ranges::find(file.tensors(), expected.name, &TensorInfo::name);
    if (found == file.tensors().end())
      problems.push_back(
          {std::string(kWeightsFile), "the tensor " + expected.name + " is missing"});
    else if (found->shape != expected.shape)
      problems.push_back({std::string(kWeightsFile),
                          fmt::format("{}: expected the shape {}, found {}", expected.name,
                                      shape_text(expected.shape), shape_text(found->shape))});
  }
}

}  // namespace

std::vector<ModelProblem> ModelFolder::verify(const std::stop_token& stop) const {
  std::vector<ModelProblem> problems;
  for (const Json& entry : impl_->hashes) {
    const std::string file = entry.is_object() ? entry.value("name", "") : "";
    const std::string expected = entry.is_object() ? entry.value("sha256", "") : "";
    if (!contains(file))
      problems.push_back({printable(file), "named in model.yaml and missing"});
    else if (const std::string found = impl_->hash(file, stop); found != expected)
      problems.push_back(
          {file, fmt::format("expected sha256 {}, found {}", printable(expected), found)});
  }
  for (const auto& [file, size] : files()) {
    if (!file.ends_with(".safetensors")) continue;
    try {
      check_tensors(tensor_file(file), file, stop, problems);
    } catch (const Error& error) {
      if (error.code() == Errc::Cancelled) throw;
      problems.push_back({file, error.what()});
    }
  }
  try {
    check_shapes(*this, problems);
  } catch (const Error& error) {
    problems.push_back({std::string(kDescriptionFile), error.what()});
  }
  return problems;
}

// ------------------------------------------------------------------------------------- writing

struct ModelWriter::Impl {
  fs::path path;
  std::optional<ScratchFolder> scratch;  ///< of a packed model
  std::optional<AtomicFolder> folder;
  std::vector<std::string> files;

  [[nodiscard]] fs::path place(const std::string& file) {
    files.push_back(file);
    return (folder ? folder->staging() : scratch->path()) / file;
  }
};

ModelWriter::ModelWriter(fs::path path) : impl_(std::make_unique<Impl>()) {
  impl_->path = std::move(path);
  std::error_code ignored;
  const fs::path& target = impl_->path;
  if (target.string().ends_with(kPackedEnding)) {
    impl_->scratch.emplace(target.has_parent_path() ? target.parent_path() : fs::path("."));
    return;
  }
  if (fs::is_directory(target, ignored) && !fs::is_empty(target, ignored) &&
      !fs::exists(target / kDescriptionFile, ignored))
    fail(Errc::InvalidArgument, "{}: a folder that is no model is there; choose another name",
         target.string());
  impl_->folder.emplace(target);
}

ModelWriter::~ModelWriter() = default;
ModelWriter::ModelWriter(ModelWriter&&) noexcept = default;
ModelWriter& ModelWriter::operator=(ModelWriter&&) noexcept = default;

void ModelWriter::weights(const TensorSet& all) { tensors(std::string(kWeightsFile), all); }

void ModelWriter::tensors(const std::string& file, const TensorSet& all) {
  write_tensor_file(impl_->place(file), all, {{"format", "pt"}});
}

void ModelWriter::text(const std::string& file, std::string_view content) {
  write_file(impl_->place(file), content);
}

void ModelWriter::commit(const ModelDescription& description) {
  text(std::string(kCardFile), card(description));
  const fs::path folder = impl_->folder ? impl_->folder->staging() : impl_->scratch->path();
  std::ranges::sort(impl_->files);
  Json yaml = to_json(description);
  Json list = Json::array();
  for (const std::string& file : impl_->files)
    list.push_back({{"name", file},
                    {"bytes", fs::file_size(folder / file)},
                    {"sha256", sha256_file(folder / file)}});
  // Last in the file and readable: one line for each.
  std::string text = to_yaml(yaml) + "files:\n";
  for (const Json& file : list) text += "  - " + file.dump() + "\n";
  write_file(folder / kDescriptionFile, text);
  if (impl_->folder) return impl_->folder->commit();
  impl_->files.insert(impl_->files.begin(), std::string(kDescriptionFile));
  write_tar(folder, impl_->files, impl_->path);
}

}  // namespace aceso::nn
