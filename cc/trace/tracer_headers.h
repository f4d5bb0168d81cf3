// Facts that a tracer states about itself in a request's headers, and those that the intake is told.

#ifndef THAW_CC_TRACE_TRACER_HEADERS_H_
#define THAW_CC_TRACE_TRACER_HEADERS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "cc/net/http_message.h"

namespace thaw {

struct TracerHeaders {
  std::string lang;
  std::string lang_version;
  std::string lang_interpreter;
  std::string lang_interpreter_vendor;
  std::string tracer_version;
  std::string container_id;
  bool client_computed_top_level = false;
  bool client_computed_stats = false;
  uint64_t dropped_p0_traces = 0;
  uint64_t dropped_p0_spans = 0;

  // Compares names without case. Boolean headers follow the agent's rule: missing, empty or one of 0, f, F,
  // false, False, FALSE is false, any other text is true. An invalid number is 0. Texts are cut at 256 bytes.
  static TracerHeaders FromRequest(const HttpHeaders& headers);
  static TracerHeaders FromViews(const HttpHeaderViews& headers);

  // Returns the headers of an intake request for this tracer: language, versions, flags; without those of the
  // body's form.
  HttpHeaders ForIntake() const;

  // Returns whether payloads of both may share a request: all is equal but the numbers of dropped spans and
  // traces.
  bool MergesWith(const TracerHeaders& other) const;
  // Adds the other's numbers of dropped items, so that the shared request reports all.
  void Merge(const TracerHeaders& other);

  // Returns the bytes of memory that its texts hold outside the object.
  size_t memory() const;

  bool operator==(const TracerHeaders&) const = default;

  // Returns equal hashes for headers that merge with each other.
  size_t MergeHash() const;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACER_HEADERS_H_
