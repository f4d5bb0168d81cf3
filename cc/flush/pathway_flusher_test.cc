#include "cc/flush/pathway_flusher.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/msgpack_reader.h"
#include "cc/flush/compress.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/payload_flusher_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

class PathwayFlusherTest : public PayloadFlusherFixture<PathwayEncoding> {
 protected:
  PathwayPayload PayloadOf(std::string_view service, int checkpoints) {
    PathwayStats stats({.service = std::string(service)}, clock_);
    for (int i = 0; i < checkpoints; ++i)
      stats.Add({.hash = static_cast<uint64_t>(i), .edge_tags = {"type:sqs"}});
    PathwayPayload made;
    const absl::Status status = stats.HandOver([&made](PathwayPayload payload) {
      made = std::move(payload);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return made;
  }
  static std::string Unpacked(const FakeClient::Sent& sent) {
    return DecompressGzip(*sent.request.body, 10'000'000).value_or("");
  }
  // Returns how many intervals each request has.
  std::vector<uint32_t> Intervals() const {
    std::vector<uint32_t> counts;
    for (const FakeClient::Sent& sent : client_.sent()) {
      const std::string body = Unpacked(sent);
      MsgpackReader reader(body);
      uint32_t members = 0, count = 0;
      EXPECT_TRUE(reader.ReadMap(members));
      for (; members > 0; --members) {
        std::string_view name;
        EXPECT_TRUE(reader.ReadString(name));
        if (name == "Stats") {
          const size_t begin = reader.position();
          EXPECT_TRUE(reader.ReadArray(count));
          reader.MoveTo(begin);
        }
        EXPECT_TRUE(reader.Skip());
      }
      EXPECT_TRUE(reader.at_end());
      counts.push_back(count);
    }
    return counts;
  }
};

TEST_F(PathwayFlusherTest, PayloadsOfOneServiceShareARequest) {
  Make();
  Add(PayloadOf("shop", 1));
  Add(PayloadOf("shop", 1));
  Add(PayloadOf("other", 1));
  EXPECT_EQ(RunFlush().delivered, 3);
  EXPECT_THAT(Intervals(), ElementsAre(2, 1));
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(request.target, "/api/v0.1/pipeline_stats");
  EXPECT_EQ(FindHeader(request.headers, "Content-Type"), "application/msgpack");
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), "gzip");
  EXPECT_EQ(FindHeader(request.headers, "DD-API-KEY"), "key");
}

TEST_F(PathwayFlusherTest, ARequestThatIsTooLargeIsHalved) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = Unpacked(sent).size() > 700 ? Answered(413) : Accepted()};
  });
  Add(PayloadOf("shop", 8));
  EXPECT_EQ(RunFlush().delivered, 1);
  EXPECT_GT(client_.sent().size(), 3);
  EXPECT_EQ(flusher_->kept_payloads(), 0);
}

TEST_F(PathwayFlusherTest, ARequestThatMayHaveBeenAcceptedIsNotResent) {
  EXPECT_FALSE(PathwayEncoding::kPipeline.retry_ambiguous);
}

}  // namespace
}  // namespace thaw
