#include "cc/config/pretty_json.h"

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "boost/json/string.hpp"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

std::string Literal(std::string_view text) {
  return boost::json::serialize(boost::json::string(RepairUtf8(text)));
}

}  // namespace

void PrettyJson::BeginLine() {
  if (depth_ == 0) return;
  absl::StrAppend(&text_, empty_ ? "\n" : ",\n", std::string(2 * depth_, ' '));
  empty_ = false;
}

void PrettyJson::Name(std::string_view name) {
  BeginLine();
  absl::StrAppend(&text_, Literal(name), ": ");
}

void PrettyJson::Open(char bracket, std::string_view name) {
  Name(name);
  text_ += bracket;
  ++depth_;
  empty_ = true;
}

void PrettyJson::Open(char bracket) {
  BeginLine();
  text_ += bracket;
  ++depth_;
  empty_ = true;
}

void PrettyJson::Close(char bracket) {
  --depth_;
  if (!empty_) absl::StrAppend(&text_, "\n", std::string(2 * depth_, ' '));
  text_ += bracket;
  empty_ = false;
}

void PrettyJson::Add(std::string_view name, std::string_view value) {
  Name(name);
  text_ += Literal(value);
}

void PrettyJson::Add(std::string_view name, int value) {
  Name(name);
  absl::StrAppend(&text_, value);
}

void PrettyJson::Add(std::string_view name, bool value) {
  Name(name);
  text_ += value ? "true" : "false";
}

void PrettyJson::Add(std::string_view name, absl::Duration value) {
  Name(name);
  absl::StrAppend(&text_, absl::ToDoubleSeconds(value));
}

void PrettyJson::Add(std::string_view item) {
  BeginLine();
  text_ += Literal(item);
}

}  // namespace thaw
