#include "cc/trace/process_fields.h"

#include <string>

#include "cc/base/normalize_tag.h"
#include "cc/base/utf8.h"
#include "cc/trace/trace_fields.h"

namespace thaw {

int64_t ProcessFields::Write(const TracerHeaders& headers, std::string_view default_env,
                             ProtobufWriter& out) const {
  int64_t repaired = 0;
  std::string text;
  const auto utf8 = [&](std::string_view value) -> std::string_view {
    if (IsValidUtf8(value)) return value;
    ++repaired;
    return text = RepairUtf8(value);
  };
  const auto add = [&](uint32_t field, std::string_view value) {
    if (!value.empty()) out.String(field, utf8(value));
  };
  add(TracerPayloadField::kContainerId, headers.container_id);
  add(TracerPayloadField::kLanguageName, headers.lang);
  add(TracerPayloadField::kLanguageVersion, headers.lang_version);
  add(TracerPayloadField::kTracerVersion, headers.tracer_version);
  add(TracerPayloadField::kRuntimeId, Get(MetaTag::kRuntimeId));
  const std::string_view env = Get(MetaTag::kEnv);
  add(TracerPayloadField::kEnv, NormalizeTag(utf8(env.empty() ? default_env : env)));
  add(TracerPayloadField::kHostname, Get(MetaTag::kHostname));
  add(TracerPayloadField::kAppVersion, Get(MetaTag::kVersion));
  return repaired;
}

}  // namespace thaw
