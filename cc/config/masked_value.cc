#include "cc/config/masked_value.h"

#include "cc/base/mask.h"
#include "cc/net/destination.h"

namespace thaw {

std::string MaskedValue(const std::string& value, Secrecy secrecy) {
  switch (secrecy) {
    case Secrecy::kPublic:
      return value;
    case Secrecy::kUrl:
      return MaskUrl(value);
    case Secrecy::kKey:
      return MaskSecret(value);
    case Secrecy::kHidden:
      return value.empty() ? "" : "****";
  }
  return "";
}

}  // namespace thaw
