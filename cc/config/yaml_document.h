// The text of a datadog.yaml, parsed, and looked up by dotted paths.
//
//   THAW_ASSIGN_OR_RETURN(const YamlDocument document, YamlDocument::Parse(text));
//   document.Text("apm_config.apm_dd_url");
//
// Scalars stay the text that stands there: `site: 007` is "007". An alias is the value it names, shared, so
// that a document of a few lines that would fill the memory with copies doesn't. `<<: *defaults` merges the
// keys of another map, or of a list of maps, into its own (YAML 1.1's merge key): a key that the map has
// itself wins, and of several maps the first one.
//
// Errors are InvalidArgument and name line and column, both from 1. No error shows anything of the document:
// it holds keys.

#ifndef THAW_CC_CONFIG_YAML_DOCUMENT_H_
#define THAW_CC_CONFIG_YAML_DOCUMENT_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace thaw {

class YamlDocument {
 public:
  static constexpr size_t kMaxBytes = 1 << 20;
  static constexpr int kMaxDepth = 64;

  using MapOfLists = std::map<std::string, std::vector<std::string>>;

  struct Key {
    std::string path;  // dotted
    int line = 0;
    int column = 0;
  };

  // An empty text is an empty map. Refuses what is no YAML, also where yaml-cpp accepts it (quotes that are
  // not closed, a key without a colon, characters that YAML does not allow, a second document); a document
  // that is no map; a key that stands twice in a map or is no text; an alias within the value it names; and
  // more bytes or deeper nesting than the limits, the latter before the parser recurses.
  static absl::StatusOr<YamlDocument> Parse(std::string_view text);

  // The text at `path`. Nothing if there is none, or null; an error if a list or a map stands there, or
  // something other than a map on the way.
  absl::StatusOr<std::optional<std::string>> Text(std::string_view path) const;
  // The texts in the list at `path`; a text that stands alone is a list of one.
  absl::StatusOr<std::vector<std::string>> List(std::string_view path) const;
  // The map of lists at `path`. Nothing if there is none, or null, or a text.
  absl::StatusOr<std::optional<MapOfLists>> Lists(std::string_view path) const;
  // What stands at `path` as JSON, its scalars as strings; a text that stands alone is itself, as it is JSON
  // already where it came from a variable. Nothing if there is nothing, or null.
  absl::StatusOr<std::optional<std::string>> Json(std::string_view path) const;
  // The keys whose path is neither in `known` nor the beginning of a path in it, by their place in the
  // document. What lies below such a key is not listed, nor are keys that begin with "x-", which by
  // convention hold what anchors name.
  std::vector<Key> KeysBeyond(const std::set<std::string, std::less<>>& known) const;

 private:
  class Builder;
  enum class Type { kNull, kText, kList, kMap };
  struct Entry {
    size_t key;  // indices of nodes
    size_t value;
  };
  struct Node {
    Type type = Type::kNull;
    int line = 0;
    int column = 0;
    std::string text;
    std::vector<size_t> items;                         // of a list: indices of nodes
    std::map<std::string, Entry, std::less<>> values;  // of a map
  };

  void AddKeysBeyond(const std::set<std::string, std::less<>>& known, const Node& map, std::string_view path,
                     std::vector<Key>& keys) const;
  static std::string_view Name(Type type);
  static absl::Status Wrong(const Node& node, std::string_view what, std::string_view wanted);
  // Null if nothing or null stands there.
  absl::StatusOr<const Node*> Find(std::string_view path) const;
  // Appends the node's JSON. The depth is bounded by the document's.
  absl::Status AppendJson(const Node& node, std::string_view path, std::string& json) const;
  absl::StatusOr<std::vector<std::string>> TextsOf(const Node& node, std::string_view path,
                                                   size_t& room) const;

  std::vector<Node> nodes_;  // the first one is the document
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_DOCUMENT_H_
