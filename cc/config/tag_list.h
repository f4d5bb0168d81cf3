// DD_TAGS and other texts that list tags.
//
//   ParseTagList("team:data,key1 : val1").tags;  // {"team", "data"}, {"key1", "val1"}
//
// The rule is the one of Datadog's tracers, as their shared system tests have it (DD_TAGS in "configuration
// consistency"): where a comma stands anywhere, tags are separated by commas, else by white space. The first
// colon separates name and value; white space around each is removed. A tag without a colon, or with nothing
// after it, has an empty value.

#ifndef THAW_CC_CONFIG_TAG_LIST_H_
#define THAW_CC_CONFIG_TAG_LIST_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace thaw {

struct TagList {
  std::vector<std::pair<std::string, std::string>> tags;  // name and value, in the text's order
  std::vector<std::string> nameless;                      // what has no name, ":value", and is left out
};

TagList ParseTagList(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_TAG_LIST_H_
