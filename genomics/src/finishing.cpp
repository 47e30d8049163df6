#include "finishing.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace aceso::genomics {
namespace {

void recalibrate(const PackedRecord& record, const Recalibration& recalibration,
                 std::byte* qualities) {
  const RecordBases bases(record);
  for (std::uint32_t i = 0; i < bases.size(); ++i) {
    if (bases.has_estimate(i))
      qualities[i] = static_cast<std::byte>(recalibration.quality(bases.covariates(i)));
  }
}

void add_text_tag(std::string_view tag, std::string_view text, std::string& out) {
  out += tag;
  out += 'Z';
  out += text;
  out += '\0';
}

/// Qualities as SAM writes them.
std::string quality_text(const PackedRecord& record) {
  std::string out(record.read_length, '!');
  for (std::uint32_t i = 0; i < record.read_length; ++i)
    out[i] = static_cast<char>('!' + record.qualities()[i]);
  return out;
}

}  // namespace

void append_finished(const PackedRecord& record, const Finishing& finishing,
                     const char* duplicate_kind, std::vector<std::byte>& out) {
  std::string tags;
  if (finishing.recalibration && finishing.original_qualities && record.read_length > 0)
    add_text_tag("OQ", quality_text(record), tags);
  if (duplicate_kind != nullptr) add_text_tag("DT", duplicate_kind, tags);
  PackedRecord head = record;
  head.tags_size += static_cast<std::uint32_t>(tags.size());
  const std::size_t filled = sizeof head + head.data_size();
  head.size = static_cast<std::uint32_t>((filled + 7) / 8 * 8);

  const std::size_t at = out.size();
  out.resize(at + head.size);
  std::byte* data = out.data() + at + sizeof head;
  std::memcpy(out.data() + at, &head, sizeof head);
  std::memcpy(data, record.data(), record.data_size());
  std::memcpy(data + record.data_size(), tags.data(), tags.size());
  if (finishing.recalibration)
    recalibrate(record, *finishing.recalibration, data + (record.qualities() - record.data()));
}

}  // namespace aceso::genomics
