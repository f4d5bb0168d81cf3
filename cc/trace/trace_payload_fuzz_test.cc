// Whatever a tracer sends: it is refused with a reason, or what comes out is protobuf and can be split.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/trace/agent_payload.h"
#include "cc/trace/protobuf_reader.h"
#include "cc/trace/trace_payload.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

int64_t Spans(std::string_view body) {
  int64_t spans = 0;
  thaw::ProtobufReader agent(body);
  while (agent.Next()) {
    thaw::ProtobufReader tracer(agent.bytes());
    while (agent.field() == 5 && tracer.Next()) {
      thaw::ProtobufReader chunk(tracer.bytes());
      while (tracer.field() == 6 && chunk.Next()) spans += chunk.field() == 3;
      Check(chunk.ok());
    }
    Check(tracer.ok());
  }
  Check(agent.ok());
  return spans;
}

void Try(std::string_view body) {
  const absl::StatusOr<thaw::TracePayload> payload = thaw::TracePayload::FromMsgpack(body);
  if (!payload.ok()) {
    Check(!payload.status().message().empty());
    return;
  }
  thaw::AgentPayloadBuilder builder;
  builder.Add(*payload);
  const size_t bound = builder.size_bound();
  std::string encoded = builder.Finish();
  Check(encoded.size() <= bound);
  Check(Spans(encoded) == payload->counts().spans);
  int64_t spans = 0;
  for (const std::string& part : thaw::SplitToFit(std::move(encoded), 64)) spans += Spans(part);
  Check(spans == payload->counts().spans);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Try(input);
  // Most inputs are no array of arrays of maps: put one around them.
  std::string wrapped = "\x91\x91\x81\xA4meta";
  wrapped.append(input);
  Try(wrapped);
  wrapped.replace(4, 4, "type");
  Try(wrapped);
  Try("\x91\x91\x81\xABspan_events\x91" + std::string(input));
  Try("\x91\x92\x82\xA7span_id\x01" + std::string(input));
  return 0;
}
