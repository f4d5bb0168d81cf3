// The rules by which an obfuscated query is written, token by token: which tokens are left out, and where '?'
// stands for a list. SqlObfuscator finds the tokens.
//
//   std::string out;
//   SqlRules rules(out);
//   rules.Token(SqlToken::kName, "c");
//   rules.Token(SqlToken::kEquals, "=");
//   rules.Token(SqlToken::kValue, "?");   // out is "c = ?"
//
// Everything is defined in this header, so that it is compiled into the tokenizer's loop.

#ifndef THAW_CC_TRACE_OBFUSCATE_SQL_RULES_H_
#define THAW_CC_TRACE_OBFUSCATE_SQL_RULES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"

namespace thaw {

inline constexpr std::string_view kSqlPlaceholder = "?";

// The meaning of a token to the rules.
enum class SqlToken : uint8_t {
  kNone,         // before the first token, and for a token that was left out
  kDroppedOpen,  // a '(' that was left out: it may turn out to begin a subquery
  kName,
  kQuery,        // SELECT, UPDATE, DELETE
  kListKeyword,  // IN, VALUES
  kAs,
  kSavepoint,
  kEscape,
  kEquals,
  kComparison,
  kOpen,
  kClose,
  kCloseBracket,
  kComma,
  kValue,  // a literal, and ';'
  kOther,
};

inline bool IsName(SqlToken kind) {
  return kind == SqlToken::kName || kind == SqlToken::kQuery || kind == SqlToken::kListKeyword ||
         kind == SqlToken::kEscape;
}

inline SqlToken SqlTokenOfName(std::string_view name) {
  const auto is = [name](std::string_view keyword) { return absl::EqualsIgnoreCase(name, keyword); };
  switch (name.size()) {
    case 2:
      return is("AS") ? SqlToken::kAs : is("IN") ? SqlToken::kListKeyword : SqlToken::kName;
    case 4:
      return is("NULL") || is("TRUE") ? SqlToken::kValue
             : is("LIKE")             ? SqlToken::kComparison
                                      : SqlToken::kName;
    case 5:
      return is("FALSE") ? SqlToken::kValue : is("ILIKE") ? SqlToken::kComparison : SqlToken::kName;
    case 6:
      return is("SELECT") || is("UPDATE") || is("DELETE") ? SqlToken::kQuery
             : is("VALUES")                               ? SqlToken::kListKeyword
             : is("ESCAPE")                               ? SqlToken::kEscape
                                                          : SqlToken::kName;
    case 9:
      return is("SAVEPOINT") ? SqlToken::kSavepoint : SqlToken::kName;
    default:
      return SqlToken::kName;
  }
}

class SqlRules {
 public:
  // Small, since each token may be the one to go back to.
  struct State {
    size_t written = 0;
    uint32_t dropped_depth = 0;           // parentheses open in a row that is left out
    uint32_t list_depth = 0;              // parentheses open in a list of values
    SqlToken previous = SqlToken::kNone;  // the last token, written or not
    SqlToken last = SqlToken::kNone;      // the last token as written
    bool in_values = false;               // a '?' was written, and after it only elements of a list
    bool row_written = false;             // "( ?" was written; another '(' begins a row like it
    bool row_may_follow = false;          // '(' would begin a list of values
  };

  // Appends to `out`, which must outlive it.
  explicit SqlRules(std::string& out) : out_(out) {}

  const State& state() const { return state_; }

  // Takes back what was written since `state`.
  void GoBackTo(const State& state) {
    state_ = state;
    out_.resize(state_.written);
  }

  // Writes the next token, or leaves it out.
  void Token(SqlToken kind, std::string_view text) {
    state_.previous = kind;
    FollowList(kind);
    if (state_.dropped_depth > 0) {
      if (state_.last != SqlToken::kDroppedOpen || !IsName(kind)) return Drop(kind);
      // Not a further row of values but a subquery: its parentheses are written after all.
      for (; state_.dropped_depth > 0; --state_.dropped_depth) Write(SqlToken::kOpen, "(");
      EndList();
    }
    if (state_.last == SqlToken::kAs) {
      state_.last = SqlToken::kNone;
      return;
    }
    if (state_.last == SqlToken::kSavepoint) {
      kind = SqlToken::kValue;
      text = kSqlPlaceholder;
    }
    switch (kind) {
      case SqlToken::kAs:
        EndList();
        state_.last = SqlToken::kAs;
        return;
      case SqlToken::kOpen:
        if (state_.row_written) return Drop(kind);
        state_.in_values = false;
        break;
      case SqlToken::kValue:
        state_.row_written |= state_.last == SqlToken::kOpen;
        if (std::exchange(state_.in_values, true)) {
          state_.last = SqlToken::kNone;
          return;
        }
        break;
      case SqlToken::kComma:
        if (state_.in_values) {
          state_.last = SqlToken::kNone;
          return;
        }
        break;
      case SqlToken::kClose:
        break;
      default:
        EndList();
    }
    Write(kind, text);
  }

 private:
  void Drop(SqlToken kind) {
    state_.last = kind == SqlToken::kOpen ? SqlToken::kDroppedOpen : SqlToken::kNone;
    if (kind == SqlToken::kOpen) ++state_.dropped_depth;
    if (kind == SqlToken::kClose) --state_.dropped_depth;
  }

  void EndList() { state_.in_values = state_.row_written = false; }

  // Tracks the lists in which texts in double quotes are values.
  void FollowList(SqlToken kind) {
    switch (kind) {
      case SqlToken::kOpen:
        if (state_.list_depth > 0 || state_.row_may_follow) ++state_.list_depth;
        break;
      case SqlToken::kClose:
        if (state_.list_depth > 0 && --state_.list_depth == 0) {
          state_.row_may_follow = true;
          return;
        }
        break;
      case SqlToken::kComma:
        return;
      case SqlToken::kQuery:
        state_.list_depth = 0;
        break;
      default:
        break;
    }
    state_.row_may_follow = kind == SqlToken::kListKeyword;
  }

  void Write(SqlToken kind, std::string_view text) {
    if (!text.empty()) {
      if (!out_.empty() && kind != SqlToken::kComma) out_.push_back(' ');
      out_.append(text);
    }
    state_.written = out_.size();
    state_.last = kind;
  }

  std::string& out_;
  State state_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_SQL_RULES_H_
