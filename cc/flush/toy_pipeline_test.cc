// A pipeline that is added as docs/development.md says: a row, a payload, an encoding, and one line that adds it to
// the list. Nothing else in the room knows of it.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "cc/config/config.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/coordinator_fixture.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_list.h"
#include "cc/flush/pipeline_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

// The row. Lines are numbered at the intake, so none may come twice.
constexpr PipelineSpec kToyPipeline = {
    .name = "toy",
    .host_prefix = "toy-intake",
    .path = "/api/v2/toys",
    .codec = {.content_type = "text/plain"},
    .retry_ambiguous = false,
    .additional_endpoints = &Config::additional_endpoints,
    .limits = {.max_batch_bytes = 2000, .max_batch_entries = 2},
    .enabled = [](const Config& config) { return config.service == "toys"; },
};

// The payload.
struct ToyLine {
  std::string text;
  size_t memory() const { return text.capacity(); }
};

// The encoding: lines, uncompressed, as many to a request as the row allows.
struct ToyEncoding {
  using Payload = ToyLine;
  static constexpr const PipelineSpec& kPipeline = kToyPipeline;
  struct Workspace {
    void Release() {}
  };

  static absl::Status Encode(absl::Span<const HeldPayload<ToyLine>> held, const FlusherOptions&, Workspace&,
                             EmitRequest emit) {
    while (!held.empty()) {
      std::vector<PayloadId> ids;
      std::string body;
      for (const HeldPayload<ToyLine>& line :
           held.first(std::min(held.size(), kPipeline.limits.max_batch_entries))) {
        ids.push_back(line.id);
        absl::StrAppend(&body, line.payload.text, "\n");
      }
      held.remove_prefix(ids.size());
      emit({.headers = HeadersOf(kPipeline.codec),
            .body = std::make_shared<const std::string>(std::move(body)),
            .payloads = std::move(ids)});
    }
    return absl::OkStatus();
  }
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions&) {
    const size_t end = body.find('\n') + 1;
    if (end == 0 || end == body.size()) return {};
    return {std::string(body.substr(0, end)), std::string(body.substr(end))};
  }
};

using ToyFlusher = PayloadFlusher<ToyEncoding>;

class ToyPipelineTest : public CoordinatorFixture {
 protected:
  void SetUp() override {
    Make("end");
    config_.service = "toys";
  }
  void AddToList() {
    const PipelineParts parts{.executor = executor_,
                              .clock = clock_,
                              .client = client_,
                              .coordinator = *coordinator_,
                              .shared = shared_,
                              .api_key = key_,
                              .config = config_,
                              .warnings = warnings_};
    const absl::Status added = list_.Add<ToyFlusher>(parts);
    ASSERT_TRUE(added.ok()) << added;
  }
  void Send(std::vector<std::string> lines) {
    for (std::string& line : lines) ASSERT_TRUE(list_.Find<ToyFlusher>()->Add({std::move(line)}).ok());
    Begin();
    Run(coordinator_->Flush(FlushReason::kEnd));
  }
  std::vector<std::string> SentBodies() const {
    std::vector<std::string> bodies;
    for (const FakeClient::Sent& sent : client_.sent()) bodies.push_back(*sent.request.body);
    return bodies;
  }
  boost::json::object Pipelines() const {
    return boost::json::parse(coordinator_->ToJson()).at("pipelines").as_object();
  }

  Config config_;
  const std::shared_ptr<ApiKeySource> key_ = std::make_shared<LiteralApiKey>("key");
  std::vector<std::string> warnings_;
  PipelineList list_;
};

TEST_F(ToyPipelineTest, LinesReachTheIntakeInBatchesOfTheRowAndAreCounted) {
  AddToList();
  Send({"one", "two", "three"});
  EXPECT_THAT(SentBodies(), ElementsAre("one\ntwo\n", "three\n"));
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(request.destination.host, "toy-intake.datadoghq.com");
  EXPECT_EQ(request.target, "/api/v2/toys");
  EXPECT_EQ(FindHeader(request.headers, "Content-Type"), "text/plain");
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), std::nullopt);
  EXPECT_EQ(FindHeader(request.headers, "DD-API-KEY"), "key");
  const boost::json::object pipelines = Pipelines();
  EXPECT_EQ(pipelines.at("toy").at("delivered").as_int64(), 3);
  EXPECT_EQ(pipelines.at("toy").at("kept").as_int64(), 0);
}

TEST_F(ToyPipelineTest, AdditionalEndpointsOfTheRowGetCopies) {
  config_.additional_endpoints = {{.url = "https://other.example", .keys = {"theirs"}},
                                  {.url = "no URL", .keys = {"unused"}}};
  AddToList();
  EXPECT_EQ(warnings_.size(), 1);
  Send({"one"});
  ASSERT_EQ(client_.sent().size(), 2);
  EXPECT_EQ(client_.sent()[1].request.destination.host, "other.example");
  EXPECT_EQ(FindHeader(client_.sent()[1].request.headers, "DD-API-KEY"), "theirs");
}

TEST_F(ToyPipelineTest, ALineThatMayHaveArrivedIsDroppedAsTheRowSays) {
  AddToList();
  AnswerAll({.result = Ambiguous()});
  Send({"one"});
  EXPECT_FALSE(client_.sent()[0].options.retry_ambiguous);
  EXPECT_EQ(Pipelines().at("toy").at("kept").as_int64(), 0);
  EXPECT_EQ(list_.Find<ToyFlusher>()->total().dropped[DropReason::kAmbiguousDropped], 1);
}

TEST_F(ToyPipelineTest, ARequestThatIsTooLargeIsSplitByTheEncoding) {
  AddToList();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = sent.request.body->size() > 5 ? Answered(413) : Accepted()};
  });
  Send({"one", "two"});
  EXPECT_THAT(SentBodies(), ElementsAre("one\ntwo\n", "one\n", "two\n"));
  EXPECT_EQ(Pipelines().at("toy").at("delivered").as_int64(), 2);
}

TEST_F(ToyPipelineTest, TheSwitchOfTheRowLeavesThePipelineOut) {
  config_.service = "others";
  AddToList();
  EXPECT_EQ(list_.Find<ToyFlusher>(), nullptr);
  EXPECT_FALSE(Pipelines().contains("toy"));
}

}  // namespace
}  // namespace thaw
