// Decodes the body of one POST of the Telemetry API into typed records.
//
//   const TelemetryBatch batch = DecodeTelemetry(body, now, [&](TelemetryRecord&& record) {
//     if (const auto* done = std::get_if<PlatformRuntimeDone>(&record.record)) ...
//   });
//   Add(batch.counts);
//
// TelemetryWork decodes a large body in steps: Step() is called until it returns true, and then Take().
//
// Decodes element by element: an element of an unknown type, without use, cut off or invalid is left out and
// counted, and its neighbours are passed on. Text that is not UTF-8 is repaired (U+FFFD) and passed on.
// Unknown members are ignored; a member of a wrong type counts as missing, and is counted.
//
// A log record is passed on as its JSON text, checked and not copied; only platform records are parsed.
//
// Pure: no I/O, no clock.

#ifndef THAW_CC_TELEMETRY_TELEMETRY_RECORDS_H_
#define THAW_CC_TELEMETRY_TELEMETRY_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/declare_counts.h"
#include "cc/telemetry/telemetry_record.h"

namespace thaw {

// X(name, what it counts)
#define THAW_TELEMETRY_COUNTS(X)                                                                      \
  X(records, "records given on")                                                                      \
  X(repaired, "elements that were not UTF-8, given on with U+FFFD for bad parts")                     \
  X(times_replaced, "records without a time that can be read, given the time of their arrival")       \
  X(members_ignored, "members of a wrong type or out of range, taken for missing")                    \
  X(unknown_types, "elements of a type that is not known, left out")                                  \
  X(incomplete, "elements left out for want of a record, or of a request id where there must be one") \
  X(malformed, "elements that were no JSON, no objects or nested too deep, left out")                 \
  X(bodies_refused, "bodies that were no array")                                                      \
  X(bodies_cut, "arrays that were not closed")                                                        \
  X(bodies_given_up, "arrays of so much that is broken that the rest was left out unread")            \
  X(platform_dropped_records, "records that the platform says it dropped")                            \
  X(platform_dropped_bytes, "bytes that the platform says it dropped")

struct TelemetryCounts {
  THAW_DECLARE_COUNTS(THAW_TELEMETRY_COUNTS)
  TelemetryCounts& operator+=(const TelemetryCounts& other) {
#define THAW_ADD(name, text) name += other.name;
    THAW_TELEMETRY_COUNTS(THAW_ADD)
#undef THAW_ADD
    return *this;
  }
};

struct TelemetryBatch {
  TelemetryCounts counts;
  // Says what was wrong with the first element that was left out or ignored, and at which byte; empty if none
  // was.
  std::string first_problem;
};

class TelemetryWork {
 public:
  // Work that each element counts for, beside its bytes.
  static constexpr int64_t kElementWork = 512;

  // `body` must outlive the work. `received` replaces a time that can't be read. `is_utf8`: IsValidUtf8(body);
  // otherwise text is repaired in a copy of up to three times the body.
  TelemetryWork(std::string_view body, absl::Time received, bool is_utf8);
  ~TelemetryWork();

  // Does about `work` bytes of work. Passes each record that it comes to on, in order, during the call. Returns
  // whether all is done.
  bool Step(int64_t work, absl::FunctionRef<void(TelemetryRecord&&)> give);
  // Returns the result so far.
  TelemetryBatch Take();
  // Returns the bytes of the body up to the end of the last element whose record was passed on or left out.
  size_t done_bytes() const;

 private:
  class Decoder;

  const std::unique_ptr<Decoder> decoder_;
};

// Passes each record of `body` to `give`, in order, during the call. `received` replaces a time that can't be
// read.
TelemetryBatch DecodeTelemetry(std::string_view body, absl::Time received,
                               absl::FunctionRef<void(TelemetryRecord&&)> give);

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_TELEMETRY_RECORDS_H_
