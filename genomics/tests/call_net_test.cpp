// Pileups of calls, and the net that corrects the learnt filter.
#include "call_figures.hpp"
#include "call_net_training.hpp"
#include "calling_testing.hpp"
#include "germline_app.hpp"
#include "train_filter_app.hpp"

#include "aceso/core/random.hpp"
#include "aceso/genomics/aligner.hpp"
#include "aceso/nn/training.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <numeric>

namespace aceso::genomics {
namespace {

/// Two contigs of one line, A C G T A C G T ….
std::vector<std::uint8_t> codes_of(std::size_t size) {
  std::vector<std::uint8_t> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i % 4);
  return out;
}

/// A read of the reference above, with one quality for all bases.
void add_read(CallReads& all, std::uint32_t position, std::span<const std::uint32_t> cigar,
              bool reversed, std::uint8_t quality, std::uint8_t mapping_quality) {
  CallRead read;
  read.position = position;
  read.reversed = reversed;
  read.mapping_quality = mapping_quality;
  read.cigar = cigar;
  read.begin = all.codes.size();
  std::uint32_t at = position;
  for (const std::uint32_t packed : cigar) {
    const bool matches = cigar_op(packed) == CigarOp::Match;
    if (cigar_op(packed) == CigarOp::Deletion) at += cigar_length(packed);
    if (cigar_op(packed) == CigarOp::Deletion) continue;
    for (std::uint32_t i = 0; i < cigar_length(packed); ++i) {
      all.codes.push_back(matches ? static_cast<std::uint8_t>(at++ % 4) : 3);
      all.qualities.push_back(quality);
    }
  }
  all.reads.push_back(read);
}

TEST(CallPileup, CountsBasesAndIndelsByStrandAndSide) {
  const auto codes = codes_of(200);
  const Reference reference({{"one", 0, 200}}, codes);
  constexpr std::uint32_t kPlace = 100;
  const std::array plain{cigar(CigarOp::SoftClip, 3), cigar(CigarOp::Match, 60)};
  const std::array shorter{cigar(CigarOp::Match, 20), cigar(CigarOp::Deletion, 2),
                           cigar(CigarOp::Match, 30)};
  const std::array longer{cigar(CigarOp::Match, 20), cigar(CigarOp::Insertion, 4),
                          cigar(CigarOp::Match, 30)};
  CallReads all;
  add_read(all, 70, plain, false, 40, 60);
  add_read(all, 70, plain, true, 20, 20);
  add_read(all, 81, shorter, true, 30, 60);  // without 101 and 102
  add_read(all, 82, longer, false, 10, 40);  // more behind 101
  const std::array<std::uint32_t, 4> numbers{0, 1, 2, 3};
  // The second read does not speak clearly, and so for no alternative.
  const std::array votes{Vote{0, 9}, Vote{-1, 0}, Vote{1, 9}, Vote{2, 9}};
  const CallPileup image = pileup_of(reference, all, numbers, votes, kPlace);
  ASSERT_EQ(image.size(), kPileupBytes);
  const auto at = [&](std::size_t channel, std::uint32_t position) {
    return static_cast<int>(image[channel * kPileupPlaces + position - (kPlace - kPileupReach)]);
  };
  for (std::uint32_t p = kPlace - 16; p <= kPlace + 16; ++p) {
    for (std::uint32_t base = 0; base < 4; ++base) EXPECT_EQ(at(base, p), p % 4 == base ? 255 : 0);
    EXPECT_EQ(at(32, p), 8);  // four reads
  }
  constexpr int kOne = 64;  // 255 / 4, rounded
  const auto count = [&](std::size_t group, std::size_t what, std::uint32_t position) {
    return at(4 + 6 * group + what, position);
  };
  for (std::size_t group = 0; group < 4; ++group) EXPECT_EQ(count(group, 0, kPlace), kOne) << group;
  EXPECT_EQ(count(3, 4, 100), 0);
  EXPECT_EQ(count(3, 4, 101), kOne);
  EXPECT_EQ(count(3, 4, 102), kOne);
  EXPECT_EQ(count(3, 4, 103), 0);
  EXPECT_EQ(count(3, 3, 103), kOne);  // its bases go on behind the deletion
  EXPECT_EQ(count(2, 5, 101), kOne);
  EXPECT_EQ(count(2, 5, 100), 0);
  EXPECT_EQ(count(2, 2, 102), kOne);
  for (const std::size_t group : {0U, 1U, 3U}) EXPECT_EQ(count(group, 5, 101), 0);
  EXPECT_EQ(at(28, kPlace), 180);  // six times (40 + 20) / 2
  EXPECT_EQ(at(29, kPlace), 120);
  EXPECT_EQ(at(29, 101), 60);  // a deletion has no quality
  EXPECT_EQ(at(30, kPlace), 160);
  EXPECT_EQ(at(31, kPlace), 200);
}

TEST(CallPileup, EndsOfTheGenomeAreEmpty) {
  const auto codes = codes_of(20);
  const Reference reference({{"one", 0, 20}}, codes);
  CallReads all;
  const std::array whole{cigar(CigarOp::Match, 20)};
  add_read(all, 0, whole, false, 30, 60);
  const std::array<std::uint32_t, 1> numbers{0};
  const std::array votes{Vote{1, 9}};
  const CallPileup image = pileup_of(reference, all, numbers, votes, 2);
  for (std::size_t c = 0; c < kPileupChannels - 1; ++c) {
    for (std::size_t p = 0; p < kPileupReach - 2; ++p) EXPECT_EQ(image[c * kPileupPlaces + p], 0);
  }
  EXPECT_EQ(image[kPileupReach - 2], 255);
}

CallPileups random_pileups(std::size_t count, std::uint64_t seed) {
  Random random(seed, 0);
  CallPileups out;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t> image(kPileupBytes);
    for (std::uint8_t& byte : image) byte = static_cast<std::uint8_t>(random.below(256));
    out.add(static_cast<std::uint32_t>(i), image);
  }
  return out;
}

TEST(CallPileup, TheOtherStrandShowsTheSameReads) {
  // A palindrome of a genome: its other strand reads the same, so that of mirrored reads the image
  // is the mirror image.
  const auto codes = codes_of(200);
  const Reference reference({{"one", 0, 200}}, codes);
  const std::array before{cigar(CigarOp::Match, 20), cigar(CigarOp::Insertion, 4),
                          cigar(CigarOp::Match, 25), cigar(CigarOp::Deletion, 1),
                          cigar(CigarOp::Match, 5)};
  const std::array after{before[4], before[3], before[2], before[1], before[0]};
  CallReads forward, backward;
  constexpr std::uint32_t kSpan = 51, kBegin = 80, kPlace = 100, kMirrored = 199 - kPlace;
  add_read(forward, kBegin, before, false, 30, 60);
  add_read(backward, 200 - kBegin - kSpan, after, true, 30, 60);
  // Inserted bases are not counted; those of a mirrored read are the complements.
  const std::array<std::uint32_t, 1> numbers{0};
  const std::array votes{Vote{1, 9}};
  const CallPileup one = pileup_of(reference, forward, numbers, votes, kPlace);
  EXPECT_EQ(reversed(one), pileup_of(reference, backward, numbers, votes, kMirrored));
  EXPECT_NE(reversed(one), one);
  EXPECT_EQ(reversed(reversed(one)), one);
}

TEST(CallPileups, SurviveTheirFile) {
  const Folder folder;
  const auto path = folder.path("p.safetensors");
  const CallPileups pileups = random_pileups(7, 1);
  write_pileups(path, pileups);
  const CallPileups again = read_pileups(path);
  EXPECT_EQ(again.positions, pileups.positions);
  EXPECT_EQ(again.bytes, pileups.bytes);
  write_pileups(path, {});
  EXPECT_EQ(read_pileups(path).size(), 0U);
  nn::write_tensor_file(path, {{"pileups", Tensor(DType::U8, {2, 3})}});
  expect_error(Errc::CorruptData, {"p.safetensors", "germline"},
               [&] { static_cast<void>(read_pileups(path)); });
  nn::write_tensor_file(
      path, {{"pileups", Tensor(DType::U8, {2, 3, 33})}, {"positions", Tensor(DType::I32, {2})}},
      {{"format", "aceso pileups 1"}});
  expect_error(Errc::CorruptData, {"p.safetensors", "[2, 3, 33]"},
               [&] { static_cast<void>(read_pileups(path)); });
  // Other files: which one, what was expected and what it is.
  const auto refused = [&](const char* file, std::string_view bytes,
                           std::vector<std::string> told) {
    told.insert(told.end(), {file, "expected pileups", "--pileups"});
    const auto other = folder.write(file, bytes);
    expect_error(Errc::CorruptData, told, [&] { check_pileups(other); });
  };
  refused("text.fa", ">one\nACGT\n", {"begins with \">one\""});
  refused("calls.vcf.gz", "\x1f\x8b\x08 and more", {"found gzip or BGZF data"});
  refused("empty", "", {"found an empty file"});
  nn::write_tensor_file(path, {{"a", Tensor(DType::U8, {2})}});
  expect_error(Errc::CorruptData, {"p.safetensors", "something else"},
               [&] { check_pileups(path); });
  nn::write_tensor_file(path, {{"a", Tensor(DType::U8, {2})}}, {{"format", "aceso pileups 0"}});
  expect_error(Errc::CorruptData, {"p.safetensors", "found \"aceso pileups 0\""},
               [&] { check_pileups(path); });
}

TEST(CallNet, AnImageDoesNotDependOnTheOthers) {
  const CallNet net(nn::initial_weights(call_net_spec(), 4), NetScoring{});
  const CallPileups pileups = random_pileups(9, 2);
  const std::vector<double> together = net.corrections(pileups.bytes);
  ASSERT_EQ(together.size(), 9U);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(net.corrections(pileups.at(i)).at(0), together[i]);
  EXPECT_NE(together[0], together[1]);
  EXPECT_TRUE(net.corrections({}).empty());
}

TEST(CallNet, HasTheSizeThatIsPromised) {
  std::int64_t weights = 0;
  for (const nn::TensorInfo& info : call_net_spec().weights())
    weights +=
        std::accumulate(info.shape.begin(), info.shape.end(), std::int64_t{1}, std::multiplies{});
  EXPECT_GT(weights, 20'000);
  EXPECT_LT(weights, 60'000);
}

TEST(CallNet, TheBuiltInOneIsThereAndIsAskedInItsBandAlone) {
  const auto net = CallNet::built_in();
  const double band = net->scoring().band;
  EXPECT_TRUE(net->asks(0));
  EXPECT_TRUE(net->asks(band - 0.01));
  EXPECT_FALSE(net->asks(band + 0.01));
  EXPECT_FALSE(net->asks(-band - 0.01));
  EXPECT_TRUE(std::isfinite(net->corrections(random_pileups(1, 3).bytes).at(0)));
}

TEST(CallNet, FilesAreCheckedBeforeTheyAreUsed) {
  const Folder folder;
  const auto weights = nn::initial_weights(call_net_spec(), 4);
  CallNet::save(folder.path("net"), weights, {.band = 3, .share = 0.5, .limits = {1, 2}},
                Json::object());
  const auto net = CallNet::open(folder.path("net"));
  EXPECT_EQ(net->scoring().limits.indel, 2);
  EXPECT_EQ(net->scoring().band, 3);
  const CallPileups pileups = random_pileups(1, 5);
  EXPECT_EQ(net->corrections(pileups.bytes).at(0),
            CallNet(weights, {}).corrections(pileups.bytes).at(0) / 2);
  nn::ModelDescription other;
  other.name = "other";
  other.architecture = "convolutional";
  other.config = call_net_spec().to_json();
  const auto refused_with = [&](const std::string& told) {
    nn::ModelWriter writer(folder.path("other"));
    writer.weights(weights);
    writer.commit(other);
    expect_error(Errc::CorruptData, {"other", told},
                 [&] { static_cast<void>(CallNet::open(folder.path("other"))); });
  };
  refused_with("train-filter");
  other.config["scoring"] = {{"band", 4}, {"share", "much"}, {"snp", 1}, {"indel", 1}};
  refused_with("scoring.share");
  other.config["scoring"]["share"] = 1;
  other.config["channels"] = 32;
  refused_with("other pileups");
  other.architecture = "dmpnn";
  refused_with("dmpnn");
  expect_error(Errc::NotFound, {"none"},
               [&] { static_cast<void>(CallNet::open(folder.path("none"))); });
}

TEST(CallNetTraining, LearnsWhatTheTreesDoNotSay) {
  if (!nn::training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  // Right are those whose middle has one base more often; the trees do not know.
  constexpr std::size_t kCount = 400;
  CallPileups pileups = random_pileups(kCount, 8);
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < kCount; ++i) {
    labels.push_back(i % 2);
    for (const std::size_t channel : {5U, 17U})
      pileups.bytes[i * kPileupBytes + channel * kPileupPlaces + kPileupReach] =
          i % 2 == 0 ? 0 : 255;
  }
  const std::vector<double> log_odds(kCount, 0.0);
  std::vector<std::uint32_t> rows(300), others(100);
  std::iota(rows.begin(), rows.end(), 0);
  std::iota(others.begin(), others.end(), 300);
  const NetExamples examples{pileups, labels, log_odds};
  NetTrainingOptions options{.epochs = 30, .learning_rate = 3e-3};
  const nn::TensorSet one = train_call_net(examples, rows, options);
  options.threads = 2;
  const nn::TensorSet two = train_call_net(examples, rows, options);
  const auto images = images_of(pileups, others);
  const std::vector<double> said = CallNet(one, {}).corrections(images);
  EXPECT_EQ(said, CallNet(two, {}).corrections(images));
  std::size_t right = 0;
  for (std::size_t i = 0; i < others.size(); ++i)
    right += (said[i] > 0) == (labels[others[i]] == 1) ? 1 : 0;
  EXPECT_GT(right, 85U);
  expect_error(Errc::InvalidArgument, {"sure of all"},
               [&] { static_cast<void>(train_call_net(examples, {}, options)); });
}

/// The log odds that make a score.
double log_odds_of(double score) {
  const double wrong = std::pow(10.0, -score / 10);
  return std::log((1 - wrong) / wrong);
}

/// SCORE and NET of each line; NET is empty where the net was not asked.
std::vector<std::pair<std::string, std::string>> scores_of(const std::string& vcf) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream text(vcf);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('#')) continue;
    const auto value = [&](const std::string& name) {
      const std::size_t at = line.find(";" + name + "=");
      if (at == line.npos) return std::string();
      return line.substr(at + name.size() + 2,
                         line.find_first_of(";\t", at + 1) - at - name.size() - 2);
    };
    out.emplace_back(value("SCORE"), value("NET"));
  }
  return out;
}

TEST_F(Calling, IsCorrectedByANetOnAnyNumberOfThreads) {
  if (!nn::training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  run.options["hard_filter"] = true;
  run.outputs = {{"variants", folder.path("hard.vcf")},
                 {"pileups", folder.path("hard.safetensors")}};
  run_app(germline_app(), run);
  const CallPileups pileups = read_pileups(folder.path("hard.safetensors"));
  // Every second call is told to be wrong, for which there is no reason that trees could learn.
  std::string truth, line;
  std::vector<std::int32_t> positions;
  for (std::istringstream text(read_file(folder.path("hard.vcf"))); std::getline(text, line);) {
    if (!line.starts_with('#'))
      positions.push_back(static_cast<std::int32_t>(std::stol(line.substr(line.find('\t'))) - 1));
    if (line.starts_with('#') || positions.size() % 2 == 0) truth += line + "\n";
  }
  EXPECT_EQ(pileups.positions, positions);
  AppRun training{.inputs = {{"calls", {folder.path("hard.vcf")}},
                             {"truth", {folder.write("truth.vcf", truth)}},
                             {"pileups", {folder.path("hard.safetensors")}},
                             {"reference", run.inputs["reference"]}},
                  .outputs = {{"model", folder.path("model.json")}, {"net", folder.path("net")}},
                  .options = {{"epochs", std::int64_t{3}}, {"share", 1.0}}};
  const Json metrics = run_app(train_filter_app(), training);
  EXPECT_GT(metrics["net"]["asked"], 10U);
  EXPECT_EQ(metrics["net"]["share"], 1.0);
  run.options.erase("hard_filter");
  run.inputs["filter_model"] = {folder.path("model.json")};
  run.outputs = {{"variants", folder.path("trees.vcf")}};
  run_app(germline_app(), run);
  run.options["net"] = std::string("on");
  run.inputs["filter_net"] = {folder.path("net")};
  run.outputs = {{"variants", folder.path("one.vcf")}, {"gvcf", folder.path("one.g.vcf")}};
  run_app(germline_app(), run);
  run.threads = 4;
  run.outputs = {{"variants", folder.path("four.vcf")},
                 {"pileups", folder.path("four.safetensors")}};
  run_app(germline_app(), run);
  EXPECT_EQ(read_file(folder.path("one.vcf")), read_file(folder.path("four.vcf")));
  EXPECT_EQ(read_file(folder.path("hard.safetensors")), read_file(folder.path("four.safetensors")));
  const auto trees = scores_of(read_file(folder.path("trees.vcf")));
  const auto both = scores_of(read_file(folder.path("one.vcf")));
  ASSERT_EQ(trees.size(), both.size());
  std::size_t asked = 0;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (both[i].second.empty()) {
      EXPECT_EQ(both[i].first, trees[i].first);
      continue;
    }
    ++asked;
    const double odds = log_odds_of(std::stod(trees[i].first)) + std::stod(both[i].second);
    EXPECT_NEAR(std::stod(both[i].first), score_of_log_odds(odds), 0.06);
  }
  EXPECT_GT(asked, 0U);
  // A gVCF tells the same of each call.
  std::vector<std::pair<std::string, std::string>> told;
  for (const auto& score : scores_of(read_file(folder.path("one.g.vcf")))) {
    if (!score.first.empty()) told.push_back(score);
  }
  EXPECT_EQ(told, both);

  // What does not belong together.
  training.inputs["pileups"] = {folder.path("four.safetensors"), folder.path("four.safetensors")};
  expect_error(Errc::InvalidArgument, {"2 files of pileups", "1 of calls"},
               [&] { run_app(train_filter_app(), training); });
  CallPileups moved = pileups;
  ++moved.positions[3];
  write_pileups(folder.path("moved.safetensors"), moved);
  training.inputs["pileups"] = {folder.path("moved.safetensors")};
  expect_error(Errc::CorruptData, {"moved.safetensors", "pileup 4", "one run"},
               [&] { run_app(train_filter_app(), training); });
  training.outputs.erase("net");
  expect_error(Errc::InvalidArgument, {"no net"}, [&] { run_app(train_filter_app(), training); });
  run.inputs.erase("filter_model");
  expect_error(Errc::InvalidArgument, {"both"}, [&] { run_app(germline_app(), run); });
  run.options["net"] = std::string("off");
  expect_error(Errc::InvalidArgument, {"net is off"}, [&] { run_app(germline_app(), run); });
  run.inputs.erase("filter_net");
  run.options["net"] = std::string("on");
  run.options["hard_filter"] = true;
  expect_error(Errc::InvalidArgument, {"hard_filter"}, [&] { run_app(germline_app(), run); });
}

}  // namespace
}  // namespace aceso::genomics
