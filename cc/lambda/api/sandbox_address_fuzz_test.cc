// Any hosts file and any runtime name: texts that the environment provides.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "cc/lambda/api/sandbox_address.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/telemetry/telemetry_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<std::string> address = thaw::AddressInHosts(text, thaw::kSandboxHost);
  if (address.has_value()) {
    // The result is an address that occurs in the text.
    CHECK(address->find_first_not_of("0123456789.") == std::string::npos) << *address;
    CHECK(text.find(*address) != std::string_view::npos) << *address;
  }
  CHECK(thaw::RuntimeName(text).size() <= size + 2);
  thaw::IsDurable(text);
  return 0;
}
