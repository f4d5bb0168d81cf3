// For any text of a span, its key is the same each time, and it encodes a group that is accepted.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "cc/base/msgpack_writer.h"
#include "cc/base/utf8.h"
#include "cc/stats/aggregation_key.h"
#include "cc/stats/peer_tags.h"
#include "cc/stats/quantize_addresses.h"
#include "cc/stats/stats_payload.h"
#include "cc/stats/stats_tags.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// Makes a request with one group.
std::string BodyOf(std::string_view key) {
  thaw::MsgpackWriter out;
  const auto number = [&out](std::string_view name) {
    out.String(name);
    out.Unsigned(1);
  };
  out.Map(1);
  out.String("Stats");
  out.Array(1);
  out.Map(3);
  number("Start");
  number("Duration");
  out.String("Stats");
  out.Array(1);
  out.Map(thaw::kAggregationKeyEntries + 6);
  out.Raw(key);
  for (const std::string_view name : {"Hits", "Errors", "TopLevelHits", "Duration"}) number(name);
  for (const std::string_view name : {"OkSummary", "ErrorSummary"}) {
    out.String(name);
    out.Binary("");
  }
  return out.Take();
}

std::string Quantized(std::string_view value) {
  std::string out;
  thaw::AddressQuantizer().Append(value, out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = thaw::RepairUtf8({reinterpret_cast<const char*>(data), size});
  const std::string once = Quantized(text);
  Check(Quantized(once) == once);
  Check(thaw::IsValidUtf8(once));

  // Each line is a value, or a tag if it has a '='; a known tag is written as its number.
  thaw::SpanView span;
  std::vector<thaw::SpanMeta> meta;
  std::vector<thaw::SpanMetric> metrics;
  std::string_view* const fields[] = {&span.service, &span.name, &span.resource, &span.type};
  size_t next_field = 0;
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    if (const size_t equals = line.find('='); equals != std::string_view::npos) {
      meta.push_back({line.substr(0, equals), line.substr(equals + 1)});
      metrics.push_back({line.substr(0, equals), static_cast<double>(line.size()) - 10});
    } else if (!line.empty() && static_cast<uint8_t>(line[0]) < std::size(thaw::kPeerTags)) {
      meta.push_back({thaw::kPeerTags[static_cast<uint8_t>(line[0])], line.substr(1)});
    } else {
      *fields[next_field++ % std::size(fields)] = line;
    }
  }
  for (const std::string_view kind : {"", "client", "server"}) {
    meta.push_back({"span.kind", kind});
    span.meta = meta;
    span.metrics = metrics;
    const thaw::StatsTags tags = thaw::StatsTags::Of(span);
    Check(tags.span_kind == kind);
    thaw::AggregationKeyEncoder encoder;
    const std::string key(encoder.Encode(span, tags));
    Check(encoder.Encode(span, tags) == key);
    const absl::StatusOr<thaw::StatsPayload> payload = thaw::StatsPayload::FromMsgpack(BodyOf(key));
    Check(payload.ok());
    Check(payload->counts().groups == 1);
    Check(payload->counts().strings_repaired == 0);
    Check(payload->first_problem().empty());
  }
  return 0;
}
