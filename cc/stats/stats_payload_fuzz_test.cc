// Any stats request is refused with a reason, or its result reads the same again and loses no group when it
// is split.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_writer.h"
#include "cc/stats/stats_batch.h"
#include "cc/stats/stats_payload.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// Counts the groups of a map, `levels` levels below it.
int64_t Groups(std::string_view map, int levels) {
  if (levels < 0) return 1;
  int64_t groups = 0;
  thaw::MsgpackReader reader(map);
  uint32_t entries, count;
  Check(reader.ReadMap(entries));
  for (; entries > 0; --entries) {
    std::string_view key;
    Check(reader.ReadString(key));
    if (key != "Stats") {
      Check(reader.Skip());
      continue;
    }
    Check(reader.ReadArray(count));
    for (; count > 0; --count) {
      const size_t at = reader.position();
      Check(reader.Skip());
      groups += Groups(map.substr(at, reader.position() - at), levels - 1);
    }
  }
  Check(reader.at_end());
  return groups;
}

void Try(std::string_view body) {
  const absl::StatusOr<thaw::StatsPayload> payload = thaw::StatsPayload::FromMsgpack(body);
  thaw::StatsWork work(body);
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) done = work.Step(3);
  Check(done.status() == payload.status());
  if (!payload.ok()) {
    Check(!payload.status().message().empty());
    return;
  }
  Check(work.Take().bytes() == payload->bytes());
  const absl::StatusOr<thaw::StatsPayload> again = thaw::StatsPayload::FromMsgpack(payload->bytes());
  Check(again.ok());
  Check(again->bytes() == payload->bytes());
  Check(again->counts().groups == payload->counts().groups);
  Check(again->first_problem().empty());
  int64_t groups = 0;
  const std::string twice = thaw::EncodeStatsBatch({payload->bytes(), payload->bytes()});
  const std::vector<std::string> parts = *thaw::SplitStatsToFit(twice, 64);
  for (const std::string& part : parts) groups += Groups(part, 2);
  Check(groups == 2 * payload->counts().groups);
  thaw::SplitStatsBatch(body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Try(input);
  // Wrap the input in a map of lists of maps down to a group's values, which most inputs lack.
  thaw::MsgpackWriter out;
  out.Map(1);
  out.String("Tags");
  out.Array(1);
  Try(out.bytes() + input);
  out.Truncate(0);
  out.Map(1);
  out.String("Stats");
  out.Array(1);
  Try(out.bytes() + input);
  out.Map(3);
  for (const std::string_view key : {"Start", "Duration"}) {
    out.String(key);
    out.Unsigned(1);
  }
  out.String("Stats");
  out.Array(1);
  Try(out.bytes() + input);
  out.Map(12);
  for (const std::string_view key : {"Service", "Name", "Resource", "OkSummary", "ErrorSummary"}) {
    out.String(key);
    out.String("");
  }
  for (const std::string_view key : {"HTTPStatusCode", "Hits", "Errors", "Duration", "TopLevelHits"}) {
    out.String(key);
    out.Unsigned(1);
  }
  out.String("Synthetics");
  out.Bool(false);
  Try(out.bytes() + input);
  for (const std::string_view key : {"PeerTags", "OkSummary", "IsTraceRoot", "Name", "Hits"}) {
    thaw::MsgpackWriter with_key = out;
    with_key.String(key);
    Try(with_key.bytes() + input);
  }
  return 0;
}
