// Records being written, as text. Neighbours that come unchanged from one chunk are copied at once.
#pragma once

#include "aceso/genomics/fastq.hpp"

#include <string>
#include <string_view>

namespace aceso::genomics {

class RecordSheet {
 public:
  void clear() {
    text_.clear();
    run_ = {};
  }

  /// Adds a record as it lies in its chunk, which must live until text() is called.
  void add_unchanged(const FastqRecord& record) {
    const char* begin = record.name - 1;
    if (run_.data() != nullptr && run_.data() + run_.size() == begin) {
      run_ = {run_.data(), run_.size() + record.text_size};
      return;
    }
    end_run();
    run_ = {begin, record.text_size};
  }

  void add(std::string_view name, std::string_view suffix, std::string_view bases,
           std::string_view qualities) {
    end_run();
    text_.append("@").append(name).append(suffix).append("\n");
    text_.append(bases).append("\n+\n").append(qualities).append("\n");
  }

  /// All records so far; valid until the next call that changes the sheet.
  [[nodiscard]] std::string_view text() {
    if (text_.empty()) return run_;
    end_run();
    return text_;
  }

 private:
  void end_run() {
    text_.append(run_);
    run_ = {};
  }

  std::string text_;
  std::string_view run_;
};

}  // namespace aceso::genomics
