#include "aceso/core/files.hpp"

#include "aceso/core/error.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace aceso {
namespace {
namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator{}));
  }

  ScratchFolder folder_{fs::temp_directory_path()};
  fs::path path_ = folder_.path() / "a.txt";
};

TEST_F(FilesTest, AFileAppearsOnlyWhenItIsCommitted) {
  AtomicFile file{path_};
  file.write("hello ");
  file.write("world");
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(file.size(), 11U);
  file.commit();
  EXPECT_EQ(read_file(path_), "hello world");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, AFolderAppearsOnlyWhenItIsCommitted) {
  const fs::path place = folder_.path() / "model";
  AtomicFolder folder{place};
  write_file(folder.staging() / "a", "1");
  EXPECT_FALSE(fs::exists(place));
  folder.commit();
  EXPECT_EQ(read_file(place / "a"), "1");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, AFolderTakesThePlaceOfAnother) {
  const fs::path place = folder_.path() / "model";
  fs::create_directory(place);
  write_file(place / "old", "1");
  {
    const AtomicFolder given_up{place};
  }
  EXPECT_TRUE(fs::exists(place / "old"));
  AtomicFolder folder{place};
  write_file(folder.staging() / "new", "2");
  folder.commit();
  EXPECT_FALSE(fs::exists(place / "old"));
  EXPECT_EQ(read_file(place / "new"), "2");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, AFolderDoesNotReplaceAFile) {
  write_file(path_, "x");
  EXPECT_THROW(AtomicFolder{path_}, Error);
}

TEST_F(FilesTest, WithoutCommitWhatWasThereStays) {
  write_file(path_, "old");
  {
    AtomicFile file{path_};
    file.write("new");
  }
  EXPECT_EQ(read_file(path_), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, ALinkIsFollowedNotReplaced) {
  write_file(path_, "old");
  fs::create_symlink("a.txt", folder_.path() / "link");
  write_file(folder_.path() / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_.path() / "link"));
  EXPECT_EQ(read_file(path_), "new");
}

TEST_F(FilesTest, DevicesAreWrittenDirectly) {
  AtomicFile file{"/dev/null"};
  file.write("gone");
  file.commit();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(FilesTest, AFullDeviceIsOutOfResources) {
  AtomicFile file{"/dev/full"};
  try {
    file.write("x");
    FAIL() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::OutOfResources);
    EXPECT_STREQ(error.what(), "/dev/full: cannot write: No space left on device");
  }
}

TEST_F(FilesTest, FoldersAndMissingFilesAreNamed) {
  const auto message_of = [](const fs::path& path) -> std::string {
    try {
      static_cast<void>(read_file(path));
    } catch (const Error& error) {
      return error.what();
    }
    return "read";
  };
  EXPECT_EQ(message_of(folder_.path()), folder_.path().string() + ": is a folder, expected a file");
  EXPECT_EQ(message_of("/nowhere/x"), "/nowhere/x: cannot open: No such file or directory");
  EXPECT_THROW(AtomicFile{folder_.path()}, Error);
  EXPECT_THROW(AtomicFile{"/nowhere/x"}, Error);
}

TEST_F(FilesTest, ALimitKeepsALargeFileOut) {
  write_file(path_, std::string(1000, 'x'));
  EXPECT_EQ(read_file(path_, 1000).size(), 1000U);
  EXPECT_THROW(static_cast<void>(read_file(path_, 999)), Error);
}

TEST_F(FilesTest, MappedBytesAreThoseOfTheFile) {
  write_file(path_, "abc");
  const MappedFile mapped{path_};
  ASSERT_EQ(mapped.bytes().size(), 3U);
  EXPECT_EQ(mapped.bytes()[2], std::byte{'c'});
  write_file(path_, "");
  EXPECT_TRUE(MappedFile{path_}.bytes().empty());
}

TEST_F(FilesTest, AScratchFolderGoesWithItsContent) {
  fs::path inside;
  {
    const ScratchFolder scratch{folder_.path()};
    inside = scratch.path();
    write_file(inside / "x", "y");
    struct stat status{};
    ASSERT_EQ(::stat(inside.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
  }
  EXPECT_FALSE(fs::exists(inside));
}

}  // namespace
}  // namespace aceso
