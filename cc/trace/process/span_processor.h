// Normalises, tags, obfuscates and rewrites each span that is kept.
//
//   const FixedTags& fixed = processor.fixed_tags(backend_computes_stats);
//   processor.Process(span, fixed, top_level, now, scratch, work);
//   WriteSpan(span, fixed.encoded(), out);
//
// New strings are made in `scratch`; a span that needs no change makes none.

#ifndef THAW_CC_TRACE_PROCESS_SPAN_PROCESSOR_H_
#define THAW_CC_TRACE_PROCESS_SPAN_PROCESSOR_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/base/scratch_text.h"
#include "cc/trace/obfuscate/sql_dialect.h"
#include "cc/trace/process/fixed_tags.h"
#include "cc/trace/process/text_work.h"
#include "cc/trace/process/trace_processor_options.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_tags.h"

namespace thaw {

class SpanProcessor {
 public:
  // `options` must outlive the processor.
  explicit SpanProcessor(const TraceProcessorOptions& options);
  SpanProcessor(const SpanProcessor&) = delete;
  SpanProcessor& operator=(const SpanProcessor&) = delete;

  // Makes text UTF-8 and normalises the fields and the tags `env` and `http.status_code`, which tag filters
  // look at.
  void Normalize(SpanRecord& span, absl::Time now, ScratchText& scratch) const;

  // Normalises the span and applies all later steps, in the order that trace_processor.h lists. Removes the
  // span's own tags that `fixed` has too. A text for which no `work` is left is hidden as a whole.
  void Process(SpanRecord& span, const FixedTags& fixed, bool top_level, absl::Time now, ScratchText& scratch,
               TextWork& work) const;

  // Returns the tags that every span gets: the function's tags, the origin and, if the backend is to compute
  // stats, the tag that asks for it.
  const FixedTags& fixed_tags(bool backend_computes_stats) const {
    return backend_computes_stats ? with_compute_stats_ : fixed_;
  }

 private:
  // The tags of a span that obfuscation looks at; null where the span lacks them.
  struct Found {
    SpanMeta* url = nullptr;
    SpanMeta* sql_query = nullptr;
    const SpanMeta* database_type = nullptr;
    const SpanMeta* database_system = nullptr;

    // The tag that says which database a query is for.
    const SpanMeta* database() const { return database_type != nullptr ? database_type : database_system; }
  };

  void NormalizeFields(SpanRecord& span, absl::Time now, ScratchText& scratch) const;
  // Returns false if the tag is to be removed.
  bool NormalizeTagValue(MetaTag tag, SpanMeta& entry, ScratchText& scratch) const;
  void Obfuscate(SpanRecord& span, const FixedTags& fixed, const Found& found, ScratchText& scratch,
                 TextWork& work) const;
  // Replaces the literals of queries in OpenTelemetry's tags and in sql.query, and in the resource where it is such
  // a query or a part of one.
  void ObfuscateQueryTags(SpanRecord& span, const Found& found, SqlDialect dialect, ScratchText& scratch,
                          TextWork& work) const;
  void ObfuscateQueries(SpanRecord& span, const FixedTags& fixed, const Found& found, ScratchText& scratch,
                        TextWork& work) const;
  void Replace(SpanRecord& span, ScratchText& scratch, TextWork& work) const;

  const TraceProcessorOptions& options_;
  const FixedTags fixed_;
  const FixedTags with_compute_stats_;
  const std::string service_tag_;   // replaces the service "aws.lambda"; empty: it stays
  const std::string base_service_;  // service of spans made of a trigger
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_SPAN_PROCESSOR_H_
