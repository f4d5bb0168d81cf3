#include "cc/logs/log_text.h"

#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "cc/base/reserve.h"
#include "cc/base/utf8.h"
#include "cc/logs/json_text.h"
#include "cc/telemetry/json_elements.h"

namespace thaw {
namespace {

constexpr std::string_view kTags = "\"ddtags\"";
// How many times as long a text can be that was read from inside a JSON string and is written anew: "\\b" becomes
// "\\u0008".
constexpr size_t kMostGrowth = 3;

bool IsString(std::string_view raw) { return raw.size() >= 2 && raw.front() == '"'; }
bool IsObject(std::string_view raw) { return !raw.empty() && raw.front() == '{'; }
std::string_view Inside(std::string_view raw) { return raw.substr(1, raw.size() - 2); }

// Returns the status for a level's name; `otherwise` if the name is not known.
LogStatus StatusOf(std::string_view level, LogStatus otherwise) {
  static constexpr std::pair<std::string_view, LogStatus> kLevels[] = {
      {"info", LogStatus::kInfo},      {"error", LogStatus::kError},       {"warn", LogStatus::kWarn},
      {"debug", LogStatus::kDebug},    {"warning", LogStatus::kWarn},      {"trace", LogStatus::kTrace},
      {"fatal", LogStatus::kCritical}, {"critical", LogStatus::kCritical}, {"information", LogStatus::kInfo},
      {"err", LogStatus::kError},
  };
  for (const auto& [name, status] : kLevels)
    if (absl::EqualsIgnoreCase(level, name)) return status;
  return otherwise;
}

// The members of an object that count, as written. A name with needless escapes is not recognised.
struct Members {
  std::string_view level, status, tags, message, request_id, aws_request_id, execution_arn, error_type;
};

Members MembersOf(std::string_view object) {
  Members members;
  ForEachJsonMember(object, [&members](std::string_view key, std::string_view value) {
    switch (key.size()) {
      case 7:
        if (key == "\"level\"") members.level = value;
        break;
      case 8:
        if (key == "\"status\"") members.status = value;
        if (key == kTags) members.tags = value;
        break;
      case 9:
        if (key == "\"message\"") members.message = value;
        break;
      case 11:
        if (key == "\"requestId\"") members.request_id = value;
        if (key == "\"errorType\"") members.error_type = value;
        break;
      case 14:
        if (key == "\"AWSRequestId\"") members.aws_request_id = value;
        if (key == "\"executionArn\"") members.execution_arn = value;
        break;
      default:
        break;
    }
  });
  return members;
}

// Puts the text of `object` without its members `ddtags` into `pieces`, and returns the last of them, if it is a
// string. A member goes together with the comma after it, or else the one before it.
std::string_view TakeTags(std::string_view object, TextPieces& pieces) {
  std::string_view tags;
  const char* kept_from = object.data();
  const char* const end = object.data() + object.size();
  bool first = true;
  ForEachJsonMember(object, [&](std::string_view key, std::string_view value) {
    const bool is_first = std::exchange(first, false);
    if (key != kTags || !IsString(value)) return;
    tags = Inside(value);
    const char* from = key.data();
    const char* to = value.data() + value.size();
    while (to < end && *to != ',' && *to != '}') ++to;
    if (to < end && *to == ',') {
      ++to;
    } else if (!is_first) {
      while (from > kept_from && *from != ',') --from;
    }
    if (from > kept_from) pieces.emplace_back(kept_from, static_cast<size_t>(from - kept_from));
    kept_from = to;
  });
  pieces.emplace_back(kept_from, static_cast<size_t>(end - kept_from));
  return tags;
}

// Reads an object. Returns false, and leaves the pieces as they are, if its text is all of it.
bool ReadObject(std::string_view object, LogText& line) {
  const Members members = MembersOf(object);
  if (IsString(members.status)) line.status = StatusOf(Inside(members.status), line.status);
  if (IsString(members.level)) line.status = StatusOf(Inside(members.level), LogStatus::kInfo);
  for (const std::string_view id : {members.aws_request_id, members.request_id})
    if (IsString(id) && id.size() > 2) line.request_id = Inside(id);
  if (IsString(members.execution_arn)) line.execution_arn = Inside(members.execution_arn);
  if (IsString(members.error_type)) line.error_type = Inside(members.error_type);
  if (IsString(members.tags)) {
    line.pieces.clear();
    line.tags = TakeTags(object, line.pieces);
    return true;
  }
  if (!IsObject(members.message) || !IsString(MembersOf(members.message).tags)) return false;
  line.pieces.clear();
  line.tags = TakeTags(members.message, line.pieces);
  return true;
}

}  // namespace

bool LogTextReader::Read(std::string_view json, LogText& line) {
  no_memory_ = false;
  const bool has_text = ReadParts(json, line);
  if (MayHaveHalfPairs(line.tags)) {
    // Tags beyond an entry's are cut anyway.
    std::string tags;
    AppendJsonUnescaped(CutEscaped(line.tags, kLargeAllocation / kMostGrowth), tags);
    repaired_tags_.clear();
    AppendJsonEscaped(tags, repaired_tags_);
    line.tags = repaired_tags_;
  }
  // Ids that Lambda gives have no such half, so one that does is of no use.
  for (std::string_view* name : {&line.request_id, &line.execution_arn})
    if (MayHaveHalfPairs(*name)) *name = {};
  return has_text;
}

void LogTextReader::Release() {
  for (std::string* text : {&unescaped_, &repaired_})
    if (text->capacity() >= kLargeAllocation) *text = std::string();
  charge_.Release();
}

bool LogTextReader::Reserve(std::string& text, size_t bytes) {
  text.clear();
  no_memory_ = !thaw::Reserve(text, bytes, &charge_).ok();
  return !no_memory_;
}

bool LogTextReader::ReadParts(std::string_view json, LogText& line) {
  line.pieces.clear();
  line.escaped = line.cut = false;
  line.status = LogStatus::kInfo;
  line.tags = line.request_id = line.execution_arn = line.error_type = {};
  if (IsString(json)) {
    const std::string_view inside = CutEscaped(Inside(json), kMostTextBytes);
    line.cut = inside.size() < Inside(json).size();
    return ReadString(inside, line);
  }
  if (!IsObject(json)) return false;
  line.cut = json.size() > kMostTextBytes;
  line.pieces.push_back(CutUtf8(json, kMostTextBytes));
  if (!line.cut) ReadObject(json, line);
  return true;
}

bool LogTextReader::ReadString(std::string_view inside, LogText& line) {
  if (MayHaveHalfPairs(inside)) {
    if (!Reserve(unescaped_, inside.size()) || !Reserve(repaired_, kMostGrowth * inside.size())) return false;
    AppendJsonUnescaped(inside, unescaped_);
    AppendJsonEscaped(unescaped_, repaired_);
    inside = repaired_;
  }
  line.pieces.push_back(inside);
  line.escaped = true;
  if (!IsObject(inside) || line.cut) return true;
  if (!Reserve(unescaped_, inside.size())) return false;
  AppendJsonUnescaped(inside, unescaped_);
  if (!IsWellFormedJson(unescaped_)) return true;
  // Without tags to take out, the text stays as it is written in the record.
  line.escaped = !ReadObject(unescaped_, line);
  // A request is read from records that are objects only: others may be about another one.
  line.request_id = line.execution_arn = {};
  return true;
}

}  // namespace thaw
