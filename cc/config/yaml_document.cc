#include "cc/config/yaml_document.h"

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/json/serialize.hpp"
#include "boost/json/string_view.hpp"
#include "cc/base/status_macros.h"
#include "cc/config/yaml_source.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"
#include "yaml-cpp/parser.h"

namespace thaw {
namespace {

// Limits the copies that a caller gets: aliases let a short document repeat long lists many times.
constexpr size_t kMaxListBytes = 4 << 20;

// Limits the keys that merge keys copy, which a short document can repeat many times.
constexpr size_t kMaxMergedBytes = 1 << 20;
constexpr size_t kBytesOfAnEntry = 96;  // the size of a map's node beside the key's text

// Returns yaml-cpp's error without the part of the document that it appends after a colon.
absl::Status FromException(const YAML::Exception& exception) {
  const std::string_view message = std::string_view(exception.msg).substr(0, exception.msg.find(": "));
  if (exception.mark.is_null()) return absl::InvalidArgumentError(message);
  return AtYamlPlace(exception.mark.line + 1, exception.mark.column + 1, message);
}

}  // namespace

// Makes nodes from the parser's events.
class YamlDocument::Builder : public YAML::EventHandler {
 public:
  // `text` is the text that the parser reads.
  Builder(std::string_view text, std::vector<Node>& nodes) : text_(text), nodes_(nodes) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (!nodes_.empty())
      throw YAML::ParserException(mark, "the text that begins here does not belong to the document");
  }
  void OnDocumentEnd() override {
    if (plain_fault_.has_value()) throw *plain_fault_;
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // yaml-cpp takes a line without a colon as a key and reports its value at the key's own position.
    if (InBlockMap() && stack_.back().key.has_value() && mark.pos <= stack_.back().key_mark.pos) {
      throw YAML::ParserException(stack_.back().key_mark, "a key without a colon after it");
    }
    Attach(Add(Type::kNull, mark, anchor), mark, /*is_plain=*/false);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckScalarQuotes(mark);
    CheckPlainScalar(mark, value);
    const size_t node = Add(Type::kText, mark, anchor);
    nodes_[node].text = value;
    Attach(node, mark, tag == kPlain);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto node = anchored_.find(anchor);
    if (node == anchored_.end())
      throw YAML::ParserException(mark, "an alias whose anchor does not come before it");
    if (open_.contains(node->second)) {
      throw YAML::ParserException(mark, "an alias stands within the value that it names");
    }
    Attach(node->second, mark, /*is_plain=*/false);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(Type::kList, mark, anchor, style);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(Type::kMap, mark, anchor, style);
  }
  void OnMapEnd() override {
    Merge(stack_.back());
    Close();
  }

 private:
  // The tag that yaml-cpp gives a scalar without quotes and without a tag of its own.
  static constexpr std::string_view kPlain = "?";

  struct Frame {
    size_t node;
    YAML::Mark mark;
    int indent;                  // column, from 0, of the innermost block collection
    bool is_block;               // this frame is that collection
    std::optional<size_t> key;   // in a map: the key whose value was not read yet
    YAML::Mark key_mark;         // position of that key
    bool key_merges = false;     // that key is the merge key
    std::vector<size_t> merged;  // values of merge keys
  };

  bool InBlockMap() const {
    return !stack_.empty() && stack_.back().is_block && nodes_[stack_.back().node].type == Type::kMap;
  }
  void CheckScalarQuotes(const YAML::Mark& mark) const {
    const int indent = stack_.empty() ? -1 : stack_.back().indent;
    switch (CheckQuotes(text_, static_cast<size_t>(mark.pos), indent)) {
      case QuoteFault::kNone:
        break;
      case QuoteFault::kNotClosed:
        throw YAML::ParserException(mark, "quotes that are opened here and never closed");
      case QuoteFault::kNotIndented:
        throw YAML::ParserException(
            mark, "quotes that are opened here and not closed on the line; further lines need indentation");
    }
  }
  // Keeps the first fault until the end: an error of the parser's own has the more exact place.
  void CheckPlainScalar(const YAML::Mark& mark, std::string_view value) {
    if (plain_fault_.has_value()) return;
    switch (CheckPlain(text_, static_cast<size_t>(mark.pos), value)) {
      case PlainFault::kNone:
        break;
      case PlainFault::kGoesOn:
        plain_fault_.emplace(
            mark, "a text without quotes that goes on in the next line, as where a colon is missing");
        break;
      case PlainFault::kDash:
        plain_fault_.emplace(mark, "a dash without a space after it, as where a list is meant");
        break;
    }
  }
  size_t Add(Type type, const YAML::Mark& mark, YAML::anchor_t anchor) {
    nodes_.push_back({.type = type, .line = mark.line + 1, .column = mark.column + 1});
    if (anchor != YAML::NullAnchor) anchored_[anchor] = nodes_.size() - 1;
    return nodes_.size() - 1;
  }
  void Open(Type type, const YAML::Mark& mark, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    if (stack_.size() == kMaxDepth) {
      throw YAML::ParserException(mark, absl::StrCat("nested more than ", kMaxDepth, " deep"));
    }
    const bool is_block = style == YAML::EmitterStyle::Block;
    const int outer = stack_.empty() ? -1 : stack_.back().indent;
    const size_t node = Add(type, mark, anchor);
    open_.insert(node);
    Frame& frame = stack_.emplace_back();
    frame.node = node;
    frame.mark = mark;
    frame.is_block = is_block;
    frame.indent = is_block ? mark.column : outer;
  }
  void Close() {
    const Frame frame = std::move(stack_.back());
    stack_.pop_back();
    open_.erase(frame.node);
    Attach(frame.node, frame.mark, /*is_plain=*/false);
  }
  // Adds a complete node to the open collection. `is_plain`: the node is a text without quotes.
  void Attach(size_t node, const YAML::Mark& mark, bool is_plain) {
    if (stack_.empty()) return;
    Frame& frame = stack_.back();
    Node& parent = nodes_[frame.node];
    if (parent.type == Type::kList) {
      parent.items.push_back(node);
    } else if (!frame.key.has_value()) {
      if (nodes_[node].type != Type::kText) throw YAML::ParserException(mark, "a key that is not a text");
      frame.key_merges = is_plain && nodes_[node].text == "<<";
      if (!frame.key_merges && parent.values.contains(nodes_[node].text)) {
        throw YAML::ParserException(mark, "a key that is in its map already");
      }
      frame.key = node;
      frame.key_mark = mark;
    } else {
      if (frame.key_merges) {
        CheckMerged(node, mark);
        frame.merged.push_back(node);
      } else {
        parent.values.emplace(nodes_[*frame.key].text, Entry{.key = *frame.key, .value = node});
      }
      frame.key.reset();
    }
  }
  void CheckMerged(size_t node, const YAML::Mark& mark) const {
    const Node& value = nodes_[node];
    const auto is_map = [this](size_t item) { return nodes_[item].type == Type::kMap; };
    const bool is_list_of_maps =
        value.type == Type::kList && std::all_of(value.items.begin(), value.items.end(), is_map);
    if (value.type != Type::kMap && !is_list_of_maps) {
      throw YAML::ParserException(mark, "the merge key << needs a map or a list of maps");
    }
  }
  // Adds to a map the keys of the maps that its merge keys name.
  void Merge(const Frame& frame) {
    const auto add = [&](const Node& map) {
      for (const auto& [key, entry] : map.values) {
        const size_t bytes = key.size() + kBytesOfAnEntry;
        if (bytes > merge_room_) throw YAML::ParserException(frame.mark, "merge keys copy too many keys");
        merge_room_ -= bytes;
        nodes_[frame.node].values.emplace(key, entry);
      }
    };
    for (const size_t merged : frame.merged) {
      if (nodes_[merged].type == Type::kMap) {
        add(nodes_[merged]);
      } else {
        for (const size_t item : nodes_[merged].items) add(nodes_[item]);
      }
    }
  }

  const std::string_view text_;
  std::vector<Node>& nodes_;
  std::vector<Frame> stack_;
  std::unordered_set<size_t> open_;
  std::unordered_map<YAML::anchor_t, size_t> anchored_;
  size_t merge_room_ = kMaxMergedBytes;
  std::optional<YAML::ParserException> plain_fault_;
};

absl::StatusOr<YamlDocument> YamlDocument::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", text.size(), " bytes, more than ", kMaxBytes));
  }
  THAW_RETURN_IF_ERROR(CheckYamlCharacters(text));
  YamlDocument document;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(text, document.nodes_);
    // The parser stops, without an error, where it sees the document's end; anything after that is rejected.
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& exception) {
    return FromException(exception);
  } catch (const std::exception& exception) {
    return absl::InvalidArgumentError("the YAML parser gave up");
  }
  if (document.nodes_.empty() || document.nodes_[0].type == Type::kNull) {
    document.nodes_.assign(1, {.type = Type::kMap, .line = 1, .column = 1});
  }
  if (document.nodes_[0].type != Type::kMap) return Wrong(document.nodes_[0], "the document", "a map");
  return document;
}

std::string_view YamlDocument::Name(Type type) {
  switch (type) {
    case Type::kNull:
      return "null";
    case Type::kText:
      return "a text";
    case Type::kList:
      return "a list";
    case Type::kMap:
      return "a map";
  }
  return "";
}

absl::Status YamlDocument::Wrong(const Node& node, std::string_view what, std::string_view wanted) {
  return AtYamlPlace(node.line, node.column,
                     absl::StrCat(what, " is ", Name(node.type), " and must be ", wanted));
}

absl::StatusOr<const YamlDocument::Node*> YamlDocument::Find(std::string_view path) const {
  const Node* node = &nodes_[0];
  for (size_t begin = 0; begin <= path.size();) {
    if (node->type != Type::kMap) return Wrong(*node, path.substr(0, begin - 1), "a map");
    const size_t end = std::min(path.find('.', begin), path.size());
    const auto value = node->values.find(path.substr(begin, end - begin));
    if (value == node->values.end()) return nullptr;
    node = &nodes_[value->second.value];
    if (node->type == Type::kNull) return nullptr;
    begin = end + 1;
  }
  return node;
}

absl::StatusOr<std::vector<std::string>> YamlDocument::TextsOf(const Node& node, std::string_view path,
                                                               size_t& room) const {
  if (node.type != Type::kList && node.type != Type::kText) return Wrong(node, path, "a list of texts");
  std::vector<std::string> texts;
  const auto add = [&](const Node& text) {
    if (text.type != Type::kText) return Wrong(text, absl::StrCat("an entry of ", path), "a text");
    const size_t bytes = text.text.size() + sizeof(std::string);
    if (bytes > room) return AtYamlPlace(node.line, node.column, absl::StrCat(path, " is too long"));
    room -= bytes;
    texts.push_back(text.text);
    return absl::OkStatus();
  };
  if (node.type == Type::kText) THAW_RETURN_IF_ERROR(add(node));
  for (const size_t item : node.items) THAW_RETURN_IF_ERROR(add(nodes_[item]));
  return texts;
}

absl::StatusOr<std::optional<std::string>> YamlDocument::Text(std::string_view path) const {
  THAW_ASSIGN_OR_RETURN(const Node* const node, Find(path));
  if (node == nullptr) return std::nullopt;
  if (node->type != Type::kText) return Wrong(*node, path, "a text");
  return node->text;
}

absl::StatusOr<std::vector<std::string>> YamlDocument::List(std::string_view path) const {
  THAW_ASSIGN_OR_RETURN(const Node* const node, Find(path));
  if (node == nullptr) return std::vector<std::string>();
  size_t room = kMaxListBytes;
  return TextsOf(*node, path, room);
}

absl::Status YamlDocument::AppendJson(const Node& node, std::string_view path, std::string& json) const {
  // Aliases can make a short document long.
  if (json.size() > kMaxListBytes)
    return AtYamlPlace(node.line, node.column, absl::StrCat(path, " is too long"));
  switch (node.type) {
    case Type::kNull:
      json += "null";
      break;
    case Type::kText:
      json += boost::json::serialize(boost::json::string_view(node.text));
      break;
    case Type::kList:
      json += '[';
      for (size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) json += ',';
        THAW_RETURN_IF_ERROR(AppendJson(nodes_[node.items[i]], path, json));
      }
      json += ']';
      break;
    case Type::kMap: {
      json += '{';
      const char* separator = "";
      for (const auto& [key, entry] : node.values) {
        json += separator;
        json += boost::json::serialize(boost::json::string_view(key));
        json += ':';
        THAW_RETURN_IF_ERROR(AppendJson(nodes_[entry.value], path, json));
        separator = ",";
      }
      json += '}';
      break;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> YamlDocument::Json(std::string_view path) const {
  THAW_ASSIGN_OR_RETURN(const Node* const node, Find(path));
  if (node == nullptr) return std::nullopt;
  if (node->type == Type::kText) return node->text;
  std::string json;
  THAW_RETURN_IF_ERROR(AppendJson(*node, path, json));
  return json;
}

absl::StatusOr<std::optional<YamlDocument::MapOfLists>> YamlDocument::Lists(std::string_view path) const {
  THAW_ASSIGN_OR_RETURN(const Node* const node, Find(path));
  if (node == nullptr || node->type == Type::kText) return std::nullopt;
  if (node->type != Type::kMap) return Wrong(*node, path, "a map of lists");
  MapOfLists lists;
  size_t room = kMaxListBytes;
  for (const auto& [key, entry] : node->values) {
    const Node& value = nodes_[entry.value];
    if (value.type == Type::kNull) continue;
    THAW_ASSIGN_OR_RETURN(lists[key], TextsOf(value, absl::StrCat("each value in ", path), room));
  }
  return lists;
}

int YamlDocument::Line(std::string_view path) const {
  const absl::StatusOr<const Node*> node = Find(path);
  return node.ok() && *node != nullptr ? (*node)->line : 0;
}

void YamlDocument::AddKeysBeyond(const std::set<std::string, std::less<>>& known, const Node& map,
                                 std::string_view path, std::vector<Key>& keys) const {
  for (const auto& [name, entry] : map.values) {
    if (name.starts_with("x-")) continue;
    const std::string at = path.empty() ? name : absl::StrCat(path, ".", name);
    const Node& key = nodes_[entry.key];
    if (name.find('.') != std::string::npos) {
      keys.push_back({.path = at, .line = key.line, .column = key.column, .is_joined = true});
      continue;
    }
    if (known.contains(at)) continue;
    const auto after = known.lower_bound(absl::StrCat(at, "."));
    const bool leads_on = after != known.end() && after->starts_with(absl::StrCat(at, "."));
    const Node& value = nodes_[entry.value];
    if (!leads_on) {
      keys.push_back({.path = at, .line = key.line, .column = key.column});
    } else if (value.type == Type::kMap) {
      AddKeysBeyond(known, value, at, keys);
    }
  }
}

std::vector<YamlDocument::Key> YamlDocument::KeysBeyond(
    const std::set<std::string, std::less<>>& known) const {
  std::vector<Key> keys;
  AddKeysBeyond(known, nodes_[0], "", keys);
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return keys;
}

}  // namespace thaw
