#include "cc/trace/obfuscate/obfuscate_sql.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "cc/trace/obfuscate/sql_characters.h"
#include "cc/trace/obfuscate/sql_rules.h"

namespace thaw {
namespace {

class SqlObfuscator {
 public:
  SqlObfuscator(std::string_view query, SqlDialect dialect, std::string& out)
      : query_(query),
        dialect_(dialect),
        classes_(dialect == SqlDialect::kPostgreSql ? kPostgreSqlClasses : kSqlClasses),
        out_(out),
        rules_(out) {}

  SqlOutcome Run() {
    SqlOutcome outcome = SqlOutcome::kObfuscated;
    Place before;
    while (outcome == SqlOutcome::kObfuscated && SkipSpace()) {
      before = Here();
      outcome = Next();
    }
    if (doubt_.has_value()) {
      // Text that one reading shows after this point is quoted in the other.
      CutAt(*doubt_);
      outcome = SqlOutcome::kUnterminated;
    } else if (outcome == SqlOutcome::kUnterminated) {
      CutAt(before);
    }
    if (out_.empty()) outcome = SqlOutcome::kNotParsable;
    if (outcome == SqlOutcome::kNotParsable) out_ = kNotParsableSql;
    return outcome;
  }

 private:
  // The tokenizer's part of a place to go back to.
  struct State {
    size_t position = 0;
    uint32_t bracket_depth = 0;  // '[' open
    uint32_t braces = 0;         // braces open in a statement that begins with '{'
  };
  struct Place {
    State state;
    SqlRules::State rules;
  };

  Place Here() const { return {state_, rules_.state()}; }
  SqlToken Previous() const { return rules_.state().previous; }
  char At(size_t position) const { return position < query_.size() ? query_[position] : '\0'; }
  char Peek(size_t offset) const { return At(state_.position + offset); }
  bool Is(char c, uint8_t classes) const { return (classes_[static_cast<uint8_t>(c)] & classes) != 0; }
  std::string_view Rest() const { return query_.substr(state_.position); }

  // Returns false at the end.
  bool SkipSpace() {
    while (state_.position < query_.size()) {
      const char c = query_[state_.position];
      if (Is(c, kSqlSpace)) {
        ++state_.position;
        continue;
      }
      const size_t wide = static_cast<uint8_t>(c) >= 0x80 ? WideSpaceAt(query_, state_.position) : 0;
      if (wide == 0) return true;
      state_.position += wide;
    }
    return false;
  }

  // Writes one '?' for all that follows `place`.
  void CutAt(const Place& place) {
    state_ = place.state;
    rules_.GoBackTo(place.rules);
    // An unterminated comment hides text that would not be shown anyway.
    if (!absl::StartsWith(Rest(), "/*")) rules_.Token(SqlToken::kValue, kSqlPlaceholder);
  }

  // Each of the functions below reads one token at the position and moves past it.

  SqlOutcome Take(SqlToken kind, size_t length) {
    const std::string_view text = query_.substr(state_.position, length);
    state_.position += text.size();
    rules_.Token(kind, kind == SqlToken::kValue ? kSqlPlaceholder : text);
    return SqlOutcome::kObfuscated;
  }

  SqlOutcome Next() {
    const char c = Peek(0);
    if (const size_t length = UuidLength(); length > 0) return Take(SqlToken::kValue, length);
    if (Is(c, kSqlNameStart) || (c == '#' && dialect_ == SqlDialect::kMsSql)) return Name();
    if (absl::ascii_isdigit(c)) return Number();
    switch (c) {
      case '=':
        return Take(SqlToken::kEquals, 1);
      case ',':
        return Take(SqlToken::kComma, 1);
      case '(':
        return Take(SqlToken::kOpen, 1);
      case ')':
        return Take(SqlToken::kClose, 1);
      case '\'':
        return String(c, BackslashEscapes());
      case '"':
        return DoubleQuoted();
      case '`':
        return QuotedName('`');
      case '[':
        return OpenBracket();
      case ']':
        if (state_.bracket_depth > 0) --state_.bracket_depth;
        return Take(SqlToken::kCloseBracket, 1);
      case '{':
        return OpenBrace();
      case '}':
        if (state_.braces == 0) return SqlOutcome::kNotParsable;
        --state_.braces;
        return Take(SqlToken::kOther, 1);
      case '$':
        return Dollar();
      case '%':
        return Percent();
      case ':':
        return Colon();
      case '?':
        return QuestionMark();
      default:
        return OperatorOrComment(c, Peek(1));
    }
  }

  // Reads a token that may have more than one character and begins with none of Next()'s; a number may begin
  // with '-' or '.'.
  SqlOutcome OperatorOrComment(char c, char next) {
    switch (c) {
      case '-':
        if (next == '-') return LineComment();
        if (absl::ascii_isdigit(next) || (next == '.' && absl::ascii_isdigit(Peek(2)))) return Number();
        return next == '>' ? Take(SqlToken::kOther, Peek(2) == '>' ? 3 : 2) : Take(SqlToken::kOther, 1);
      case '.':
        return absl::ascii_isdigit(next) ? Number() : Take(SqlToken::kOther, 1);
      case '/':
        if (next == '*') return BlockComment();
        return next == '/' ? LineComment() : Take(SqlToken::kOther, 1);
      case '#':
        if (next == '>') return Take(SqlToken::kOther, Peek(2) == '>' ? 3 : 2);
        if (dialect_ != SqlDialect::kPostgreSql) return LineComment();
        return Take(SqlToken::kOther, next == '-' ? 2 : 1);
      case '<':
        if (next == '=') return Take(SqlToken::kComparison, Peek(2) == '>' ? 3 : 2);
        if (next == '@' && dialect_ == SqlDialect::kPostgreSql) return Take(SqlToken::kOther, 2);
        return Take(SqlToken::kComparison, next == '>' ? 2 : 1);
      case '>':
        return Take(SqlToken::kComparison, next == '=' ? 2 : 1);
      case '!':
        if (next == '=') return Take(SqlToken::kComparison, 2);
        return Take(SqlToken::kOther, next != '~' ? 1 : Peek(2) == '*' ? 3 : 2);
      case '~':
        return Take(SqlToken::kOther, next == '*' ? 2 : 1);
      case '@':
        return Take(SqlToken::kOther, next == '>' ? 2 : 1);
      case ';':
        ++state_.position;
        rules_.Token(SqlToken::kValue, "");
        return SqlOutcome::kObfuscated;
      case '+':
      case '*':
      case '&':
      case '|':
      case '^':
        return Take(SqlToken::kOther, 1);
      default:
        return SqlOutcome::kNotParsable;
    }
  }

  // Returns 36, or 0 if no UUID stands here.
  size_t UuidLength() const {
    constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const std::string_view text = query_.substr(state_.position, kShape.size());
    if (text.size() < kShape.size() || text[8] != '-' || text[13] != '-') return 0;
    for (size_t i = 0; i < kShape.size(); ++i)
      if (kShape[i] == '-' ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return 0;
    return Is(Peek(kShape.size()), kSqlNamePart) ? 0 : kShape.size();
  }

  SqlOutcome Name() {
    size_t end = state_.position + 1;
    for (; end < query_.size(); ++end) {
      const char c = query_[end];
      // "t.*" is one name, "a*b" is not.
      if (!Is(c, kSqlNamePart) && !(c == '*' && query_[end - 1] == '.')) break;
      if (static_cast<uint8_t>(c) >= 0x80 && WideSpaceAt(query_, end) > 0) break;
    }
    const std::string_view name = query_.substr(state_.position, end - state_.position);
    const SqlOutcome outcome = Take(SqlTokenOfName(name), name.size());
    if (Peek(0) != '\'') return outcome;
    if (dialect_ == SqlDialect::kPostgreSql && absl::EqualsIgnoreCase(name, "E")) return String('\'', true);
    const bool may_be_oracle = dialect_ == SqlDialect::kOracle || dialect_ == SqlDialect::kGeneric;
    if (may_be_oracle && (absl::EqualsIgnoreCase(name, "Q") || absl::EqualsIgnoreCase(name, "NQ")))
      return OracleQuote();
    return outcome;
  }

  // Reads a literal that begins with a digit, or with '-', '.' or '$' and a digit, with all letters that
  // follow: "0xFF", "1e5", "10L" and "1h30m" are literals.
  SqlOutcome Number() {
    size_t end = state_.position + 1;
    for (; end < query_.size(); ++end) {
      const char c = query_[end];
      if (absl::ascii_isalnum(c) || c == '_' || c == '.') continue;
      const bool exponent = (c == '+' || c == '-') && absl::ascii_tolower(query_[end - 1]) == 'e' &&
                            absl::ascii_isdigit(At(end + 1));
      if (!exponent) break;
    }
    return Take(SqlToken::kValue, end - state_.position);
  }

  bool BackslashEscapes() const { return dialect_ == SqlDialect::kMySql || dialect_ == SqlDialect::kGeneric; }

  // Returns where the quoted text that begins at `at` ends, past its quote; npos if it does not. A doubled
  // quote is one of its characters.
  size_t EndOfQuoted(size_t at, bool backslash_escapes) {
    const char quote = query_[at];
    const Place here = Here();
    while (++at < query_.size()) {
      const char c = query_[at];
      if (c == '\\' && backslash_escapes) {
        ++at;
        if (At(at) == quote && dialect_ == SqlDialect::kGeneric) NoteEscapedQuote(here, At(at + 1));
      } else if (c == quote) {
        if (At(at + 1) != quote) return at + 1;
        ++at;
      }
    }
    return std::string_view::npos;
  }

  // Decides what a backslash before a quote means. In standard SQL the text ends with this quote, and no
  // letter can follow: 'C:\'. If a letter follows, the backslash is an escape, as in 'it\'s', throughout the
  // query.
  void NoteEscapedQuote(const Place& begin, char next) {
    if (Is(next, kSqlNamePart)) {
      backslash_is_escape_ = true;
      doubt_.reset();
    } else if (!backslash_is_escape_ && !doubt_.has_value()) {
      doubt_ = begin;
    }
  }

  SqlOutcome String(char quote, bool backslash_escapes) {
    // Standard SQL writes ESCAPE '\', which MySQL writes ESCAPE '\\'.
    if (Previous() == SqlToken::kEscape && absl::StartsWith(Rest(), "'\\'") && Peek(3) != quote)
      return Take(SqlToken::kValue, 3);
    const size_t end = EndOfQuoted(state_.position, backslash_escapes);
    if (end == std::string_view::npos) return SqlOutcome::kUnterminated;
    return Take(SqlToken::kValue, end - state_.position);
  }

  SqlOutcome DoubleQuoted() {
    const bool value = dialect_ == SqlDialect::kMySql || Previous() == SqlToken::kEquals ||
                       (dialect_ == SqlDialect::kGeneric &&
                        (Previous() == SqlToken::kComparison || rules_.state().list_depth > 0));
    return value ? String('"', BackslashEscapes()) : QuotedName('"');
  }

  SqlOutcome QuotedName(char quote) {
    const size_t end = EndOfQuoted(state_.position, quote == '"' && BackslashEscapes());
    if (end == std::string_view::npos) return SqlOutcome::kUnterminated;
    std::string_view name = query_.substr(state_.position, end - state_.position);
    const std::string_view inside = name.substr(1, name.size() - 2);
    // A name that is only white space would leave a hole.
    if (!absl::StripAsciiWhitespace(inside).empty()) name = inside;
    state_.position = end;
    rules_.Token(SqlToken::kName, name);
    return SqlOutcome::kObfuscated;
  }

  // Reads q'[it's]': the character after the quote decides how the text ends.
  SqlOutcome OracleQuote() {
    constexpr std::string_view kOpening = "[{(<";
    constexpr std::string_view kClosing = "]})>";
    const char delimiter = Peek(1);
    const size_t pair = kOpening.find(delimiter);
    const char end[] = {pair == std::string_view::npos ? delimiter : kClosing[pair], '\''};
    const size_t found = query_.find(std::string_view(end, 2), state_.position + 2);
    if (found == std::string_view::npos) return SqlOutcome::kUnterminated;
    return Take(SqlToken::kValue, found + 2 - state_.position);
  }

  SqlOutcome OpenBracket() {
    if (rules_.state().last != SqlToken::kAs && dialect_ != SqlDialect::kMsSql) {
      ++state_.bracket_depth;
      return Take(SqlToken::kOther, 1);
    }
    // A name of SQL Server, in which "]]" is one "]".
    size_t end = state_.position;
    do {
      end = query_.find(']', end + 1);
      if (end == std::string_view::npos) return SqlOutcome::kUnterminated;
    } while (At(end + 1) == ']' && ++end);
    const std::string_view name = query_.substr(state_.position + 1, end - state_.position - 1);
    state_.position = end + 1;
    if (rules_.state().last == SqlToken::kAs) {
      rules_.Token(SqlToken::kName, name);
      return SqlOutcome::kObfuscated;
    }
    rules_.Token(SqlToken::kOther, "[");
    rules_.Token(SqlToken::kName, name);
    rules_.Token(SqlToken::kCloseBracket, "]");
    return SqlOutcome::kObfuscated;
  }

  // Reads a brace. A CQL map or an ODBC escape is one literal, unless the statement begins with it: {call
  // f(?)}.
  SqlOutcome OpenBrace() {
    if (out_.empty() || state_.braces > 0) {
      ++state_.braces;
      return Take(SqlToken::kOther, 1);
    }
    uint32_t depth = 0;
    for (size_t at = state_.position; at < query_.size(); ++at) {
      const char c = query_[at];
      if (c == '\'' || c == '"') {
        at = EndOfQuoted(at, BackslashEscapes());
        if (at == std::string_view::npos) break;
        --at;
      } else if (c == '{') {
        ++depth;
      } else if (c == '}' && --depth == 0) {
        return Take(SqlToken::kValue, at + 1 - state_.position);
      }
    }
    return SqlOutcome::kUnterminated;
  }

  // Reads $1, $tag$…$tag$, or a name like SQL Server's $action.
  SqlOutcome Dollar() {
    if (absl::ascii_isdigit(Peek(1))) return Number();
    size_t end = state_.position + 1;
    while (Is(At(end), kSqlNamePart) && At(end) != '$' && At(end) != '.') ++end;
    const bool may_quote = dialect_ == SqlDialect::kPostgreSql || dialect_ == SqlDialect::kGeneric;
    if (!may_quote || At(end) != '$') return Name();
    // The tag has no '$' inside, so that the search takes linear time.
    const std::string_view tag = query_.substr(state_.position, end + 1 - state_.position);
    const size_t close = query_.find(tag, end + 1);
    if (close == std::string_view::npos) return SqlOutcome::kUnterminated;
    return Take(SqlToken::kValue, close + tag.size() - state_.position);
  }

  // Reads a placeholder of Python's drivers, %s or %(name)s, or else an operator.
  SqlOutcome Percent() {
    size_t end = state_.position + 1;
    if (Peek(1) == '(') {
      ++end;
      while (Is(At(end), kSqlNamePart)) ++end;
      if (At(end) != ')') return Take(SqlToken::kOther, 1);
      ++end;
    }
    if (!absl::ascii_isalpha(At(end))) return Take(SqlToken::kOther, 1);
    while (absl::ascii_isalnum(At(end)) || At(end) == '_') ++end;
    return Take(SqlToken::kValue, end - state_.position);
  }

  // Reads a cast, an assignment, a placeholder or a colon.
  SqlOutcome Colon() {
    const char next = Peek(1);
    if (next == ':') return Take(SqlToken::kOther, 2);
    if (next == '=') return Take(SqlToken::kEquals, 2);
    const bool after_literal = state_.position > 0 && absl::ascii_isdigit(query_[state_.position - 1]);
    const bool literal_follows = absl::ascii_isdigit(next) && (state_.bracket_depth > 0 || after_literal);
    size_t end = state_.position + 1;
    while (!literal_follows && Is(At(end), kSqlNamePart)) ++end;
    return Take(SqlToken::kOther, end - state_.position);
  }

  // Reads a placeholder or, in PostgreSQL, an operator on JSON.
  SqlOutcome QuestionMark() {
    if (dialect_ != SqlDialect::kPostgreSql) return Take(SqlToken::kValue, 1);
    if (Peek(1) == '|' || Peek(1) == '&') return Take(SqlToken::kOther, 2);
    const SqlToken before = Previous();
    const bool after_operand = IsName(before) || before == SqlToken::kValue || before == SqlToken::kClose ||
                               before == SqlToken::kCloseBracket;
    return Take(after_operand ? SqlToken::kOther : SqlToken::kValue, 1);
  }

  SqlOutcome LineComment() {
    state_.position = std::min(query_.find('\n', state_.position), query_.size());
    return SqlOutcome::kObfuscated;
  }

  SqlOutcome BlockComment() {
    const bool nests = dialect_ == SqlDialect::kPostgreSql || dialect_ == SqlDialect::kMsSql;
    uint32_t depth = 1;
    for (size_t at = state_.position + 2; at + 1 < query_.size(); ++at) {
      if (query_[at] == '*' && query_[at + 1] == '/') {
        ++at;
        if (--depth > 0) continue;
        state_.position = at + 1;
        return SqlOutcome::kObfuscated;
      }
      if (nests && query_[at] == '/' && query_[at + 1] == '*') {
        ++at;
        ++depth;
      }
    }
    return SqlOutcome::kUnterminated;
  }

  const std::string_view query_;
  const SqlDialect dialect_;
  const std::array<uint8_t, 256>& classes_;
  std::string& out_;
  SqlRules rules_;
  State state_;
  bool backslash_is_escape_ = false;  // proven, in an unknown dialect
  // The place before the first literal that ends sooner if a backslash is an ordinary character.
  std::optional<Place> doubt_;
};

}  // namespace

SqlOutcome ObfuscateSql(std::string_view query, SqlDialect dialect, std::string& out) {
  out.clear();
  out.reserve(query.size());
  return SqlObfuscator(query, dialect, out).Run();
}

}  // namespace thaw
