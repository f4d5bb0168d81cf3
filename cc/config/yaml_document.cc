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
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"
#include "yaml-cpp/parser.h"

namespace thaw {
namespace {

// Of the copies that a caller gets. Aliases let a short document have long lists many times.
constexpr size_t kMaxListBytes = 4 << 20;

absl::Status At(int line, int column, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ", column ", column, ": ", what));
}

// What yaml-cpp says, without the part of the document that it appends after a colon.
absl::Status FromException(const YAML::Exception& exception) {
  const std::string_view message = std::string_view(exception.msg).substr(0, exception.msg.find(": "));
  if (exception.mark.is_null()) return absl::InvalidArgumentError(message);
  return At(exception.mark.line + 1, exception.mark.column + 1, message);
}

}  // namespace

// Makes nodes of what the parser reports as it goes.
class YamlDocument::Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::vector<Node>& nodes) : nodes_(nodes) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Attach(Add(Type::kNull, mark, anchor), mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    const size_t node = Add(Type::kText, mark, anchor);
    nodes_[node].text = value;
    Attach(node, mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto node = anchored_.find(anchor);
    if (node == anchored_.end()) throw YAML::ParserException(mark, "an alias of something that is not there");
    if (open_.contains(node->second)) {
      throw YAML::ParserException(mark, "an alias stands within the value that it names");
    }
    Attach(node->second, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Type::kList, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Type::kMap, mark, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    size_t node;
    YAML::Mark mark;
    std::optional<std::string> key;  // of a map: read, and its value not yet
  };

  size_t Add(Type type, const YAML::Mark& mark, YAML::anchor_t anchor) {
    nodes_.push_back({.type = type, .line = mark.line + 1, .column = mark.column + 1});
    if (anchor != YAML::NullAnchor) anchored_[anchor] = nodes_.size() - 1;
    return nodes_.size() - 1;
  }
  void Open(Type type, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() == kMaxDepth) {
      throw YAML::ParserException(mark, absl::StrCat("nested more than ", kMaxDepth, " deep"));
    }
    const size_t node = Add(type, mark, anchor);
    open_.insert(node);
    stack_.push_back({.node = node, .mark = mark, .key = std::nullopt});
  }
  void Close() {
    const Frame frame = std::move(stack_.back());
    stack_.pop_back();
    open_.erase(frame.node);
    Attach(frame.node, frame.mark);
  }
  // Puts a whole node where it belongs in the collection that is open.
  void Attach(size_t node, const YAML::Mark& mark) {
    if (stack_.empty()) return;
    Frame& frame = stack_.back();
    Node& parent = nodes_[frame.node];
    if (parent.type == Type::kList) {
      parent.items.push_back(node);
    } else if (!frame.key.has_value()) {
      if (nodes_[node].type != Type::kText) throw YAML::ParserException(mark, "a key that is not a text");
      if (parent.values.contains(nodes_[node].text)) {
        throw YAML::ParserException(mark, "a key that its map has already");
      }
      frame.key = nodes_[node].text;
    } else {
      parent.values.emplace(*std::move(frame.key), node);
      frame.key.reset();
    }
  }

  std::vector<Node>& nodes_;
  std::vector<Frame> stack_;
  std::unordered_set<size_t> open_;
  std::unordered_map<YAML::anchor_t, size_t> anchored_;
};

absl::StatusOr<YamlDocument> YamlDocument::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", text.size(), " bytes, more than ", kMaxBytes));
  }
  YamlDocument document;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(document.nodes_);
    parser.HandleNextDocument(builder);
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
  return At(node.line, node.column, absl::StrCat(what, " is ", Name(node.type), " and must be ", wanted));
}

absl::StatusOr<const YamlDocument::Node*> YamlDocument::Find(std::string_view path) const {
  const Node* node = &nodes_[0];
  for (size_t begin = 0; begin <= path.size();) {
    if (node->type != Type::kMap) return Wrong(*node, path.substr(0, begin - 1), "a map");
    const size_t end = std::min(path.find('.', begin), path.size());
    const auto value = node->values.find(path.substr(begin, end - begin));
    if (value == node->values.end()) return nullptr;
    node = &nodes_[value->second];
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
    if (text.type != Type::kText) return Wrong(text, absl::StrCat("what is listed in ", path), "a text");
    const size_t bytes = text.text.size() + sizeof(std::string);
    if (bytes > room) return At(node.line, node.column, absl::StrCat(path, " is too long"));
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
  if (json.size() > kMaxListBytes) return At(node.line, node.column, absl::StrCat(path, " is too long"));
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
      for (const auto& [key, value] : node.values) {
        json += separator;
        json += boost::json::serialize(boost::json::string_view(key));
        json += ':';
        THAW_RETURN_IF_ERROR(AppendJson(nodes_[value], path, json));
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
  for (const auto& [key, value] : node->values) {
    if (nodes_[value].type == Type::kNull) continue;
    THAW_ASSIGN_OR_RETURN(lists[key], TextsOf(nodes_[value], absl::StrCat("each value in ", path), room));
  }
  return lists;
}

}  // namespace thaw
