#include "aceso/genomics/reference.hpp"

#include "fasta_lines.hpp"
#include "text_source.hpp"

#include "aceso/core/error.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>

namespace aceso::genomics {
namespace {

constexpr std::array<std::uint8_t, 256> letter_codes() {
  std::array<std::uint8_t, 256> table{};
  for (auto& code : table) code = kNoBase;
  for (const char c : std::string_view("RYKMSWBDHVNX")) {
    table[static_cast<unsigned char>(c)] = kCodeN;
    table[static_cast<unsigned char>(c | 0x20)] = kCodeN;
  }
  constexpr std::string_view kBases = "ACGTU";
  for (std::size_t i = 0; i < kBases.size(); ++i) {
    const auto code = static_cast<std::uint8_t>(std::min<std::size_t>(i, 3));
    table[static_cast<unsigned char>(kBases[i])] = code;
    table[static_cast<unsigned char>(kBases[i] | 0x20)] = code;
  }
  return table;
}

constexpr std::array<std::uint8_t, 256> kLetterCodes = letter_codes();

/// MD5 is what the SAM specification asks for (tag M5); it guards nothing here.
class Md5 {
 public:
  Md5() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_md5(), nullptr); }
  ~Md5() { EVP_MD_CTX_free(context_); }
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;

  void update(std::string_view text) { EVP_DigestUpdate(context_, text.data(), text.size()); }
  std::string finish_and_restart() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, digest.data(), &size);
    EVP_DigestInit_ex(context_, EVP_md5(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
  }

 private:
  EVP_MD_CTX* context_;
};

/// Takes the text of a FASTA file in pieces.
class FastaParser {
 public:
  explicit FastaParser(std::string file) : file_(std::move(file)) { add_gap(); }

  /// The letters to come are about so many. (More than a reference may have are none.)
  void expect(std::uint64_t letters) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (letters < kMost) codes_.reserve(codes_.size() + letters + kContigGap);
  }

  void add(std::string_view text) { lines_.add(text, *this); }

  OwnedReference finish() {
    lines_.finish(*this);
    end_contig();
    if (contigs_.empty()) fail(Errc::CorruptData, "{}: expected FASTA, found no contig", file_);
    OwnedReference out{std::move(codes_), {}};
    out.reference = Reference(std::move(contigs_), out.memory);
    return out;
  }

 private:
  friend FastaLines;

  void begin_contig(std::string_view name) {
    end_contig();
    if (name.empty())
      fail(Errc::CorruptData, "{}: contig {} has no name", file_, contigs_.size() + 1);
    if (!names_.emplace(name).second)
      fail(Errc::CorruptData, "{}: two contigs are called '{}'", file_, name);
    contigs_.push_back({std::string(name), codes_.size(), 0, {}, {}});
    open_ = true;
  }

  void take_bases(std::string_view text) {
    letters_.clear();
    for (const char c : text) {
      const std::uint8_t code = kLetterCodes[static_cast<unsigned char>(c)];
      if (code == kNoBase) {
        if (c == '\r' || c == ' ' || c == '\t') continue;
        refuse(c);
      }
      const char letter = c >= 'a' ? static_cast<char>(c - 0x20) : c;
      if (letter != base_of_code(code) && open_) note_letter(letter);
      codes_.push_back(code);
      letters_.push_back(letter);
    }
    if (letters_.empty()) return;
    if (!open_) fail(Errc::CorruptData, "{}: expected FASTA, found no '>' at its beginning", file_);
    md5_.update(letters_);
  }

  void note_letter(char letter) {
    Contig& contig = contigs_.back();
    const auto position = static_cast<std::uint32_t>(codes_.size() - contig.begin);
    std::vector<LetterRun>& runs = contig.other_letters;
    if (!runs.empty() && runs.back().letter == letter &&
        runs.back().begin + runs.back().length == position)
      ++runs.back().length;
    else
      runs.push_back({position, 1, letter});
  }

  [[noreturn]] void refuse(char letter) const {
    if (!open_) fail(Errc::CorruptData, "{}: expected FASTA, found no '>' at its beginning", file_);
    fail(Errc::CorruptData, "{}: contig {}, base {}: expected a IUPAC base letter, found {}", file_,
         contigs_.back().name, codes_.size() - contigs_.back().begin + 1,
         letter >= ' ' && letter <= '~'
             ? fmt::format("'{}'", letter)
             : fmt::format("byte {}", static_cast<unsigned char>(letter)));
  }

  void end_contig() {
    if (!open_) return;
    Contig& contig = contigs_.back();
    // htslib's positions in BAM have 31 bits, and seeds keep 32 bits of a global position.
    const std::uint64_t length = codes_.size() - contig.begin;
    if (length > std::numeric_limits<std::int32_t>::max() ||
        codes_.size() > std::numeric_limits<std::uint32_t>::max() - kContigGap)
      fail(Errc::Unsupported,
           "{}: contig {}: references of more than 4.29 billion bases, or contigs of more than 2.1 "
           "billion, are not supported",
           file_, contig.name);
    contig.length = static_cast<std::uint32_t>(length);
    contig.md5 = md5_.finish_and_restart();
    add_gap();
    open_ = false;
  }

  void add_gap() { codes_.insert(codes_.end(), kContigGap, kCodeGap); }

  std::string file_;
  std::vector<Contig> contigs_;
  std::unordered_set<std::string> names_;
  std::vector<std::uint8_t> codes_;
  FastaLines lines_;
  std::string letters_;
  Md5 md5_;
  bool open_ = false;
};

}  // namespace

std::uint8_t try_code_of_base(char letter) noexcept {
  return kLetterCodes[static_cast<unsigned char>(letter)];
}

std::uint8_t code_of_base(char letter) noexcept {
  const std::uint8_t code = try_code_of_base(letter);
  return code == kNoBase ? kCodeN : code;
}

std::string Reference::letters(std::uint32_t contig) const {
  std::string out;
  out.reserve(contigs_[contig].length);
  for (const std::uint8_t code : codes(contig)) out.push_back(base_of_code(code));
  for (const LetterRun& run : contigs_[contig].other_letters)
    std::fill_n(out.begin() + run.begin, run.length, run.letter);
  return out;
}

std::uint32_t Reference::contig_at(std::uint64_t global) const {
  const auto behind = std::ranges::upper_bound(contigs_, global, {}, &Contig::begin);
  return behind == contigs_.begin() ? 0 : static_cast<std::uint32_t>(behind - contigs_.begin() - 1);
}

Place Reference::place(std::uint64_t global) const {
  const std::uint32_t contig = contig_at(global);
  return {contig, static_cast<std::uint32_t>(global - contigs_[contig].begin)};
}

int Reference::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(contigs_, name, &Contig::name);
  return found == contigs_.end() ? -1 : static_cast<int>(found - contigs_.begin());
}

std::uint64_t Reference::base_count() const noexcept {
  std::uint64_t sum = 0;
  for (const Contig& contig : contigs_) sum += contig.length;
  return sum;
}

OwnedReference read_reference(const std::filesystem::path& fasta, const std::stop_token& stop) {
  Warnings unheard;  // a missing end marker of BGZF does not matter here: the text is what counts
  TextSource source({fasta}, unheard);
  BgzfInflater inflater;
  FastaParser parser(fasta.string());
  parser.expect(total_size({fasta}));  // (of a compressed file the least there can be)
  while (auto piece = source.next()) {
    if (stop.stop_requested()) fail(Errc::Cancelled, "{}: reading was stopped", fasta.string());
    const TextPiece text = inflate_piece(std::move(*piece), inflater, *source.file_names());
    parser.add({reinterpret_cast<const char*>(text.bytes.data()), text.size});
  }
  return parser.finish();
}

}  // namespace aceso::genomics
