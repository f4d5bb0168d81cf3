// Parses lists of tags, such as DD_TAGS.
//
//   ParseTagList("team:data,key1 : val1").tags;  // {"team", "data"}, {"key1", "val1"}
//
// The rule is that of Datadog's tracers, as their shared system tests have it (DD_TAGS in "configuration
// consistency"): if there is a comma anywhere, commas separate tags, else white space does. The first colon
// separates name and value; white space around each is removed. A tag without a colon, or with nothing after
// it, has an empty value.

#ifndef THAW_CC_CONFIG_TAG_LIST_H_
#define THAW_CC_CONFIG_TAG_LIST_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace thaw {

struct TagList {
  std::vector<std::pair<std::string, std::string>> tags;  // name and value, in the text's order
  std::vector<std::string> nameless;  // entries without a name, ":value", which are left out
};

TagList ParseTagList(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_TAG_LIST_H_
