// Writes JSON for people to read: one member per line, indented by two spaces.
//
//   PrettyJson json;
//   json.Open('{');
//   json.Add("site", "datadoghq.com");
//   json.Open('[', "hosts");
//   json.Add("a");
//   json.Close(']');
//   json.Close('}');
//   std::move(json).Take();

#ifndef THAW_CC_CONFIG_PRETTY_JSON_H_
#define THAW_CC_CONFIG_PRETTY_JSON_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"

namespace thaw {

class PrettyJson {
 public:
  // Begins an object or a list; in an object, as the value of `name`.
  void Open(char bracket, std::string_view name);
  void Open(char bracket);
  void Close(char bracket);

  // Adds a member to an object. A duration is written as seconds.
  void Add(std::string_view name, std::string_view value);
  void Add(std::string_view name, const char* value) { Add(name, std::string_view(value)); }
  void Add(std::string_view name, int value);
  void Add(std::string_view name, bool value);
  void Add(std::string_view name, absl::Duration value);
  // Adds an item to a list.
  void Add(std::string_view item);

  // Returns the whole text, without a line end after it.
  std::string Take() && { return std::move(text_); }

 private:
  void BeginLine();
  void Name(std::string_view name);

  std::string text_;
  int depth_ = 0;
  bool empty_ = true;  // the innermost object or list has no member yet
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_PRETTY_JSON_H_
