// Copies the values of a stats request to its payload, each by the type of its field (stats_fields.h). Values of
// other types are converted where no meaning is lost; others are a problem.
//
// One thread.

#ifndef THAW_CC_STATS_STATS_VALUES_H_
#define THAW_CC_STATS_STATS_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_writer.h"
#include "cc/stats/stats_counts.h"
#include "cc/stats/stats_fields.h"

namespace thaw {

class StatsValues {
 public:
  // `reader` reads `body`. All four must outlive this object.
  StatsValues(std::string_view body, MsgpackReader& reader, MsgpackWriter& writer, StatsCounts& counts)
      : body_(body), reader_(reader), writer_(writer), counts_(counts) {}

  // Reads a value and writes it as one of this type. Returns false if it can't: problem() or, if that is empty,
  // the reader's error says why, and a part of the value may have been written.
  bool Copy(StatsType type);
  // Reads the header of an array. An empty map counts as an empty array.
  bool ReadArrayHead(uint32_t& count);

  // Notes a problem that the reader can't know, unless StopDescribing() was called. Returns false.
  template <typename... Parts>
  bool Problem(const Parts&... parts) {
    if (describes_) problem_ = absl::StrCat(parts...);
    return false;
  }
  const std::string& problem() const { return problem_; }
  void ClearProblem() { problem_.clear(); }
  // Makes no further texts of problems: only the first problem of a request is reported.
  void StopDescribing() { describes_ = false; }

 private:
  bool Bool();
  bool Integer(StatsType type);
  bool String();
  bool Strings();
  // Reads bytes, which some tracers write as an array of integers.
  bool Sketch();
  // Converts a value that means an integer: a float without a fraction, or a number as text. Leaves the
  // reader before any other value.
  bool ConvertToInteger(uint64_t& value, bool& negative);

  const std::string_view body_;
  MsgpackReader& reader_;
  MsgpackWriter& writer_;
  StatsCounts& counts_;
  bool describes_ = true;
  std::string problem_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_VALUES_H_
