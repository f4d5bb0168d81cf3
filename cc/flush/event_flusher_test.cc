#include "cc/flush/event_flusher.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/flush/compress.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/payload_flusher_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

std::string Unpacked(const FakeClient::Sent& sent) {
  return DecompressZstd(*sent.request.body, 10'000'000).value_or("");
}

template <typename Encoding>
class StatsdFixture : public PayloadFlusherFixture<Encoding> {
 protected:
  std::vector<std::string> Sent() const {
    std::vector<std::string> bodies;
    for (const FakeClient::Sent& sent : this->client_.sent()) bodies.push_back(Unpacked(sent));
    return bodies;
  }
};

using EventFlusherTest = StatsdFixture<EventEncoding>;
using ServiceCheckFlusherTest = StatsdFixture<ServiceCheckEncoding>;

TEST_F(EventFlusherTest, EventsShareARequest) {
  Make();
  Add({.source = "api", .json = "{\"n\":1}"});
  Add({.source = "git", .json = "{\"n\":2}"});
  EXPECT_EQ(RunFlush().delivered, 2);
  EXPECT_THAT(
      Sent(),
      ElementsAre(R"({"apiKey":"","events":{"api":[{"n":1}],"git":[{"n":2}]},"internalHostname":""})"));
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(request.target, "/intake/");
  EXPECT_EQ(FindHeader(request.headers, "Content-Type"), "application/json");
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), "zstd");
  EXPECT_EQ(FindHeader(request.headers, "DD-API-KEY"), "key");
}

TEST_F(EventFlusherTest, WithoutMemoryEventsWaitForTheNextFlush) {
  const std::string text(30'000, 'x');
  ExpectThatNoMemoryLosesNothing(
      std::vector<StatsdItem>(90, {.source = "api", .json = absl::StrCat("{\"n\":\"", text, "\"}")}));
}

TEST_F(ServiceCheckFlusherTest, WithoutMemoryChecksWaitForTheNextFlush) {
  const std::string text(30'000, 'x');
  ExpectThatNoMemoryLosesNothing(
      std::vector<StatsdItem>(90, {.source = "", .json = absl::StrCat("{\"n\":\"", text, "\"}")}));
}

TEST_F(EventFlusherTest, ARequestHasAtMostAHundredEvents) {
  Make();
  for (int i = 0; i < 250; ++i) Add({.source = "api", .json = "{}"});
  EXPECT_EQ(RunFlush().delivered, 250);
  std::vector<size_t> sizes;
  for (const std::string& body : Sent()) sizes.push_back(ItemsOfBody(body).size());
  EXPECT_THAT(sizes, ElementsAre(100, 100, 50));
}

TEST_F(EventFlusherTest, ARequestThatIsTooLargeIsHalvedAndOneEventBlocksNothing) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = Unpacked(sent).size() > 200 ? Answered(413) : Accepted()};
  });
  Add({.source = "api", .json = absl::StrCat("{\"text\":\"", std::string(300, 'x'), "\"}")});
  Add({.source = "git", .json = "{\"n\":2}"});
  RunFlush();
  EXPECT_THAT(Sent(), testing::Contains(R"({"apiKey":"","events":{"git":[{"n":2}]},"internalHostname":""})"));
  EXPECT_EQ(flusher_->kept_payloads(), 0);
}

TEST_F(ServiceCheckFlusherTest, ChecksAreAnArray) {
  Make();
  Add({.json = "{\"n\":1}"});
  Add({.json = "{\"n\":2}"});
  EXPECT_EQ(RunFlush().delivered, 2);
  EXPECT_THAT(Sent(), ElementsAre(R"([{"n":1},{"n":2}])"));
  EXPECT_EQ(client_.sent()[0].request.target, "/api/v1/check_run");
}

}  // namespace
}  // namespace thaw
