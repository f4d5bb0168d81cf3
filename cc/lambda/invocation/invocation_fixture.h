// Sends an invocation's parts to the assembler, and reads the spans that it makes.
//
//   class MyTest : public InvocationFixture {};
//   TEST_F(MyTest, AnInvocationHasASpan) {
//     Invoke("r1");
//     Start("r1");
//     EndOfTrace("r1");
//     PlatformEnded("r1");
//     ASSERT_EQ(spans().size(), 1);
//   }

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_FIXTURE_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_FIXTURE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/protobuf_reader.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_payload.h"
#include "gtest/gtest.h"

namespace thaw {

struct SentSpan {
  std::string name;
  std::string service;
  uint64_t trace_id = 0, span_id = 0, parent_id = 0, duration = 0;
  bool is_error = false;
  std::map<std::string, std::string> meta;
};

inline std::vector<SentSpan> SpansOf(std::string_view body) {
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(body);
  EXPECT_TRUE(payload.ok()) << payload.status();
  std::vector<SentSpan> spans;
  if (!payload.ok()) return spans;
  EXPECT_EQ(payload->counts().spans_left_out, 0);
  ProtobufReader chunks(payload->chunk_fields());
  while (chunks.Next()) {
    ProtobufReader chunk(chunks.bytes());
    while (chunk.Next()) {
      if (chunk.field() != TraceChunkField::kSpans) continue;
      SentSpan& span = spans.emplace_back();
      ProtobufReader field(chunk.bytes());
      while (field.Next()) {
        switch (field.field()) {
          case SpanField::kName:
            span.name = field.bytes();
            break;
          case SpanField::kService:
            span.service = field.bytes();
            break;
          case SpanField::kTraceId:
            span.trace_id = field.value();
            break;
          case SpanField::kSpanId:
            span.span_id = field.value();
            break;
          case SpanField::kParentId:
            span.parent_id = field.value();
            break;
          case SpanField::kDuration:
            span.duration = field.value();
            break;
          case SpanField::kError:
            span.is_error = field.value() != 0;
            break;
          case SpanField::kMeta: {
            ProtobufReader entry(field.bytes());
            std::string key, value;
            while (entry.Next()) (entry.field() == 1 ? key : value) = entry.bytes();
            span.meta.emplace(key, value);
            break;
          }
          default:
            break;
        }
      }
    }
  }
  return spans;
}

class InvocationFixture : public testing::Test {
 protected:
  struct Options {
    LifecycleOptions calls;
    AssemblerOptions assembler{.span = {.function_name = "Shop"}};
    InvocationStoreOptions store;
  };

  InvocationFixture() { Restart(Options()); }

  void Restart(Options options) {
    endpoints_.reset();
    assembler_.reset();
    store_.emplace(options.store);
    assembler_.emplace(std::move(options.assembler), *store_, clock_, [this] { return ++drawn_ + 1000; });
    endpoints_.emplace(std::move(options.calls), *assembler_);
    ForgetSpans();
  }

  LifecycleReply Call(std::string_view path, HttpHeaders headers = {}, std::string_view body = "{}",
                      std::string_view method = "POST") {
    return endpoints_->Handle({.method = method, .path = path, .headers = headers, .body = body});
  }
  LifecycleReply Start(std::string_view id, HttpHeaders headers = {}, std::string_view body = "{}") {
    if (!id.empty()) headers.emplace_back("Lambda-Runtime-Aws-Request-Id", id);
    return Call("/lambda/start-invocation", std::move(headers), body);
  }
  LifecycleReply End(std::string_view id, HttpHeaders headers = {}, std::string_view body = "{}") {
    if (!id.empty()) headers.emplace_back("lambda-runtime-aws-request-id", id);
    return Call("/lambda/end-invocation", std::move(headers), body);
  }
  // Sends the end call of a tracer that has a trace.
  LifecycleReply EndOfTrace(std::string_view id, uint64_t trace_id = 70, HttpHeaders headers = {}) {
    headers.emplace_back("x-datadog-trace-id", absl::StrCat(trace_id));
    headers.emplace_back("x-datadog-span-id", absl::StrCat(trace_id + 1));
    return End(id, std::move(headers));
  }
  void Invoke(std::string_view id) { assembler_->OnInvoke(id, {}); }
  void PlatformEnded(std::string_view id, PlatformEnd end = {}) {
    end.start = start_;
    end.duration = absl::Milliseconds(100);
    assembler_->OnEnd(id, std::move(end));
  }
  const AssemblerCounts& counts() const { return assembler_->counts(); }
  const LifecycleCounts& calls() const { return endpoints_->counts(); }

  // Takes what was queued. Returns the spans of all traces so far, in their order.
  const std::vector<SentSpan>& spans() {
    for (const OwnTrace& trace : assembler_->TakeOwnTraces()) {
      for (SentSpan& span : SpansOf(trace.body)) spans_.push_back(std::move(span));
      stats_flags_.push_back(trace.client_computed_stats);
    }
    return spans_;
  }
  // Returns of each trace whether its tracer computes stats.
  const std::vector<bool>& stats_flags() {
    spans();
    return stats_flags_;
  }
  void ForgetSpans() {
    spans();
    spans_.clear();
    stats_flags_.clear();
  }

  const absl::Time start_ = absl::FromUnixMillis(1767225600500);
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  uint64_t drawn_ = 0;
  std::optional<InvocationStore> store_;
  std::optional<InvocationAssembler> assembler_;
  std::optional<LifecycleEndpoints> endpoints_;

 private:
  std::vector<SentSpan> spans_;
  std::vector<bool> stats_flags_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_FIXTURE_H_
