#include "cc/flush/pipeline_spec.h"

#include "absl/strings/str_cat.h"

namespace thaw {

HttpHeaders HeadersOf(const PipelineCodec& codec) {
  HttpHeaders headers;
  if (!codec.content_type.empty()) headers.emplace_back("Content-Type", codec.content_type);
  if (!codec.content_encoding.empty()) headers.emplace_back("Content-Encoding", codec.content_encoding);
  if (!codec.protocol.empty()) headers.emplace_back("DD-PROTOCOL", codec.protocol);
  return headers;
}

std::string BaseUrlOf(const PipelineSpec& spec, const Config& config) {
  if (spec.url != nullptr && !(config.*spec.url).empty()) return config.*spec.url;
  return absl::StrCat("https://", spec.host_prefix, ".", config.site);
}

}  // namespace thaw
