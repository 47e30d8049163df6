#include "store/store.hpp"
#include "store/library.hpp"

#include "refusal.hpp"

#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

namespace aceso::hub {
namespace {

namespace fs = std::filesystem;

struct Folders {
  ScratchFolder scratch{"/tmp"};
  fs::path database = scratch.path() / "hub.sqlite";
  fs::path blobs = scratch.path() / "blobs";
  fs::path uploads = scratch.path() / "uploads";
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

DataRecord add(Library& library, const std::string& name, std::string_view text) {
  HashedFile file = library.new_file();
  file.write(bytes_of(text));
  return library.add(std::move(file), name);
}

std::size_t files_below(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += entry.is_regular_file() ? 1U : 0U;
  return count;
}

RunRecord run_record(const std::string& id) {
  return {.id = id,
          .app = "test lines",
          .created = "2024-05-31T10:20:30Z",
          .inputs = "{}",
          .options = "{}"};
}

TEST(Store, KeepsRecordsAcrossOpenings) {
  const Folders folders;
  {
    Store store(folders.database);
    store.add_data({.sequence = 0,
                    .id = "d1",
                    .name = "a.txt",
                    .sha256 = "00",
                    .bytes = 5,
                    .created = "2024-05-31T10:20:30Z"});
  }
  Store store(folders.database);
  const auto record = store.find_data("d1");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->name, "a.txt");
  EXPECT_EQ(record->bytes, 5U);
  EXPECT_FALSE(store.find_data("d2"));
}

TEST(Store, RefusesASchemaOfANewerProgram) {
  const Folders folders;
  {
    Store store(folders.database);
  }
  {
    Database database(folders.database);
    database.execute("PRAGMA user_version=99");
  }
  try {
    Store store(folders.database);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::Unsupported);
    EXPECT_NE(std::string(error.what()).find("version 99"), std::string::npos) << error.what();
  }
}

TEST(Store, RefusesAFileThatIsNoDatabase) {
  const Folders folders;
  std::ofstream(folders.database) << std::string(5000, 'x');
  try {
    Store store(folders.database);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::CorruptData);
  }
}

TEST(Store, PagesThroughDataWithoutLossOrRepeat) {
  const Folders folders;
  Store store(folders.database);
  for (int i = 0; i < 25; ++i)
    store.add_data({.sequence = 0,
                    .id = "d" + std::to_string(i),
                    .name = i % 5 == 0 ? "five" : "other",
                    .sha256 = "00",
                    .bytes = 0,
                    .created = ""});
  std::vector<std::string> seen;
  Page page{.limit = 10};
  for (auto data = store.list_data(page, ""); !data.empty(); data = store.list_data(page, "")) {
    for (const auto& record : data) seen.push_back(record.id);
    page.before = data.back().sequence;
  }
  ASSERT_EQ(seen.size(), 25U);
  EXPECT_EQ(seen.front(), "d24");
  EXPECT_EQ(seen.back(), "d0");
  EXPECT_EQ(store.list_data(Page{}, "five").size(), 5U);
}

TEST(Store, OnlyOneOfTwoChangesOfStateWins) {
  const Folders folders;
  Store store(folders.database);
  store.add_run(run_record("r1"), {});
  EXPECT_TRUE(store.mark_running("r1", 1, "now"));
  EXPECT_FALSE(store.mark_running("r1", 1, "now"));
  EXPECT_FALSE(store.mark_cancelled_in_queue("r1", "{}", "now"));
  EXPECT_FALSE(store.remove_run("r1"));
  EXPECT_FALSE(store.mark_queued_again("r1"));
  EXPECT_TRUE(store.mark_ended("r1", RunState::Failed, "{}", "now"));
  EXPECT_FALSE(store.mark_ended("r1", RunState::Succeeded, "{}", "now"));
  EXPECT_TRUE(store.mark_queued_again("r1"));
  EXPECT_FALSE(store.mark_running("r1", 1, "now")) << "of an attempt that is over";
  EXPECT_TRUE(store.mark_running("r1", 2, "now"));
}

TEST(Store, ARunNeedsItsData) {
  const Folders folders;
  Store store(folders.database);
  EXPECT_THROW(store.add_run(run_record("r1"), {"none"}), Refusal);
  EXPECT_FALSE(store.find_run("r1")) << "nothing of it is kept";
  store.add_data(
      {.sequence = 0, .id = "d1", .name = "a", .sha256 = "00", .bytes = 0, .created = ""});
  store.add_run(run_record("r2"), {"d1"});
  EXPECT_THROW(store.remove_data("d1"), Refusal);
  EXPECT_TRUE(store.mark_cancelled_in_queue("r2", "{}", "now"));
  EXPECT_TRUE(store.remove_data("d1"));
  EXPECT_THROW(store.mark_queued_again("r2"), Refusal);
  EXPECT_EQ(store.find_run("r2")->state, RunState::Cancelled);
}

TEST(Store, SessionsEnd) {
  const Folders folders;
  Store store(folders.database);
  store.add_session("h", 100);
  EXPECT_TRUE(store.has_session("h", 99));
  EXPECT_FALSE(store.has_session("h", 100));
  EXPECT_FALSE(store.has_session("g", 1));
  store.remove_expired_sessions(100);
  EXPECT_FALSE(store.has_session("h", 1));
}

TEST(Library, KeepsEqualBytesOnceAndAsLongAsNeeded) {
  const Folders folders;
  Store store(folders.database);
  Library library(store, folders.blobs, folders.uploads);
  const DataRecord a = add(library, "a", "same"), b = add(library, "b", "same");
  EXPECT_EQ(a.sha256, sha256("same"));
  EXPECT_EQ(files_below(folders.blobs), 1U);
  EXPECT_EQ(files_below(folders.uploads), 0U);
  library.remove(a.id);
  EXPECT_EQ(read_file(library.path_of(b)), "same");
  library.remove(b.id);
  EXPECT_EQ(files_below(folders.blobs), 0U);
}

TEST(Library, RemovesWhatACrashLeft) {
  const Folders folders;
  Store store(folders.database);
  DataRecord kept;
  {
    Library library(store, folders.blobs, folders.uploads);
    kept = add(library, "a", "kept");
    fs::create_directories(folders.blobs / "ab");
    std::ofstream(folders.blobs / "ab" / "cdef") << "blob without a record";
    std::ofstream(folders.uploads / "new-1234") << "half an upload";
  }
  Library library(store, folders.blobs, folders.uploads);
  EXPECT_EQ(read_file(library.path_of(kept)), "kept");
  EXPECT_EQ(files_below(folders.blobs), 1U);
  EXPECT_EQ(files_below(folders.uploads), 0U);
}

TEST(Library, NamesAreFileNames) {
  for (const auto& name :
       std::vector<std::string>{"a", "reads 1.fastq.gz", "é", "...", std::string(200, 'x')})
    Library::check_name(name, "/name");
  for (const auto& name :
       std::vector<std::string>{"", ".", "..", "a/b", "a\\b", "a\nb", "\xff",
                                std::string("a\0b", 3), std::string(201, 'x'), "\x7f"})
    EXPECT_THROW(Library::check_name(name, "/name"), Refusal) << name;
}

TEST(Upload, PartsBecomeTheWholeWhateverIsForgottenBetween) {
  const Folders folders;
  Store store(folders.database);
  const std::string text = "0123456789";
  for (const bool forget : {false, true}) {
    auto library = std::make_unique<Library>(store, folders.blobs, folders.uploads);
    const UploadRecord upload = library->begin_upload("a.txt", text.size());
    std::optional<DataRecord> data;
    for (std::size_t at = 0; at < text.size(); at += 5) {
      UploadPart part(*library, upload.id, at, 5);
      part.write(bytes_of(text.substr(at, 5)));
      data = part.finish();
      if (at == 0) {
        EXPECT_FALSE(data);
        EXPECT_EQ(store.find_upload(upload.id)->offset, 5U);
      }
      if (forget && at == 0) break;
    }
    if (forget) {
      library =
          std::make_unique<Library>(store, folders.blobs, folders.uploads);  // as after a restart
      UploadPart part(*library, upload.id, 5, 5);
      part.write(bytes_of("56789"));
      data = part.finish();
    }
    ASSERT_TRUE(data);
    EXPECT_EQ(data->sha256, sha256(text));
    EXPECT_EQ(read_file(library->path_of(*data)), text);
    EXPECT_FALSE(store.find_upload(upload.id));
    EXPECT_EQ(files_below(folders.uploads), 0U);
  }
}

TEST(Upload, WhatCameOfABrokenPartIsKept) {
  const Folders folders;
  Store store(folders.database);
  Library library(store, folders.blobs, folders.uploads);
  const UploadRecord upload = library.begin_upload("a.txt", 10);
  {
    UploadPart part(library, upload.id, 0, 10);
    part.write(bytes_of("0123"));
  }
  EXPECT_EQ(store.find_upload(upload.id)->offset, 4U);
  UploadPart part(library, upload.id, 4, 6);
  part.write(bytes_of("456789"));
  EXPECT_EQ(part.finish()->sha256, sha256("0123456789"));
}

TEST(Upload, BytesThatWereNotAcknowledgedAreWrittenAnew) {
  const Folders folders;
  Store store(folders.database);
  auto library = std::make_unique<Library>(store, folders.blobs, folders.uploads);
  const UploadRecord upload = library->begin_upload("a.txt", 6);
  {
    UploadPart part(*library, upload.id, 0, 3);
    part.write(bytes_of("abc"));
    EXPECT_FALSE(part.finish());
  }
  std::ofstream(folders.uploads / upload.id, std::ios::app) << "garbage of a crash";
  library = std::make_unique<Library>(store, folders.blobs, folders.uploads);
  UploadPart part(*library, upload.id, 3, 3);
  part.write(bytes_of("def"));
  EXPECT_EQ(part.finish()->sha256, sha256("abcdef"));
}

TEST(Upload, OnePartAtATimeAtTheRightPlace) {
  const Folders folders;
  Store store(folders.database);
  Library library(store, folders.blobs, folders.uploads);
  const UploadRecord upload = library.begin_upload("a.txt", 10);
  const auto status_of = [&](std::uint64_t offset, std::uint64_t bytes) {
    try {
      const UploadPart part(library, upload.id, offset, bytes);
    } catch (const Refusal& refusal) {
      return refusal.status();
    }
    return 200;
  };
  EXPECT_EQ(status_of(3, 1), 409);
  EXPECT_EQ(status_of(0, 11), 413);
  {
    const UploadPart first(library, upload.id, 0, 10);
    EXPECT_EQ(status_of(0, 10), 409);
    EXPECT_THROW(library.remove_upload(upload.id), Refusal);
  }
  EXPECT_EQ(status_of(0, 10), 200);
  library.remove_upload(upload.id);
  EXPECT_THROW(UploadPart(library, upload.id, 0, 1), Error);
  EXPECT_EQ(files_below(folders.uploads), 0U);
}

}  // namespace
}  // namespace aceso::hub
