#include "cc/trace/process/noise_filter.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "cc/trace/process/invocation_links.h"

namespace thaw {
namespace {

// Returns whether `text` begins with `address` and no digit follows, which would make it another address.
bool BeginsWithAddress(std::string_view text, std::string_view address) {
  return absl::StartsWith(text, address) &&
         (text.size() == address.size() || !absl::ascii_isdigit(text[address.size()]));
}

std::string_view Get(const KnownMeta& meta, MetaTag tag) { return meta[static_cast<int>(tag)]; }

}  // namespace

NoiseFilter::NoiseFilter(std::string_view runtime_api)
    : plumbing_([runtime_api] {
        // The Runtime API's usual address, the lifecycle listener, DogStatsD.
        std::vector<Address> plumbing = {{"127.0.0.1", "9001"}, {"127.0.0.1", "8124"}, {"127.0.0.1", "8125"}};
        const size_t colon = runtime_api.rfind(':');
        if (colon != std::string_view::npos && colon > 0 && colon + 1 < runtime_api.size())
          plumbing.push_back(
              {std::string(runtime_api.substr(0, colon)), std::string(runtime_api.substr(colon + 1))});
        return plumbing;
      }()) {}

bool NoiseFilter::IsNoise(const SpanRecord& span, const KnownMeta& meta) const {
  if (span.name == "dns.lookup" || span.resource == kPlaceholderResource || span.resource == "127.0.0.1" ||
      span.resource == "0.0.0.0")
    return true;
  const std::string_view url = Get(meta, MetaTag::kHttpUrl);
  const std::string_view host = Get(meta, MetaTag::kTcpRemoteHost);
  const std::string_view port = Get(meta, MetaTag::kTcpRemotePort);
  for (const Address& address : plumbing_) {
    if (host == address.host && BeginsWithAddress(port, address.port)) return true;
    std::string_view rest = url;
    if (absl::ConsumePrefix(&rest, "http://") && absl::ConsumePrefix(&rest, address.host) &&
        absl::ConsumePrefix(&rest, ":") && BeginsWithAddress(rest, address.port))
      return true;
  }
  const std::string_view name_server = Get(meta, MetaTag::kDnsAddress);
  // The last address is the X-Ray daemon's.
  for (const std::string_view address : {"0.0.0.0", "127.0.0.1", "169.254.79.129"})
    if (BeginsWithAddress(name_server, address)) return true;
  return false;
}

}  // namespace thaw
