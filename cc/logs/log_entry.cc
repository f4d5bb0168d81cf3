#include "cc/logs/log_entry.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/base/utf8.h"
#include "cc/logs/json_text.h"

namespace thaw {
namespace {

constexpr std::string_view kBeforeText = R"({"message":{"message":")";
constexpr std::string_view kAfterTags = R"(","ddsource":"lambda"})";
// Tags of one line beyond this are cut: nothing useful is this long.
constexpr size_t kMaxTagBytes = 8 * 1024;
constexpr size_t kMaxIdBytes = 128;
// The longest character or escape: two escapes that make one character.
constexpr size_t kLongestUnit = 12;

std::string Escaped(std::string_view text) {
  std::string escaped;
  AppendJsonEscaped(text, escaped);
  return escaped;
}

void AppendMember(std::string_view name, std::string_view inside, std::string& out) {
  if (inside.empty()) return;
  out.append(name);
  out.append(CutEscaped(inside, kMaxIdBytes));
  out.push_back('"');
}

}  // namespace

LogEntryWriter::LogEntryWriter(const Source& source)
    : after_text_(absl::StrCat(R"(","lambda":{"arn":")", Escaped(source.function_arn), R"(","request_id":)")),
      before_tags_(absl::StrCat(R"("},"hostname":")", Escaped(source.function_arn), R"(","service":")",
                                Escaped(absl::AsciiStrToLower(source.service)), R"(","ddtags":")")) {}

void LogEntryWriter::SetTags(std::string_view tags) { tags_ = Escaped(tags); }

bool LogEntryWriter::Append(const LogEntry& entry, std::string& body) const {
  const size_t fixed = kReservedBytes + tags_.size() + before_tags_.size() + after_text_.size();
  body.append(kBeforeText);
  const bool cut = AppendText(entry, kMaxEntryBytes - std::min(fixed, kMaxEntryBytes / 2), body);
  body.append(after_text_);
  if (entry.request_id.empty()) {
    body.append("null");
  } else {
    body.push_back('"');
    body.append(CutEscaped(entry.request_id, kMaxIdBytes));
    body.push_back('"');
  }
  AppendMember(R"(,"durable_function.execution_id":")", entry.durable.id, body);
  AppendMember(R"(,"durable_function.execution_name":")", entry.durable.name, body);
  AppendMember(R"(,"durable_function.execution_status":")", entry.durable.status, body);
  if (entry.durable.first_invocation.has_value()) {
    body.append(R"(,"durable_function.first_invocation":)");
    body.append(*entry.durable.first_invocation ? "true" : "false");
  }
  body.append(R"(},"timestamp":)");
  absl::StrAppend(&body, absl::ToUnixMillis(entry.time));
  body.append(R"(,"status":")");
  body.append(ToString(entry.status));
  body.append(before_tags_);
  body.append(tags_);
  if (!entry.tags.empty()) {
    if (!tags_.empty()) body.push_back(',');
    body.append(CutEscaped(entry.tags, kMaxTagBytes));
  }
  body.append(kAfterTags);
  return cut;
}

bool LogEntryWriter::AppendText(const LogEntry& entry, size_t most, std::string& body) {
  const size_t begin = body.size();
  // The rest of a piece that is cut here is longer than `most`, wherever its last unit ends.
  const size_t most_of_piece = most + kLongestUnit;
  for (const std::string_view piece : entry.pieces) {
    if (entry.escaped) {
      body.append(CutEscaped(piece, most_of_piece));
    } else {
      AppendJsonEscaped(CutUtf8(piece, most_of_piece), body);
    }
    if (body.size() - begin > most) break;
  }
  if (body.size() - begin <= most && !entry.cut) return false;
  const std::string_view written = std::string_view(body).substr(begin);
  body.resize(begin + CutEscaped(written, most - kCutMarker.size()).size());
  body.append(kCutMarker);
  return true;
}

}  // namespace thaw
