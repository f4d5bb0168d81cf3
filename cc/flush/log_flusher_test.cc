#include "cc/flush/log_flusher.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "cc/flush/compress.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/payload_flusher_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

LogBatch Batch(int first, int entries, size_t bytes = 1) {
  LogBatch batch;
  for (int i = first; i < first + entries; ++i) {
    batch.Begin();
    absl::StrAppend(&batch.body, R"({"message":{"message":")", i, std::string(bytes, 'x'), R"("}})");
  }
  batch.Close();
  return batch;
}

template <typename Encoding>
class LogFixture : public PayloadFlusherFixture<Encoding> {
 protected:
  // Returns the numbers of the entries of each request.
  std::vector<std::vector<int>> Sent() const {
    std::vector<std::vector<int>> requests;
    for (const FakeClient::Sent& sent : this->client_.sent()) {
      std::string body = *sent.request.body;
      if (FindHeader(sent.request.headers, "Content-Encoding") == "zstd")
        body = DecompressZstd(body, 100'000'000).value_or("");
      std::vector<int> numbers;
      const boost::json::value entries = boost::json::parse(body);
      for (const boost::json::value& entry : entries.as_array())
        numbers.push_back(std::stoi(std::string(entry.at("message").at("message").as_string())));
      requests.push_back(std::move(numbers));
    }
    return requests;
  }
};

using LogFlusherTest = LogFixture<LogEncoding>;
using WorkerLogFlusherTest = LogFixture<WorkerLogEncoding>;

TEST_F(LogFlusherTest, WithoutMemoryLinesWaitForTheNextFlush) {
  ExpectThatNoMemoryLosesNothing({Batch(1, 1, 1'500'000), Batch(2, 1, 1'500'000), Batch(3, 1, 1'500'000)});
}

TEST_F(WorkerLogFlusherTest, WithoutMemoryLinesWaitForTheNextFlush) {
  ExpectThatNoMemoryLosesNothing({Batch(1, 1, 3'000'000)});
}

TEST_F(LogFlusherTest, BatchesShareARequestWithTheHeadersOfTheAgent) {
  Make();
  Add(Batch(1, 2));
  Add(Batch(3, 1));
  EXPECT_EQ(RunFlush().delivered, 2);
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2, 3)));
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(request.target, "/api/v2/logs");
  EXPECT_EQ(FindHeader(request.headers, "Content-Type"), "application/json");
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), "zstd");
  EXPECT_EQ(FindHeader(request.headers, "DD-PROTOCOL"), "agent-json");
  EXPECT_EQ(FindHeader(request.headers, "DD-API-KEY"), "key");
}

TEST_F(LogFlusherTest, RequestsHaveAtMostAThousandEntriesAndFiveMegabytes) {
  Make();
  Add(Batch(0, 600));
  Add(Batch(1000, 400));
  Add(Batch(2000, 1));
  Add(Batch(3000, 4, 1'000'000));
  Add(Batch(4000, 4, 900'000));
  RunFlush();
  const std::vector<std::vector<int>> sent = Sent();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].size(), 1000u);
  EXPECT_THAT(sent[1], ElementsAre(2000, 3000, 3001, 3002, 3003));
  EXPECT_EQ(sent[2].size(), 4u);
}

TEST_F(LogFlusherTest, ARequestThatIsTooLargeIsHalvedBetweenEntries) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    const std::string body = DecompressZstd(*sent.request.body, 100'000).value_or("");
    return FakeClient::Scripted{.result = body.size() > 100 ? Answered(413) : Accepted()};
  });
  Add(Batch(0, 5));
  EXPECT_EQ(RunFlush().delivered, 1);
  std::vector<int> accepted;
  for (const std::vector<int>& request : Sent())
    if (request.size() < 4) accepted.insert(accepted.end(), request.begin(), request.end());
  EXPECT_THAT(accepted, testing::UnorderedElementsAre(0, 1, 2, 3, 4));
}

TEST_F(LogFlusherTest, OneEntryThatTheIntakeFindsTooLargeBlocksNothing) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    const std::string body = DecompressZstd(*sent.request.body, 10'000'000).value_or("");
    return FakeClient::Scripted{.result = body.size() > 1000 ? Answered(413) : Accepted()};
  });
  Add(Batch(1, 1, 2000));
  Add(Batch(2, 1));
  RunFlush();
  EXPECT_THAT(Sent(), testing::Contains(ElementsAre(2)));
  EXPECT_EQ(flusher_->kept_payloads(), 0);
}

TEST_F(LogFlusherTest, WithoutCompressionThereIsNoContentEncoding) {
  FlusherOptions options = DefaultFlusherOptions(LogEncoding::kPipeline);
  options.compression_level = 0;
  Make(std::move(options));
  Add(Batch(1, 1));
  RunFlush();
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1)));
  EXPECT_EQ(FindHeader(client_.sent()[0].request.headers, "Content-Encoding"), std::nullopt);
  EXPECT_EQ(FindHeader(client_.sent()[0].request.headers, "DD-PROTOCOL"), "agent-json");
}

TEST_F(WorkerLogFlusherTest, AWorkerGetsPlainJsonAtItsOwnAddress) {
  Make();
  Add(Batch(1, 2));
  RunFlush();
  EXPECT_THAT(Sent(), ElementsAre(ElementsAre(1, 2)));
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), std::nullopt);
  EXPECT_EQ(FindHeader(request.headers, "DD-PROTOCOL"), std::nullopt);
}

}  // namespace
}  // namespace thaw
