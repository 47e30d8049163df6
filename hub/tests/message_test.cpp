#include "http/message.hpp"
#include "http/range.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aceso::hub {
namespace {

Request request_for(std::string target) {
  Request request;
  request.target = std::move(target);
  return request;
}

int status_of_target(const std::string& target) {
  Request request = request_for(target);
  try {
    parse_target(request);
  } catch (const Refusal& refusal) {
    return refusal.status();
  }
  return 200;
}

void expect_part(const char* header, std::uint64_t size, std::uint64_t offset,
                 std::uint64_t length) {
  const Range range = parse_range(header, size);
  EXPECT_EQ(range.kind, Range::Kind::Part) << header;
  EXPECT_EQ(range.offset, offset) << header;
  EXPECT_EQ(range.length, length) << header;
}

TEST(Range, OnePartIsServed) {
  expect_part("bytes=0-0", 10, 0, 1);
  expect_part("bytes=3-", 10, 3, 7);
  expect_part("bytes=3-99", 10, 3, 7);
  expect_part("bytes=-4", 10, 6, 4);
  expect_part("bytes=-40", 10, 0, 10);
  expect_part("bytes=9-18446744073709551615", 10, 9, 1);
}

TEST(Range, BeyondTheEndIsUnsatisfiable) {
  for (const char* header : {"bytes=10-", "bytes=10-12", "bytes=-0"})
    EXPECT_EQ(parse_range(header, 10).kind, Range::Kind::Unsatisfiable) << header;
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Range::Kind::Unsatisfiable);
}

TEST(Range, WhatIsNoRangeIsIgnored) {
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-3", "items=0-1", "bytes=0-1,4-5",
        "bytes=--1", "bytes=1-2-3", "bytes=99999999999999999999-", "bytes= 1-2"}) {
    const Range range = parse_range(header, 10);
    EXPECT_EQ(range.kind, Range::Kind::Whole) << header;
    EXPECT_EQ(range.length, 10U) << header;
  }
}

TEST(Target, IsSplitBeforeItIsDecoded) {
  Request request = request_for("/v1/data/a%20b?name=x%2Fy+z&limit=5&flag");
  parse_target(request);
  EXPECT_EQ(request.segments, (std::vector<std::string>{"v1", "data", "a b"}));
  EXPECT_EQ(request.query_value("name"), "x/y z");
  EXPECT_EQ(request.query_value("limit"), "5");
  EXPECT_EQ(request.query_value("flag"), "");
}

TEST(Target, StrangeSegmentsAndEscapesAreRefused) {
  for (const char* target :
       {"/..", "/a/../b", "/%2e%2e", "/a%2Fb", "/a%00b", "/a%5cb", "/%ff", "/."})
    EXPECT_EQ(status_of_target(target), 404) << target;
  for (const char* target : {"", "a", "*", "http://x/", "/%", "/%4", "/%zz", "/a?x=%f", "/a?x=%ff"})
    EXPECT_EQ(status_of_target(target), 400) << target;
  for (const char* target : {"/", "/...", "/a..b", "/%41", "/?a=b=c"})
    EXPECT_EQ(status_of_target(target), 200) << target;
}

TEST(Percent, EncodingIsUndoneByDecoding) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decoded(percent_encoded(all), false), all);
  EXPECT_EQ(percent_decoded(percent_encoded(all), true), all);
}

TEST(Cookie, IsFoundByItsWholeName) {
  EXPECT_EQ(cookie("a=1; aceso_session=xyz; b=2", "aceso_session"), "xyz");
  EXPECT_EQ(cookie("aceso_session=xyz", "aceso_session"), "xyz");
  EXPECT_EQ(cookie("not_aceso_session=xyz", "aceso_session"), "");
  EXPECT_EQ(cookie("aceso_session2=xyz", "aceso_session"), "");
  EXPECT_EQ(cookie("", "aceso_session"), "");
  EXPECT_EQ(cookie(";;; =;aceso_session=", "aceso_session"), "");
}

TEST(ContentDisposition, CannotBeBrokenByAName) {
  EXPECT_EQ(content_disposition("attachment", "a b.txt"),
            "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
  const std::string sly = content_disposition("attachment", "\"\r\nSet-Cookie: x; é.html");
  EXPECT_EQ(sly.find_first_of("\r\n"), std::string::npos);
  EXPECT_EQ(std::ranges::count(sly, '"'), 2);
}

TEST(ErrorResponse, KnowsStatusMistakesAndFigures) {
  const Response response = error_response(
      Refusal(409, Errc::InvalidArgument, "not here", {{"/a", "b"}}, {{"offset", 7}}));
  EXPECT_EQ(response.status, 409);
  const Json body = Json::parse(response.body);
  EXPECT_EQ(body["error"]["code"], "invalid_argument");
  EXPECT_EQ(body["error"]["mistakes"][0]["pointer"], "/a");
  EXPECT_EQ(body["offset"], 7);
  EXPECT_EQ(error_response(Error(Errc::OutOfResources, "full")).status, 507);
  EXPECT_EQ(error_response(Error(Errc::NotFound, "\xff")).status, 404)
      << "bytes that are not UTF-8 do not break the answer";
}

}  // namespace
}  // namespace aceso::hub
