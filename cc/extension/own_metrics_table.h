// The table of the metrics `thaw.*`, each with the count of the extension that it comes from. The table in
// docs/metrics.md is made of it.
//
//   for (const OwnMetricRow& row : kOwnMetrics) Print(row.name, row.tag, row.count, row.unit, row.help);
//
// To add a metric, add a row to THAW_OWN_METRICS, with an expression that reads the count in OwnCounts; to
// add one of each pipeline, add a row to THAW_PIPELINE_METRICS. own_metrics.cc sends the differences of the
// counts.

#ifndef THAW_CC_EXTENSION_OWN_METRICS_TABLE_H_
#define THAW_CC_EXTENSION_OWN_METRICS_TABLE_H_

#include <cstdint>
#include <string_view>

#include "cc/agent/dogstatsd_receiver.h"
#include "cc/agent/trace_receiver.h"
#include "cc/base/histogram.h"
#include "cc/extension/event_intake.h"
#include "cc/extension/log_intake.h"
#include "cc/extension/metric_intake.h"
#include "cc/extension/trace_intake.h"
#include "cc/flush/drop_reason.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/flushable.h"
#include "cc/flush/outage_counts.h"
#include "cc/logs/log_processor.h"
#include "cc/metrics/aggregator.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/net/client_counts.h"
#include "cc/stats/pathway_stats.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

// References to all counts of the extension. They must outlive the call that this is passed to.
struct OwnCounts {
  const FlushCoordinator& coordinator;
  const ClientCounts& client;  // of the client to the intake
  const TraceIntakeCounts& traces;
  const LogIntakeCounts& logs;
  const LogProcessorCounts& log_lines;
  const MetricIntakeCounts& metrics;
  const AggregatorCounts& aggregated;
  const DogStatsdReceiverCounts& datagrams;
  const DogStatsdCounts& lines;
  const EventIntakeCounts& events;
  const TraceReceiverCounts& receiver;
  const TelemetryCounts& telemetry;
  const PathwayCounts& pathways;
};

// X(metric, tag, count, unit, help). The tag is empty, or tells rows of one metric apart.
#define THAW_OWN_METRICS(X)                                                                                  \
  X("connections.dialled", "", client.connection.dials, "", "connections that were begun")                   \
  X("connections.failed", "", client.connection.dial_failed, "",                                             \
    "connections that failed before they were usable")                                                       \
  X("connections.reused", "", client.connection.reused, "",                                                  \
    "requests given to a connection that had been idle")                                                     \
  X("connections.shared", "", client.connection.shared, "",                                                  \
    "requests given to a connection after another request")                                                  \
  X("connections.stale", "reason:not_usable", client.connection.dropped_not_usable, "",                      \
    "idle connections found unusable by the check before reuse")                                             \
  X("connections.stale", "reason:expired", client.connection.dropped_expired, "",                            \
    "idle connections that were too old")                                                                    \
  X("connections.stale", "reason:resumed", client.connection.dropped_epoch, "",                              \
    "connections closed by a resume")                                                                        \
  X("connections.stale", "reason:peer_closed", client.connection.dropped_peer_closed, "",                    \
    "idle connections that the peer closed")                                                                 \
  X("connections.stale", "reason:no_answer", client.exchange.stale, "",                                      \
    "reused connections, or ones that crossed a freeze, that ended without an answer")                       \
  X("handshakes", "kind:full", client.connection.tls_full, "", "full TLS handshakes")                        \
  X("handshakes", "kind:resumed", client.connection.tls_resumed, "", "resumed TLS handshakes")               \
  X("exchanges.crossed", "", client.connection.crossed, "", "exchanges that were open at a resume")          \
  X("requests", "", client.exchange.requests, "", "requests given to the client")                            \
  X("requests.accepted", "", client.exchange.accepted, "", "requests that were accepted")                    \
  X("requests.attempts", "", client.exchange.attempts, "", "tries of them")                                  \
  X("requests.resent", "", client.exchange.possible_duplicates, "",                                          \
    "requests sent again after the peer may have accepted them")                                             \
  X("requests.failed", "class:unsent", client.exchange.unsent, "",                                           \
    "tries whose connection died before a byte was sent")                                                    \
  X("requests.failed", "class:unreachable", client.exchange.unreachable, "", "tries without a connection")   \
  X("requests.failed", "class:misconfigured", client.exchange.misconfigured, "",                             \
    "tries refused for a certificate, a host's name or a proxy's credential")                                \
  X("requests.failed", "class:incomplete", client.exchange.incomplete, "",                                   \
    "tries with part of a request written")                                                                  \
  X("requests.failed", "class:stale", client.exchange.stale, "",                                             \
    "tries on a connection that turned out stale")                                                           \
  X("requests.failed", "class:ambiguous", client.exchange.ambiguous, "",                                     \
    "tries on a fresh connection that gave no answer to a whole request")                                    \
  X("requests.failed", "class:refused_for_now", client.exchange.refused_for_now, "",                         \
    "answers 408, 429 and 5xx")                                                                              \
  X("requests.failed", "class:refused_for_good", client.exchange.refused_for_good, "",                       \
    "answers 3xx and other 4xx")                                                                             \
  X("requests.failed", "class:cancelled", client.exchange.cancelled, "", "tries that were stopped here")     \
  X("bytes.sent", "", client.exchange.bytes_sent, "B", "bytes sent to the intake, TLS included")             \
  X("bytes.received", "", client.exchange.bytes_received, "B", "bytes received from it, TLS included")       \
  X("flushes.stalled", "", coordinator.counts().stalled, "", "flushes that ended because nothing moved")     \
  X("flushes.skipped", "", coordinator.counts().skipped, "",                                                 \
    "flushes in which a destination was out of reach")                                                       \
  X("flushes.no_time", "", coordinator.counts().no_time, "", "flushes for which the deadline was too near")  \
  X("outages", "", coordinator.outage_counts().out_of_reach, "", "outages that began")                       \
  X("traces.dropped", "reason:no_room", traces.own_traces_lost, "",                                          \
    "traces made here for which there was no room")                                                          \
  X("traces.dropped", "reason:unreadable", traces.spans_left_out, "", "spans that could not be read")        \
  X("traces.dropped", "reason:no_ids", traces.spans_without_ids, "", "spans with no trace id or no span id") \
  X("logs.dropped", "reason:flooded", logs.flooded, "", "lines of an invocation that wrote too many")        \
  X("logs.dropped", "reason:no_room", logs.turned_away, "", "lines for which undelivered data left no room") \
  X("logs.dropped", "reason:unmasked", log_lines.dropped_unmasked, "",                                       \
    "lines that a rule that can't be used has to mask")                                                      \
  X("logs.dropped", "reason:unreadable", log_lines.without_text, "",                                         \
    "records that are neither a text nor an object")                                                         \
  X("logs.dropped", "reason:no_memory", log_lines.no_memory, "",                                             \
    "large lines for whose processing there was no memory")                                                  \
  X("logs.cut", "", logs.cut, "", "lines that were cut")                                                     \
  X("metrics.dropped", "reason:no_room", aggregated.dropped, "", "samples for which there was no room")      \
  X("metrics.dropped", "reason:undelivered", metrics.turned_away, "",                                        \
    "points and sketches for which undelivered data left no room")                                           \
  X("metrics.limited", "", aggregated.limited, "",                                                           \
    "samples counted together because there were too many tags")                                             \
  X("datagrams.dropped", "reason:socket_full", datagrams.dropped, "",                                        \
    "DogStatsD datagrams that found the socket's buffer full")                                               \
  X("datagrams.dropped", "reason:truncated", datagrams.truncated, "",                                        \
    "datagrams that were longer than the protocol allows")                                                   \
  X("metrics.refused", "reason:form", lines.refused_form, "", "lines without a name, a value or a type")     \
  X("metrics.refused", "reason:name", lines.refused_name, "", "lines whose name has no letter")              \
  X("metrics.refused", "reason:value", lines.refused_value, "", "lines whose value is no finite number")     \
  X("metrics.refused", "reason:type", lines.refused_type, "", "lines of an unknown type")                    \
  X("metrics.refused", "reason:rate", lines.refused_rate, "", "lines with a rate that can't be")             \
  X("metrics.refused", "reason:time", lines.refused_time, "", "lines with a time that can't be")             \
  X("metrics.refused", "reason:tags", lines.refused_tags, "", "lines with too many bytes of tags")           \
  X("metrics.refused", "reason:event", lines.refused_event, "", "events that can't be read")                 \
  X("metrics.refused", "reason:service_check", lines.refused_service_check, "",                              \
    "service checks that can't be read")                                                                     \
  X("events.dropped", "reason:no_room", events.turned_away, "",                                              \
    "events and service checks for which there was no room")                                                 \
  X("checkpoints.dropped", "reason:no_room", pathways.checkpoints_dropped, "",                               \
    "messages of Data Streams for which there was no room")                                                  \
  X("receiver.refused", "reason:unreadable", receiver.refused_unreadable, "",                                \
    "requests of tracers that can't be read")                                                                \
  X("receiver.refused", "reason:too_large", receiver.refused_too_large, "",                                  \
    "requests of tracers for which there never is room")                                                     \
  X("receiver.refused", "reason:no_room", receiver.turned_away, "",                                          \
    "requests of tracers for which there was no room")                                                       \
  X("receiver.refused", "reason:failed", receiver.failed, "",                                                \
    "requests of tracers that were not taken over for a reason of our own")                                  \
  X("telemetry.dropped", "reason:platform", telemetry.platform_dropped_records, "",                          \
    "records that the platform dropped before it delivered them")                                            \
  X("telemetry.dropped", "reason:unreadable", telemetry.malformed, "", "records that could not be read")

// X(metric, histogram, help), in milliseconds
#define THAW_OWN_TIMES(X)                                                                 \
  X("handshake_time", client.connection.handshake_time, "the time of each TLS handshake") \
  X("flush_time", coordinator.flush_time(), "the time of each flush")                     \
  X("added_time", coordinator.added_time(), "the time that each invocation lasted longer, where it is known")

// X(metric, tag, count of a pipeline, unit, help); each has the tag pipeline:NAME as well
#define THAW_PIPELINE_METRICS(X)                                                           \
  X("payloads.delivered", "", total().delivered, "", "payloads that were accepted")        \
  X("payloads.turned_away", "", turned_away(), "", "payloads for which there was no room") \
  X("payloads.dropped", "reason:evicted", total().dropped.evicted, "",                     \
    "payloads that made way for newer data")                                               \
  X("payloads.dropped", "reason:refused", total().dropped.refused, "",                     \
    "payloads that the intake refused for good")                                           \
  X("payloads.dropped", "reason:too_large", total().dropped.too_large, "",                 \
    "payloads that can't be split further")                                                \
  X("payloads.dropped", "reason:ambiguous_dropped", total().dropped.ambiguous_dropped, "", \
    "payloads that may have been accepted, and must not count twice")                      \
  X("payloads.dropped", "reason:unencodable", total().dropped.unencodable, "",             \
    "payloads that can't be encoded")                                                      \
  X("payloads.dropped", "reason:discarded", total().dropped.discarded, "",                 \
    "payloads that a peers' strategy gave up")                                             \
  X("payloads.dropped", "reason:redrive_failed", total().dropped.redrive_failed, "",       \
    "payloads that a peers' strategy gave up at the shutdown")                             \
  X("payloads.held", "", total().held, "",                                                 \
    "requests that wait for the shutdown, since the intake may have them")

#define THAW_OWN_PREFIX "thaw."

struct OwnMetricRow {
  std::string_view name;
  std::string_view tag;    // empty: none
  std::string_view count;  // the count, as /debug/thaw and the code name it
  std::string_view unit;   // empty: a number
  std::string_view help;
};

inline constexpr OwnMetricRow kOwnMetrics[] = {
#define THAW_ROW(name, tag, count, unit, help) {THAW_OWN_PREFIX name, tag, #count, unit, help},
    THAW_OWN_METRICS(THAW_ROW)
#undef THAW_ROW
};
inline constexpr OwnMetricRow kOwnTimes[] = {
#define THAW_ROW(name, histogram, help) {THAW_OWN_PREFIX name, "", #histogram, "ms", help},
    THAW_OWN_TIMES(THAW_ROW)
#undef THAW_ROW
};
inline constexpr OwnMetricRow kPipelineMetrics[] = {
#define THAW_ROW(name, tag, count, unit, help) {THAW_OWN_PREFIX name, tag, #count, unit, help},
    THAW_PIPELINE_METRICS(THAW_ROW)
#undef THAW_ROW
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_OWN_METRICS_TABLE_H_
