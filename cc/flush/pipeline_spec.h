// The type of a row of the table of pipelines (pipeline_table.h): everything in which the way of one kind of
// data to Datadog differs from that of another.
//
//   const PipelineSpec& spec = PipelineNamed("stats");
//   const FlusherOptions options = DefaultFlusherOptions(spec);
//   HttpHeaders headers = HeadersOf(spec.codec);
//
// A row is data that any thread may read.

#ifndef THAW_CC_FLUSH_PIPELINE_SPEC_H_
#define THAW_CC_FLUSH_PIPELINE_SPEC_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cc/config/config.h"
#include "cc/net/http_message.h"

namespace thaw {

// The form of a request's body.
struct PipelineCodec {
  std::string_view content_type;
  std::string_view content_encoding;  // empty: bodies are not compressed
  std::string_view protocol;          // the header DD-PROTOCOL; empty: there is none
};

struct PipelineLimits {
  // Limits a request's body, in bytes before compression; encoders split larger ones. The intake refuses
  // bodies that are too large.
  size_t max_batch_bytes = 12'000'000;
  // Limits the entries of a request where the intake counts them, as that of logs does; 0: no limit.
  size_t max_batch_entries = 0;
  // Encodes without waiting for a flush when more bytes than this wait to be encoded. The default is about a
  // hundred requests of tracers: a function that sends less gets them all into one request.
  size_t encode_above_bytes = size_t{1} << 20;
  // The level of the codec's compression, and the option that replaces it; nullptr: none does.
  int compression_level = 3;
  int Config::* configured_level = nullptr;
};

struct PipelineSpec {
  // The name in counts, reports and the log.
  std::string_view name;
  // The intake is at https://<host_prefix>.<site>, unless `url` names an option that has a base URL.
  std::string_view host_prefix;
  std::string Config::* url = nullptr;
  // The path at the intake, which is followed by the request's own target (EncodedRequest::target). A
  // pipeline with several targets, such as series and sketches of metrics, has the common part of the path
  // here.
  std::string_view path;
  // The path at additional endpoints, if it is another.
  std::string_view additional_path;
  // Empty if each request brings headers of its own.
  PipelineCodec codec;
  // Resends requests that the intake may have accepted. Off where counting twice is wrong.
  bool retry_ambiguous = true;
  // The option with the endpoints that get a copy of all requests; nullptr: there are none.
  std::vector<AdditionalEndpoint> Config::* additional_endpoints = nullptr;
  PipelineLimits limits;
  // Returns whether the configuration switches the pipeline on; nullptr: it is always on.
  bool (*enabled)(const Config& config) = nullptr;
};

// Returns the headers Content-Type, Content-Encoding and DD-PROTOCOL of a request's body.
HttpHeaders HeadersOf(const PipelineCodec& codec);

// Returns the base URL of the pipeline's intake.
std::string BaseUrlOf(const PipelineSpec& spec, const Config& config);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PIPELINE_SPEC_H_
