// A parsed datadog.yaml, whose values are looked up by dotted paths.
//
//   THAW_ASSIGN_OR_RETURN(const YamlDocument document, YamlDocument::Parse(text));
//   document.Text("apm_config.apm_dd_url");
//
// Scalars keep their text: `site: 007` is "007". An alias shares the value that it names, so that a short
// document cannot fill the memory with copies. `<<: *defaults` merges the keys of another map, or of a list
// of maps, into its own (YAML 1.1's merge key): the map's own keys win, then those of the first map.
//
// Errors are InvalidArgument and name line and column, both from 1. They show nothing of the document, since
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
    std::string path;  // dotted path
    int line = 0;
    int column = 0;
    bool is_joined = false;  // several names of a path are joined by dots into this key
  };

  // Parses a document; an empty text is an empty map. Rejects invalid YAML, even if yaml-cpp accepts it
  // (quotes that are not closed, a key without a colon, characters that YAML does not allow, a second
  // document); a document that is not a map; a key that occurs twice in a map or is not a text; an alias
  // within the value it names; and more bytes or deeper nesting than the limits, the latter before the parser
  // recurses.
  static absl::StatusOr<YamlDocument> Parse(std::string_view text);

  // Returns the text at `path`, or nullopt if there is none, or null. Returns an error for a list or a map,
  // or if anything but a map is on the way.
  absl::StatusOr<std::optional<std::string>> Text(std::string_view path) const;
  // Returns the texts of the list at `path`; a single text is a list of one.
  absl::StatusOr<std::vector<std::string>> List(std::string_view path) const;
  // Returns the map of lists at `path`, or nullopt if there is none, or null, or a text.
  absl::StatusOr<std::optional<MapOfLists>> Lists(std::string_view path) const;
  // Returns the value at `path` as JSON, its scalars as strings, or nullopt if there is none, or null. A
  // single text is returned as it is: it is JSON already, as in the variable.
  absl::StatusOr<std::optional<std::string>> Json(std::string_view path) const;
  // Returns the line, from 1, of the value at `path`, or 0 if there is none, or null.
  int Line(std::string_view path) const;
  // Returns, in document order, the keys whose path is neither in `known` nor the beginning of a path in it, and
  // those that have a dot, which no path leads to. Keys below such a key are not listed, nor are keys that begin
  // with "x-", which by convention hold anchors.
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
    std::vector<size_t> items;                         // items of a list: indices of nodes
    std::map<std::string, Entry, std::less<>> values;  // entries of a map
  };

  void AddKeysBeyond(const std::set<std::string, std::less<>>& known, const Node& map, std::string_view path,
                     std::vector<Key>& keys) const;
  static std::string_view Name(Type type);
  static absl::Status Wrong(const Node& node, std::string_view what, std::string_view wanted);
  // Returns null if there is no value, or null, at `path`.
  absl::StatusOr<const Node*> Find(std::string_view path) const;
  // Appends the node's JSON. The depth is bounded by the document's.
  absl::Status AppendJson(const Node& node, std::string_view path, std::string& json) const;
  absl::StatusOr<std::vector<std::string>> TextsOf(const Node& node, std::string_view path,
                                                   size_t& room) const;

  std::vector<Node> nodes_;  // the first one is the document
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_DOCUMENT_H_
