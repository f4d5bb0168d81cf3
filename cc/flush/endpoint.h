// Where a pipeline's requests go: one primary endpoint and any number of additional ones, each with its
// own key. All get the same compressed bytes.

#ifndef THAW_CC_FLUSH_ENDPOINT_H_
#define THAW_CC_FLUSH_ENDPOINT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/flusher_options.h"
#include "cc/net/destination.h"

namespace thaw {

struct Endpoint {
  Destination destination;
  std::string target;  // path and query
  std::shared_ptr<ApiKeySource> api_key;

  // "https://host/path": without the key.
  std::string ToString() const;
};

// "/api/v0.2/traces", "/api/v0.2/stats"; nothing for what is proxied, whose requests say it.
std::string_view IntakePath(Pipeline pipeline);

// `base_url`: "https://host", with or without a path and slashes at its end; the pipeline's path is
// appended. InvalidArgument: what is wrong with the URL; credentials in it are. A key that is known already
// and that no header may carry is refused, too, and not shown.
absl::StatusOr<Endpoint> MakeEndpoint(std::string_view base_url, Pipeline pipeline,
                                      std::shared_ptr<ApiKeySource> api_key);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_ENDPOINT_H_
