// Bodies of /v0.6/stats requests, for tests.

#ifndef THAW_CC_STATS_STATS_TEST_BODIES_H_
#define THAW_CC_STATS_STATS_TEST_BODIES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/msgpack_writer.h"

namespace thaw {

using WriteValue = std::function<void(MsgpackWriter&)>;
using Pairs = std::vector<std::pair<std::string, WriteValue>>;

inline WriteValue Text(std::string text) {
  return [text](MsgpackWriter& out) { out.String(text); };
}
inline WriteValue Int(int64_t value) {
  return [value](MsgpackWriter& out) { out.Signed(value); };
}
inline WriteValue Unsigned(uint64_t value) {
  return [value](MsgpackWriter& out) { out.Unsigned(value); };
}
inline WriteValue Bytes(std::string bytes) {
  return [bytes](MsgpackWriter& out) { out.Binary(bytes); };
}
inline WriteValue True() {
  return [](MsgpackWriter& out) { out.Bool(true); };
}
inline WriteValue Nil() {
  return [](MsgpackWriter& out) { out.Raw("\xC0"); };
}
inline WriteValue Map(Pairs pairs) {
  return [pairs](MsgpackWriter& out) {
    out.Map(static_cast<uint32_t>(pairs.size()));
    for (const auto& [key, write] : pairs) {
      out.String(key);
      write(out);
    }
  };
}
inline WriteValue Array(std::vector<WriteValue> values) {
  return [values](MsgpackWriter& out) {
    out.Array(static_cast<uint32_t>(values.size()));
    for (const WriteValue& write : values) write(out);
  };
}
inline std::string Encoded(const WriteValue& write) {
  MsgpackWriter out;
  write(out);
  return out.Take();
}

// Makes a group with all required fields; `changes` replace or add fields.
inline WriteValue StatsGroup(const std::string& resource, const Pairs& changes = {}) {
  Pairs pairs = {{"Service", Text("shop")},
                 {"Name", Text("http.request")},
                 {"Resource", Text(resource)},
                 {"HTTPStatusCode", Int(200)},
                 {"Hits", Int(3)},
                 {"Errors", Int(1)},
                 {"Duration", Int(1000)},
                 {"OkSummary", Bytes("ok")},
                 {"ErrorSummary", Bytes("")},
                 {"Synthetics", True()},
                 {"TopLevelHits", Int(2)}};
  for (const auto& change : changes) {
    std::erase_if(pairs, [&](const auto& pair) { return pair.first == change.first; });
    if (change.second) pairs.push_back(change);
  }
  return Map(pairs);
}
inline WriteValue StatsBucket(int64_t start, std::vector<WriteValue> groups) {
  return Map({{"Start", Int(start)}, {"Duration", Int(10'000'000'000)}, {"Stats", Array(std::move(groups))}});
}
inline std::string StatsBody(std::vector<WriteValue> buckets, const Pairs& more = {}) {
  Pairs pairs = {{"Hostname", Text("host")}, {"Env", Text("prod")}, {"Stats", Array(std::move(buckets))}};
  pairs.insert(pairs.end(), more.begin(), more.end());
  return Encoded(Map(pairs));
}

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_TEST_BODIES_H_
