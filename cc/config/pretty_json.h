// Writes JSON that people read: one member to a line, indented by two spaces.
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
  // Begins an object or a list, as the value of `name` where it is in an object.
  void Open(char bracket, std::string_view name);
  void Open(char bracket);
  void Close(char bracket);

  // A member of an object. A duration is its seconds.
  void Add(std::string_view name, std::string_view value);
  void Add(std::string_view name, const char* value) { Add(name, std::string_view(value)); }
  void Add(std::string_view name, int value);
  void Add(std::string_view name, bool value);
  void Add(std::string_view name, absl::Duration value);
  // An item of a list.
  void Add(std::string_view item);

  // The whole, without a line's end after it.
  std::string Take() && { return std::move(text_); }

 private:
  void BeginLine();
  void Name(std::string_view name);

  std::string text_;
  int depth_ = 0;
  bool empty_ = true;  // nothing stands yet in the innermost object or list
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_PRETTY_JSON_H_
