#include "annotate_line.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

/// Appends entries of a list, with a separator between them, and '.' if there is none.
class EntryList {
 public:
  EntryList(std::string& out, char separator)
      : out_(out), begin_(out.size()), separator_(separator) {}

  std::string& next() {
    if (out_.size() > begin_) out_ += separator_;
    return out_;
  }
  void finish() {
    if (out_.size() == begin_) out_ += '.';
  }

 private:
  std::string& out_;
  std::size_t begin_;
  char separator_;
};

bool separates(char letter) noexcept {
  switch (letter) {
    case '|':
    case ',':
    case ';':
    case '=':
    case '&':
    case ' ':
    case '\t':
      return true;
    default:
      return false;
  }
}

void append_info(std::string& out, std::string_view old, const std::vector<InfoUpdate>& updates) {
  EntryList list(out, ';');
  for_each_part(old, ';', [&](std::string_view entry) {
    if (entry == "." || entry.empty()) return;
    const std::string_view key = entry.substr(0, entry.find('='));
    if (std::ranges::find(updates, key, &InfoUpdate::key) == updates.end()) list.next() += entry;
  });
  for (auto u = updates.begin(); u != updates.end(); ++u) {
    if (std::find_if(u + 1, updates.end(),
                     [&](const auto& later) { return later.key == u->key; }) != updates.end())
      continue;
    list.next() += u->key;
    if (!u->flag) out.append("=").append(u->value);
  }
  list.finish();
}

}  // namespace

void LineWork::clear() {
  alleles.clear();
  updates.clear();
  ids.clear();
  pairs.clear();
  consequences.clear();
  coding.clear();
  joint.clear();
  names.clear();
  genomic_names.clear();
}

void append_safe(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  out += text;
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (separates(out[i])) out[i] = '_';
  }
}

void append_consequence(std::string& out, Effects effects, const Transcript& transcript) {
  effects.add_text(out);
  for (const std::string* text : {&transcript.gene, &transcript.id, &transcript.biotype}) {
    out += '|';
    append_safe(out, *text);
  }
  out += transcript.reverse ? "|-" : "|+";
}

void append_dna_change(std::string& out, const VcfLine& line, std::string_view alternative) {
  out += line.column(VcfColumn::Position);
  out += line.column(VcfColumn::Reference);
  out += '>';
  out += alternative;
}

void append_ids(std::string& out, std::string_view old, const std::vector<std::string>& found) {
  EntryList list(out, ';');
  if (old != "." && !old.empty()) list.next() += old;
  for (const std::string& id : found) {
    bool had = false;
    for_each_part(old, ';', [&](std::string_view one) { had |= one == id; });
    if (!had) list.next() += id;
  }
  list.finish();
}

void append_line(std::string& out, const LineWork& work) {
  const VcfLine& line = work.line;
  const std::string_view text = line.text();
  const std::string_view id = line.column(VcfColumn::Id), info = line.column(VcfColumn::Info);
  const auto place = [&](std::string_view column) {
    return static_cast<std::size_t>(column.data() - text.data());
  };
  out += text.substr(0, place(id));
  append_ids(out, id, work.ids);
  const std::size_t id_end = place(id) + id.size(), info_end = place(info) + info.size();
  out += text.substr(id_end, place(info) - id_end);
  append_info(out, info, work.updates);
  out += text.substr(info_end);
  out += '\n';
}

}  // namespace aceso::genomics
