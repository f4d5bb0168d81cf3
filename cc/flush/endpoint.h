// The destination of a pipeline's requests. A pipeline has one primary endpoint and any number of additional
// ones, each with its own key; all get the same compressed bytes.

#ifndef THAW_CC_FLUSH_ENDPOINT_H_
#define THAW_CC_FLUSH_ENDPOINT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cc/flush/api_key_source.h"
#include "cc/net/destination.h"

namespace thaw {

struct Endpoint {
  Destination destination;
  std::string target;  // path and query
  std::shared_ptr<ApiKeySource> api_key;

  // Returns "https://host/path", without the key.
  std::string ToString() const;
};

// Makes an endpoint from "https://host", with or without a path and final slashes; `path`
// (PipelineSpec::path) is appended. Returns InvalidArgument for a bad URL, one with credentials, or a key,
// known already, that no header may contain; the key is not shown.
absl::StatusOr<Endpoint> MakeEndpoint(std::string_view base_url, std::string_view path,
                                      std::shared_ptr<ApiKeySource> api_key);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_ENDPOINT_H_
