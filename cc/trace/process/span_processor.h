// What is done to each span that is kept.
//
//   const FixedTags& fixed = processor.fixed_tags(backend_computes_stats);
//   processor.Process(span, fixed, top_level, now, scratch);
//   WriteSpan(span, fixed.encoded(), out);
//
// Strings that are made on the way are in `scratch`: none, as long as a span is as it should be.

#ifndef THAW_CC_TRACE_PROCESS_SPAN_PROCESSOR_H_
#define THAW_CC_TRACE_PROCESS_SPAN_PROCESSOR_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/base/scratch_text.h"
#include "cc/trace/process/fixed_tags.h"
#include "cc/trace/process/trace_processor_options.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_tags.h"

namespace thaw {

class SpanProcessor {
 public:
  // `options` outlive it.
  explicit SpanProcessor(const TraceProcessorOptions& options);
  SpanProcessor(const SpanProcessor&) = delete;
  SpanProcessor& operator=(const SpanProcessor&) = delete;

  // Makes text UTF-8, and fields and the tags `env` and `http.status_code` normal: what a tag filter looks
  // at.
  void Normalize(SpanRecord& span, absl::Time now, ScratchText& scratch) const;

  // Normalises the span and does all that follows, in the order of trace_processor.h. What of the span's own
  // tags `fixed` has too is taken out.
  void Process(SpanRecord& span, const FixedTags& fixed, bool top_level, absl::Time now,
               ScratchText& scratch) const;

  // What every span gets: the function's tags, the origin, and, if the backend is to compute its stats, a
  // word about that.
  const FixedTags& fixed_tags(bool backend_computes_stats) const {
    return backend_computes_stats ? with_compute_stats_ : fixed_;
  }

 private:
  // A span's tags that obfuscation looks at; null where it has none.
  struct Found {
    SpanMeta* url = nullptr;
    SpanMeta* sql_query = nullptr;
    const SpanMeta* database_type = nullptr;
    const SpanMeta* database_system = nullptr;
  };

  void NormalizeFields(SpanRecord& span, absl::Time now, ScratchText& scratch) const;
  // False: the tag goes.
  bool NormalizeTagValue(MetaTag tag, SpanMeta& entry, ScratchText& scratch) const;
  void Obfuscate(SpanRecord& span, const FixedTags& fixed, const Found& found, ScratchText& scratch) const;
  void ObfuscateQueries(SpanRecord& span, const FixedTags& fixed, const Found& found,
                        ScratchText& scratch) const;
  void Replace(SpanRecord& span, ScratchText& scratch) const;

  const TraceProcessorOptions& options_;
  const FixedTags fixed_;
  const FixedTags with_compute_stats_;
  const std::string service_tag_;   // in place of the service "aws.lambda"; empty: that stays
  const std::string base_service_;  // of spans made of a trigger
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_SPAN_PROCESSOR_H_
