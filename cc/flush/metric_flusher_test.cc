#include "cc/flush/metric_flusher.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/seeded_random.h"
#include "cc/flush/compress.h"
#include "cc/flush/drop_reason.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/payload_flusher_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

// A batch of fields, each of which is a number and `filling`.
MetricBatch Batch(int first, int fields, std::string_view filling = "") {
  MetricBatch batch;
  for (int i = first; i < first + fields; ++i) {
    batch.fields.String(1, absl::StrCat(i, " ", filling));
    ++batch.points;
  }
  return batch;
}

std::string Noise(size_t bytes) {
  SeededRandom random(bytes);
  std::string noise;
  while (noise.size() < bytes) noise.push_back(static_cast<char>(random.Next()));
  return noise;
}

template <typename Encoding>
class MetricFixture : public PayloadFlusherFixture<Encoding> {
 protected:
  // Returns the numbers of the fields of each request.
  std::vector<std::vector<int>> Sent() const {
    std::vector<std::vector<int>> requests;
    for (const FakeClient::Sent& sent : this->client_.sent()) {
      const std::string body = DecompressZstd(*sent.request.body, 100'000'000).value_or("");
      std::vector<int> numbers;
      ProtobufReader reader(body);
      while (reader.Next()) numbers.push_back(std::stoi(std::string(reader.bytes())));
      EXPECT_TRUE(reader.ok());
      requests.push_back(std::move(numbers));
    }
    return requests;
  }
};

using SeriesFlusherTest = MetricFixture<SeriesEncoding>;
using SketchFlusherTest = MetricFixture<SketchEncoding>;
using MetricReportFlusherTest = MetricFixture<MetricReportEncoding>;

TEST_F(SeriesFlusherTest, BatchesShareARequestOfOneZstdFrame) {
  Make();
  Add(Batch(1, 2));
  Add(Batch(3, 1));
  EXPECT_EQ(RunFlush().delivered, 2);
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2, 3)));
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(request.target, "/api/v2/series");
  EXPECT_EQ(FindHeader(request.headers, "Content-Type"), "application/x-protobuf");
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), "zstd");
  EXPECT_EQ(FindHeader(request.headers, "DD-API-KEY"), "key");
}

TEST_F(SeriesFlusherTest, WithoutMemoryMetricsWaitForTheNextFlush) {
  std::vector<MetricBatch> batches;
  for (int i = 0; i < 3; ++i) batches.push_back(Batch(i, 3, std::string(500'000, 'x')));
  ExpectThatNoMemoryLosesNothing(std::move(batches));
}

TEST_F(SketchFlusherTest, SketchesHaveAPathOfTheirOwn) {
  Make();
  Add(Batch(1, 1));
  EXPECT_EQ(RunFlush().delivered, 1);
  EXPECT_EQ(client_.sent()[0].request.target, "/api/beta/sketches");
}

TEST_F(MetricReportFlusherTest, SeriesAndSketchesOfAReportGoToTheirPaths) {
  Make();
  Add({.series = Batch(1, 2), .sketches = Batch(3, 1)});
  Add({.series = Batch(4, 1)});
  Add({});
  EXPECT_EQ(RunFlush().delivered, 2);
  EXPECT_EQ(flusher_->total().delivered, 3) << "a report without metrics needs no request";
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2, 4), ElementsAre(3)));
  EXPECT_EQ(client_.sent()[0].request.target, "/api/v2/series");
  EXPECT_EQ(client_.sent()[1].request.target, "/api/beta/sketches");
}

TEST_F(MetricReportFlusherTest, AReportThatOnePathRefusesForNowStaysAndItsOtherPartIsNotSentAgain) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    const bool sketches = sent.request.target == "/api/beta/sketches";
    return FakeClient::Scripted{.result = sketches ? Answered(503) : Accepted()};
  });
  Add({.series = Batch(1, 1), .sketches = Batch(2, 1)});
  EXPECT_EQ(RunFlush().retained, 1);
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(RunFlush().delivered, 1);
  int series = 0;
  for (const FakeClient::Sent& sent : client_.sent())
    series += sent.request.target == "/api/v2/series" ? 1 : 0;
  EXPECT_EQ(series, 1);
  EXPECT_EQ(client_.sent().back().request.target, "/api/beta/sketches");
}

TEST_F(MetricReportFlusherTest, AHalfOfARequestThatIsTooLargeKeepsItsPath) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    const std::string body = DecompressZstd(*sent.request.body, 1'000'000).value_or("");
    return FakeClient::Scripted{.result = body.size() > 20 ? Answered(413) : Accepted()};
  });
  Add({.sketches = Batch(1, 2, std::string(15, 'x'))});
  EXPECT_EQ(RunFlush().delivered, 1);
  for (const FakeClient::Sent& sent : client_.sent()) EXPECT_EQ(sent.request.target, "/api/beta/sketches");
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2), ElementsAre(1), ElementsAre(2)));
}

TEST_F(SeriesFlusherTest, RequestsAreSplitByBytesBeforeCompression) {
  Make();
  Add(Batch(1, 2, std::string(2'000'000, 'x')));
  Add(Batch(3, 1, std::string(2'000'000, 'x')));
  Add(Batch(4, 4, std::string(2'000'000, 'x')));
  EXPECT_EQ(RunFlush().delivered, 3);
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2), ElementsAre(3), ElementsAre(4, 5), ElementsAre(6, 7)));
}

TEST_F(SeriesFlusherTest, RequestsAreSplitByBytesAfterCompression) {
  Make();
  const std::string noise = Noise(200'000);
  Add(Batch(1, 5, noise));
  EXPECT_EQ(RunFlush().delivered, 1);
  std::vector<int> all;
  for (const std::vector<int>& numbers : Sent()) all.insert(all.end(), numbers.begin(), numbers.end());
  EXPECT_THAT(all, ElementsAre(1, 2, 3, 4, 5));
  for (const FakeClient::Sent& sent : client_.sent()) EXPECT_LE(sent.request.body->size(), 512'000u);
}

TEST_F(SeriesFlusherTest, ABatchThatFailsDoesNotStopTheOthers) {
  Make();
  client_.Answer(Answered(400));
  Add(Batch(1, 2, std::string(2'000'000, 'x')));
  Add(Batch(3, 2, std::string(2'000'000, 'x')));
  Add(Batch(5, 2, std::string(2'000'000, 'x')));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 2);
  EXPECT_EQ(Sent().size(), 3u);
}

TEST_F(SeriesFlusherTest, ARequestThatIsTooLargeIsHalved) {
  Make();
  client_.Answer(Answered(413));
  Add(Batch(1, 3));
  EXPECT_EQ(RunFlush().delivered, 1);
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2, 3), ElementsAre(1, 2), ElementsAre(3)));
}

// A count twice is wrong.
TEST_F(SeriesFlusherTest, ARequestThatTheIntakeMayHaveTakenIsNotSentAgain) {
  Make();
  client_.Answer(Ambiguous());
  Add(Batch(1, 1));
  EXPECT_EQ(RunFlush().dropped[DropReason::kAmbiguousDropped], 1);
  EXPECT_FALSE(client_.sent()[0].options.retry_ambiguous);
  RunFlush();
  EXPECT_EQ(client_.sent().size(), 1u);
  EXPECT_FALSE(SketchEncoding::kPipeline.retry_ambiguous);
}

TEST_F(SeriesFlusherTest, SplittingCutsBetweenFields) {
  const std::string one = *CompressZstd(Batch(1, 1, "x").fields.bytes(), 3);
  EXPECT_THAT(SeriesEncoding::Split(one, {}), testing::IsEmpty());
  EXPECT_THAT(SeriesEncoding::Split("no frame", {}), testing::IsEmpty());
}

}  // namespace
}  // namespace thaw
