#include "merged_header.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

using Fields = std::vector<std::string>;

/// Calls `use` with each line that begins with a kind of three letters ("@RG") and a tab.
template <typename Use>
void for_each_line(const std::string& text, const Use& use) {
  for (std::string& line : split(text, '\n')) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.size() < 4 || line[0] != '@' || line[3] != '\t') continue;
    use(std::string_view(line).substr(0, 3), std::string_view(line));
  }
}

Fields fields_of(std::string_view line) { return split(line.substr(4), '\t'); }

std::string_view value_of(const Fields& fields, std::string_view tag) {
  for (const std::string& field : fields) {
    if (field.size() > 3 && field.starts_with(tag) && field[2] == ':')
      return std::string_view(field).substr(3);
  }
  return {};
}

void set_value(Fields& fields, std::string_view tag, std::string_view value) {
  for (std::string& field : fields) {
    if (field.starts_with(tag) && field[2] == ':') field = fmt::format("{}:{}", tag, value);
  }
}

/// A name that stands for `id` in the merged file.
std::string_view renamed(const HeaderNames::Names& names, std::string_view id) {
  const auto found = names.find(id);
  return found == names.end() ? id : std::string_view(found->second);
}

/// The lines of one kind by their ID, in their order.
class Lines {
 public:
  Lines(const HeaderText& header, std::string_view kind) {
    for_each_line(header.text, [&](std::string_view found, std::string_view line) {
      if (found == kind) add(header.file, kind, fields_of(line));
    });
  }

  std::vector<std::string> ids;
  std::map<std::string, Fields, std::less<>> by_id;

 private:
  void add(const std::string& file, std::string_view kind, Fields fields) {
    const std::string id(value_of(fields, "ID"));
    if (id.empty()) fail(Errc::CorruptData, "{}: a line {} of the header has no ID", file, kind);
    const auto [known, is_new] = by_id.emplace(id, fields);
    if (!is_new && known->second != fields)
      fail(Errc::CorruptData, "{}: the header has two lines {} with the ID {}", file, kind,
           printable(id));
    if (is_new) ids.push_back(id);
  }
};

std::string describe(const HeaderText::Contig& contig) {
  return fmt::format("{} of {} bases", printable(contig.name), contig.length);
}

}  // namespace

std::string MergedHeader::Named::unused(const std::string& id, std::size_t from) const {
  if (!used.contains(id)) return id;
  for (std::size_t n = std::max<std::size_t>(from, 2);; ++n) {
    std::string name = fmt::format("{}-{}", id, n);
    if (!used.contains(name)) return name;
  }
}

/// Returns the name of a line; adds it if there is none of its ID and content.
std::string MergedHeader::Named::add(std::string_view kind, const Fields& fields) {
  const std::string id(value_of(fields, "ID"));
  Fields content = fields;
  std::erase_if(content, [](const std::string& field) { return field.starts_with("ID:"); });
  std::ranges::sort(content);
  auto& known = versions[id];
  if (const auto found = known.find(content); found != known.end()) return found->second;
  const std::string name = unused(id, known.size() + 1);
  Fields own = fields;
  set_value(own, "ID", name);
  lines.push_back(fmt::format("{}\t{}\n", kind, join(own, "\t")));
  used.insert(name);
  known.emplace(std::move(content), name);
  return name;
}

HeaderNames MergedHeader::add(const HeaderText& header, Warnings& warnings) {
  check_contigs(header);
  HeaderNames names;
  add_programs(header, names);
  add_groups(header, names, warnings);
  add_others(header);
  any_ = true;
  return names;
}

void MergedHeader::check_contigs(const HeaderText& header) {
  if (!any_) {
    contigs_ = header.contigs;
    first_file_ = header.file;
    return;
  }
  const std::size_t common = std::min(contigs_.size(), header.contigs.size());
  for (std::size_t i = 0; i < common; ++i) {
    HeaderText::Contig& first = contigs_[i];
    const HeaderText::Contig& own = header.contigs[i];
    if (own.name != first.name || own.length != first.length)
      fail(Errc::CorruptData,
           "{}: contig {} is {}, in {} it is {}; expected the same @SQ in the same order",
           header.file, i + 1, describe(own), first_file_, describe(first));
    if (!own.md5.empty() && !first.md5.empty() && own.md5 != first.md5)
      fail(Errc::CorruptData,
           "{}: contig {} has the MD5 {}, in files before it {}; they were aligned to different "
           "references",
           header.file, printable(own.name), printable(own.md5), printable(first.md5));
    if (first.md5.empty()) first.md5 = own.md5;
  }
  if (contigs_.size() == header.contigs.size()) return;
  const bool lacks = header.contigs.size() < contigs_.size();
  fail(
      Errc::CorruptData,
      "{}: has {} contigs, {} has {}: {} has no contig {}; expected the same @SQ in the same order",
      header.file, header.contigs.size(), first_file_, contigs_.size(),
      lacks ? header.file : first_file_,
      printable((lacks ? contigs_ : header.contigs)[common].name));
}

void MergedHeader::add_groups(const HeaderText& header, HeaderNames& names, Warnings& warnings) {
  Lines lines(header, "@RG");
  for (const std::string& id : lines.ids) {
    Fields& fields = lines.by_id[id];
    set_value(fields, "PG", renamed(names.programs, value_of(fields, "PG")));
    const std::string name = groups_.add("@RG", fields);
    if (name != id) {
      ++renamed_groups_;
      warnings.add("merge.read_group_renamed",
                   fmt::format("{}: its read group {} differs from that of a file before it and is "
                               "now {}",
                               header.file, printable(id), printable(name)));
    }
    names.groups.emplace(id, name);
  }
}

/// A program needs the new name of the one in front of it first. (In a circle no one is first: what
/// closes it keeps its name.)
void MergedHeader::add_programs(const HeaderText& header, HeaderNames& names) {
  Lines lines(header, "@PG");
  std::set<std::string> waiting;
  for (const std::string& id : lines.ids) {
    std::vector<std::string> chain;
    for (std::string at = id;
         lines.by_id.contains(at) && !names.programs.contains(at) && waiting.insert(at).second;) {
      chain.push_back(at);
      at = value_of(lines.by_id[at], "PP");
    }
    for (auto member = chain.rbegin(); member != chain.rend(); ++member) {
      Fields& fields = lines.by_id[*member];
      const std::string before(renamed(names.programs, value_of(fields, "PP")));
      set_value(fields, "PP", before);
      const std::size_t known = programs_.lines.size();
      const std::string name = programs_.add("@PG", fields);
      if (programs_.lines.size() > known) program_order_.push_back(name);
      if (!before.empty()) parents_.insert(before);
      names.programs.emplace(*member, name);
    }
  }
}

void MergedHeader::add_others(const HeaderText& header) {
  for_each_line(header.text, [&](std::string_view kind, std::string_view line) {
    if (kind == "@HD" || kind == "@SQ" || kind == "@RG" || kind == "@PG") return;
    if (known_others_.emplace(line).second) others_.push_back(std::string(line) + "\n");
  });
}

std::string MergedHeader::text(std::string_view program) const {
  std::string out = "@HD\tVN:1.6\tSO:coordinate\n";
  for (const HeaderText::Contig& contig : contigs_) out += contig.line + "\n";
  for (const auto* lines : {&groups_.lines, &programs_.lines}) {
    for (const std::string& line : *lines) out += line;
  }
  Named own = programs_;
  std::size_t chains = 0;
  const auto end_chain = [&](const std::string& before) {
    const std::string id = own.unused("aceso", ++chains);
    own.used.insert(id);
    out += fmt::format("@PG\tID:{}{}\t{}\n", id, before, program);
  };
  for (const std::string& id : program_order_) {
    if (!parents_.contains(id)) end_chain("\tPP:" + id);
  }
  if (program_order_.empty()) end_chain("");
  for (const std::string& line : others_) out += line;
  return out;
}

}  // namespace aceso::genomics
