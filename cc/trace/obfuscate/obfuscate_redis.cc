#include "cc/trace/obfuscate/obfuscate_redis.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace thaw {
namespace {

constexpr std::string_view kTruncationMark = "...";
constexpr int kMostCommands = 3;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Splits commands into words.
class RedisWords {
 public:
  explicit RedisWords(std::string_view text) : text_(text) {}

  // Moves to the next line that has a word, past the rest of this one. Returns false if there is none.
  bool NextCommand() {
    std::string_view word;
    while (begun_ && NextWord(word)) {
    }
    begun_ = true;
    while (position_ < text_.size() && (IsBlank(text_[position_]) || text_[position_] == '\n')) ++position_;
    return position_ < text_.size();
  }

  // Returns false at the end of the line.
  bool NextWord(std::string_view& word) {
    while (position_ < text_.size() && IsBlank(text_[position_])) ++position_;
    if (position_ == text_.size() || text_[position_] == '\n') return false;
    const size_t begin = position_;
    if (text_[position_] == '"') position_ = EndOfQuoted(position_);
    while (position_ < text_.size() && !IsBlank(text_[position_]) && text_[position_] != '\n') ++position_;
    word = text_.substr(begin, position_ - begin);
    return true;
  }

 private:
  size_t EndOfQuoted(size_t at) const {
    while (++at < text_.size()) {
      if (text_[at] == '"') return at + 1;
      if (text_[at] == '\\') ++at;
    }
    return text_.size();
  }

  const std::string_view text_;
  size_t position_ = 0;
  bool begun_ = false;  // within a line
};

// Accepts letters, digits, '.', '_' and '-' after a letter: "FT.SEARCH".
bool MayBeCommandName(std::string_view word) {
  constexpr size_t kLongest = 32;
  return word.size() <= kLongest && absl::ascii_isalpha(word[0]) &&
         std::all_of(word.begin(), word.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; });
}

void AppendName(std::string_view name, std::string& out) {
  if (!MayBeCommandName(name)) {
    out.push_back('?');
    return;
  }
  for (const char c : name) out.push_back(absl::ascii_toupper(c));
}

bool HasSubcommand(std::string_view command) {
  for (const std::string_view name : {"CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "SCRIPT"})
    if (absl::EqualsIgnoreCase(command, name)) return true;
  return false;
}

// The arguments of a command that are hidden: `first`, counted from 0, and each `step`-th after it.
struct Rule {
  std::string_view command;
  size_t first;
  size_t step;
};
constexpr size_t kOnly = std::numeric_limits<size_t>::max();
// One '?' replaces the first and all that follow.
constexpr size_t kRest = 0;

constexpr Rule kRules[] = {
    {"AUTH", 0, kRest},       {"APPEND", 1, kOnly},   {"GETSET", 1, kOnly},
    {"LPUSHX", 1, kRest},     {"RPUSHX", 1, kRest},   {"GEORADIUSBYMEMBER", 1, kOnly},
    {"SET", 1, kOnly},        {"SETNX", 1, kOnly},    {"SISMEMBER", 1, kOnly},
    {"ZRANK", 1, kOnly},      {"ZREVRANK", 1, kOnly}, {"ZSCORE", 1, kOnly},
    {"HSET", 2, 2},           {"HSETNX", 2, kOnly},   {"LREM", 2, kOnly},
    {"LSET", 2, kOnly},       {"SETBIT", 2, kOnly},   {"SETEX", 2, kOnly},
    {"PSETEX", 2, kOnly},     {"SETRANGE", 2, kOnly}, {"ZINCRBY", 2, kOnly},
    {"SMOVE", 2, kOnly},      {"RESTORE", 2, kOnly},  {"LINSERT", 3, kOnly},
    {"GEOHASH", 1, kRest},    {"GEOPOS", 1, kRest},   {"GEODIST", 1, kRest},
    {"LPUSH", 1, kRest},      {"RPUSH", 1, kRest},    {"SREM", 1, kRest},
    {"ZREM", 1, kRest},       {"SADD", 1, kRest},     {"GEOADD", 3, 3},
    {"HMSET", 2, 2},          {"MSET", 1, 2},         {"MSETNX", 1, 2},
    {"SMISMEMBER", 1, kRest}, {"ZMSCORE", 1, kRest},  {"HELLO", 1, kRest},
};

const Rule* FindRule(std::string_view command) {
  for (const Rule& rule : kRules)
    if (absl::EqualsIgnoreCase(command, rule.command)) return &rule;
  return nullptr;
}

// Decides which of one command's arguments are hidden; they are passed in their order.
class ArgumentFilter {
 public:
  enum class Verdict { kShow, kHide, kHideRest };

  explicit ArgumentFilter(std::string_view command)
      : rule_(FindRule(command)),
        config_(absl::EqualsIgnoreCase(command, "CONFIG")),
        bitfield_(absl::EqualsIgnoreCase(command, "BITFIELD")),
        zadd_(absl::EqualsIgnoreCase(command, "ZADD")) {}

  Verdict Next(std::string_view argument) {
    const size_t index = index_++;
    if (rule_ != nullptr) return Decide(index, rule_->first, rule_->step);
    // CONFIG SET parameter value …
    if (config_) {
      if (index == 0) active_ = absl::EqualsIgnoreCase(argument, "SET");
      return active_ ? Decide(index, 2, 2) : Verdict::kShow;
    }
    // BITFIELD key … SET type offset value …
    if (bitfield_) {
      if (index > 0 && absl::EqualsIgnoreCase(argument, "SET")) {
        active_ = true;
        first_ = index + 3;
      }
      return active_ ? Decide(index, first_, kOnly) : Verdict::kShow;
    }
    // ZADD key [options] score member …
    if (zadd_ && index > 0) {
      if (!active_ && !IsZaddOption(argument)) {
        active_ = true;
        first_ = index + 1;
      }
      return active_ ? Decide(index, first_, 2) : Verdict::kShow;
    }
    return Verdict::kShow;
  }

 private:
  static Verdict Decide(size_t index, size_t first, size_t step) {
    if (index < first) return Verdict::kShow;
    if (step == kRest) return Verdict::kHideRest;
    return (index - first) % step == 0 ? Verdict::kHide : Verdict::kShow;
  }

  static bool IsZaddOption(std::string_view argument) {
    for (const std::string_view option : {"NX", "XX", "GT", "LT", "CH", "INCR"})
      if (absl::EqualsIgnoreCase(argument, option)) return true;
    return false;
  }

  const Rule* const rule_;
  const bool config_, bitfield_, zadd_;
  bool active_ = false;
  size_t first_ = 0;
  size_t index_ = 0;
};

}  // namespace

void QuantizeRedisCommands(std::string_view commands, std::string& out) {
  out.clear();
  RedisWords words(commands);
  int written = 0;
  bool truncated = false;
  while (written < kMostCommands && words.NextCommand()) {
    std::string_view name, subcommand;
    words.NextWord(name);
    truncated = absl::EndsWith(name, kTruncationMark);
    if (truncated) continue;
    const bool both = HasSubcommand(name) && words.NextWord(subcommand);
    truncated = both && absl::EndsWith(subcommand, kTruncationMark);
    if (truncated) continue;
    if (!out.empty()) out.push_back(' ');
    AppendName(name, out);
    if (both) {
      out.push_back(' ');
      AppendName(subcommand, out);
    }
    ++written;
  }
  if (written < kMostCommands && !truncated) return;
  if (!out.empty()) out.push_back(' ');
  out.append(kTruncationMark);
}

void ObfuscateRedisCommands(std::string_view commands, std::string& out) {
  out.clear();
  RedisWords words(commands);
  while (words.NextCommand()) {
    if (!out.empty()) out.push_back('\n');
    std::string_view word;
    words.NextWord(word);
    out.append(word);
    ArgumentFilter filter(word);
    while (words.NextWord(word)) {
      const ArgumentFilter::Verdict verdict = filter.Next(word);
      out.push_back(' ');
      out.append(verdict == ArgumentFilter::Verdict::kShow ? word : "?");
      if (verdict == ArgumentFilter::Verdict::kHideRest) break;
    }
  }
}

}  // namespace thaw
