// The tokenizer and its rules are one class, though they are long: a query with a doubtful quote is read again
// from there, and takes back what was written since.

#include "cc/trace/obfuscate/obfuscate_sql.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace thaw {
namespace {

constexpr std::string_view kPlaceholder = "?";

// Classes of bytes.
constexpr uint8_t kSpace = 1;
constexpr uint8_t kNameStart = 2;
constexpr uint8_t kNamePart = 4;

// '@' and '#' begin operators in PostgreSQL; elsewhere they are part of names. Code points beyond ASCII are
// part of names everywhere.
constexpr std::array<uint8_t, 256> Classes(bool postgresql) {
  std::array<uint8_t, 256> classes{};
  for (const char c : std::string_view(" \t\n\v\f\r")) classes[static_cast<uint8_t>(c)] = kSpace;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = kNameStart | kNamePart;
  for (int c = 0x80; c <= 0xFF; ++c) classes[c] = kNameStart | kNamePart;
  for (int c = '0'; c <= '9'; ++c) classes[c] = kNamePart;
  classes['_'] = kNameStart | kNamePart;
  classes['.'] = classes['$'] = kNamePart;
  if (!postgresql) {
    classes['@'] = kNameStart | kNamePart;
    classes['#'] = kNamePart;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = Classes(false);
constexpr std::array<uint8_t, 256> kPostgreSqlClasses = Classes(true);

// Returns the length of the white space beyond ASCII that begins here, or 0.
size_t WideSpaceAt(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at, 3);
  if (absl::StartsWith(rest, "\xC2\x85") || absl::StartsWith(rest, "\xC2\xA0")) return 2;
  if (rest.size() < 3) return 0;
  if (rest == "\xE1\x9A\x80" || rest == "\xE2\x81\x9F" || rest == "\xE3\x80\x80") return 3;
  if (!absl::StartsWith(rest, "\xE2\x80")) return 0;
  const auto last = static_cast<uint8_t>(rest[2]);
  return last <= 0x8A || last == 0xA8 || last == 0xA9 || last == 0xAF ? 3 : 0;
}

// The meaning of a token to the rules.
enum class Kind : uint8_t {
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

bool IsName(Kind kind) {
  return kind == Kind::kName || kind == Kind::kQuery || kind == Kind::kListKeyword || kind == Kind::kEscape;
}

Kind KindOfName(std::string_view name) {
  const auto is = [name](std::string_view keyword) { return absl::EqualsIgnoreCase(name, keyword); };
  switch (name.size()) {
    case 2:
      return is("AS") ? Kind::kAs : is("IN") ? Kind::kListKeyword : Kind::kName;
    case 4:
      return is("NULL") || is("TRUE") ? Kind::kValue : is("LIKE") ? Kind::kComparison : Kind::kName;
    case 5:
      return is("FALSE") ? Kind::kValue : is("ILIKE") ? Kind::kComparison : Kind::kName;
    case 6:
      return is("SELECT") || is("UPDATE") || is("DELETE") ? Kind::kQuery
             : is("VALUES")                               ? Kind::kListKeyword
             : is("ESCAPE")                               ? Kind::kEscape
                                                          : Kind::kName;
    case 9:
      return is("SAVEPOINT") ? Kind::kSavepoint : Kind::kName;
    default:
      return Kind::kName;
  }
}

class SqlObfuscator {
 public:
  SqlObfuscator(std::string_view query, SqlDialect dialect, std::string& out)
      : query_(query),
        dialect_(dialect),
        classes_(dialect == SqlDialect::kPostgreSql ? kPostgreSqlClasses : kClasses),
        out_(out) {}

  SqlOutcome Run() {
    SqlOutcome outcome = SqlOutcome::kObfuscated;
    State before;
    while (outcome == SqlOutcome::kObfuscated && SkipSpace()) {
      before = state_;
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
  // The state of the rules; small, since each token may be the one to go back to.
  struct State {
    size_t position = 0;
    size_t written = 0;
    uint32_t dropped_depth = 0;   // parentheses open in a row that is left out
    uint32_t list_depth = 0;      // parentheses open in a list of values
    uint32_t bracket_depth = 0;   // '[' open
    uint32_t braces = 0;          // braces open in a statement that begins with '{'
    Kind previous = Kind::kNone;  // the last token, written or not
    Kind last = Kind::kNone;      // the last token as written
    bool in_values = false;       // a '?' was written, and after it only elements of a list
    bool row_written = false;     // "( ?" was written; another '(' begins a row like it
    bool row_may_follow = false;  // '(' would begin a list of values
  };

  char At(size_t position) const { return position < query_.size() ? query_[position] : '\0'; }
  char Peek(size_t offset) const { return At(state_.position + offset); }
  bool Is(char c, uint8_t classes) const { return (classes_[static_cast<uint8_t>(c)] & classes) != 0; }
  std::string_view Rest() const { return query_.substr(state_.position); }

  // Returns false at the end.
  bool SkipSpace() {
    while (state_.position < query_.size()) {
      const char c = query_[state_.position];
      if (Is(c, kSpace)) {
        ++state_.position;
        continue;
      }
      const size_t wide = static_cast<uint8_t>(c) >= 0x80 ? WideSpaceAt(query_, state_.position) : 0;
      if (wide == 0) return true;
      state_.position += wide;
    }
    return false;
  }

  // Writes one '?' for all that follows `state`.
  void CutAt(const State& state) {
    state_ = state;
    out_.resize(state_.written);
    // An unterminated comment hides text that would not be shown anyway.
    if (!absl::StartsWith(Rest(), "/*")) Token(Kind::kValue, kPlaceholder);
  }

  // --- The rules: they decide what is written for a token.

  void Token(Kind kind, std::string_view text) {
    state_.previous = kind;
    FollowList(kind);
    if (state_.dropped_depth > 0) {
      if (state_.last != Kind::kDroppedOpen || !IsName(kind)) return Drop(kind);
      // Not a further row of values but a subquery: its parentheses are written after all.
      for (; state_.dropped_depth > 0; --state_.dropped_depth) Write(Kind::kOpen, "(");
      EndList();
    }
    if (state_.last == Kind::kAs) {
      state_.last = Kind::kNone;
      return;
    }
    if (state_.last == Kind::kSavepoint) {
      kind = Kind::kValue;
      text = kPlaceholder;
    }
    switch (kind) {
      case Kind::kAs:
        EndList();
        state_.last = Kind::kAs;
        return;
      case Kind::kOpen:
        if (state_.row_written) return Drop(kind);
        state_.in_values = false;
        break;
      case Kind::kValue:
        state_.row_written |= state_.last == Kind::kOpen;
        if (std::exchange(state_.in_values, true)) {
          state_.last = Kind::kNone;
          return;
        }
        break;
      case Kind::kComma:
        if (state_.in_values) {
          state_.last = Kind::kNone;
          return;
        }
        break;
      case Kind::kClose:
        break;
      default:
        EndList();
    }
    Write(kind, text);
  }

  void Drop(Kind kind) {
    state_.last = kind == Kind::kOpen ? Kind::kDroppedOpen : Kind::kNone;
    if (kind == Kind::kOpen) ++state_.dropped_depth;
    if (kind == Kind::kClose) --state_.dropped_depth;
  }

  void EndList() { state_.in_values = state_.row_written = false; }

  // Tracks the lists in which texts in double quotes are values.
  void FollowList(Kind kind) {
    switch (kind) {
      case Kind::kOpen:
        if (state_.list_depth > 0 || state_.row_may_follow) ++state_.list_depth;
        break;
      case Kind::kClose:
        if (state_.list_depth > 0 && --state_.list_depth == 0) {
          state_.row_may_follow = true;
          return;
        }
        break;
      case Kind::kComma:
        return;
      case Kind::kQuery:
        state_.list_depth = 0;
        break;
      default:
        break;
    }
    state_.row_may_follow = kind == Kind::kListKeyword;
  }

  void Write(Kind kind, std::string_view text) {
    if (!text.empty()) {
      if (!out_.empty() && kind != Kind::kComma) out_.push_back(' ');
      out_.append(text);
    }
    state_.written = out_.size();
    state_.last = kind;
  }

  // --- The tokens. Each function reads one at the position and moves past it.

  SqlOutcome Take(Kind kind, size_t length) {
    const std::string_view text = query_.substr(state_.position, length);
    state_.position += text.size();
    Token(kind, kind == Kind::kValue ? kPlaceholder : text);
    return SqlOutcome::kObfuscated;
  }

  SqlOutcome Next() {
    const char c = Peek(0);
    const char next = Peek(1);
    if (const size_t length = UuidLength(); length > 0) return Take(Kind::kValue, length);
    if (Is(c, kNameStart) || (c == '#' && dialect_ == SqlDialect::kMsSql)) return Name();
    if (absl::ascii_isdigit(c)) return Number();
    switch (c) {
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
        return Take(Kind::kCloseBracket, 1);
      case '{':
        return OpenBrace();
      case '}':
        if (state_.braces == 0) return SqlOutcome::kNotParsable;
        --state_.braces;
        return Take(Kind::kOther, 1);
      case '$':
        return Dollar();
      case '%':
        return Percent();
      case ':':
        return Colon();
      case '?':
        return QuestionMark();
      case '-':
        if (next == '-') return LineComment();
        if (absl::ascii_isdigit(next) || (next == '.' && absl::ascii_isdigit(Peek(2)))) return Number();
        return next == '>' ? Take(Kind::kOther, Peek(2) == '>' ? 3 : 2) : Take(Kind::kOther, 1);
      case '.':
        return absl::ascii_isdigit(next) ? Number() : Take(Kind::kOther, 1);
      case '/':
        if (next == '*') return BlockComment();
        return next == '/' ? LineComment() : Take(Kind::kOther, 1);
      case '#':
        if (next == '>') return Take(Kind::kOther, Peek(2) == '>' ? 3 : 2);
        if (dialect_ != SqlDialect::kPostgreSql) return LineComment();
        return Take(Kind::kOther, next == '-' ? 2 : 1);
      case '<':
        if (next == '=') return Take(Kind::kComparison, Peek(2) == '>' ? 3 : 2);
        if (next == '@' && dialect_ == SqlDialect::kPostgreSql) return Take(Kind::kOther, 2);
        return Take(Kind::kComparison, next == '>' ? 2 : 1);
      case '>':
        return Take(Kind::kComparison, next == '=' ? 2 : 1);
      case '!':
        if (next == '=') return Take(Kind::kComparison, 2);
        return Take(Kind::kOther, next != '~' ? 1 : Peek(2) == '*' ? 3 : 2);
      case '~':
        return Take(Kind::kOther, next == '*' ? 2 : 1);
      case '@':
        return Take(Kind::kOther, next == '>' ? 2 : 1);
      case '=':
        return Take(Kind::kEquals, 1);
      case ',':
        return Take(Kind::kComma, 1);
      case '(':
        return Take(Kind::kOpen, 1);
      case ')':
        return Take(Kind::kClose, 1);
      case ';':
        ++state_.position;
        Token(Kind::kValue, "");
        return SqlOutcome::kObfuscated;
      case '+':
      case '*':
      case '&':
      case '|':
      case '^':
        return Take(Kind::kOther, 1);
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
    return Is(Peek(kShape.size()), kNamePart) ? 0 : kShape.size();
  }

  SqlOutcome Name() {
    size_t end = state_.position + 1;
    for (; end < query_.size(); ++end) {
      const char c = query_[end];
      // "t.*" is one name, "a*b" is not.
      if (!Is(c, kNamePart) && !(c == '*' && query_[end - 1] == '.')) break;
      if (static_cast<uint8_t>(c) >= 0x80 && WideSpaceAt(query_, end) > 0) break;
    }
    const std::string_view name = query_.substr(state_.position, end - state_.position);
    const SqlOutcome outcome = Take(KindOfName(name), name.size());
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
    return Take(Kind::kValue, end - state_.position);
  }

  bool BackslashEscapes() const { return dialect_ == SqlDialect::kMySql || dialect_ == SqlDialect::kGeneric; }

  // Returns where the quoted text that begins at `at` ends, past its quote; npos if it does not. A doubled
  // quote is one of its characters.
  size_t EndOfQuoted(size_t at, bool backslash_escapes) {
    const char quote = query_[at];
    const State here = state_;
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
  void NoteEscapedQuote(const State& begin, char next) {
    if (Is(next, kNamePart)) {
      backslash_is_escape_ = true;
      doubt_.reset();
    } else if (!backslash_is_escape_ && !doubt_.has_value()) {
      doubt_ = begin;
    }
  }

  SqlOutcome String(char quote, bool backslash_escapes) {
    // Standard SQL writes ESCAPE '\', which MySQL writes ESCAPE '\\'.
    if (state_.previous == Kind::kEscape && absl::StartsWith(Rest(), "'\\'") && Peek(3) != quote)
      return Take(Kind::kValue, 3);
    const size_t end = EndOfQuoted(state_.position, backslash_escapes);
    if (end == std::string_view::npos) return SqlOutcome::kUnterminated;
    return Take(Kind::kValue, end - state_.position);
  }

  SqlOutcome DoubleQuoted() {
    const bool value =
        dialect_ == SqlDialect::kMySql || state_.previous == Kind::kEquals ||
        (dialect_ == SqlDialect::kGeneric && (state_.previous == Kind::kComparison || state_.list_depth > 0));
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
    Token(Kind::kName, name);
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
    return Take(Kind::kValue, found + 2 - state_.position);
  }

  SqlOutcome OpenBracket() {
    if (state_.last != Kind::kAs && dialect_ != SqlDialect::kMsSql) {
      ++state_.bracket_depth;
      return Take(Kind::kOther, 1);
    }
    // A name of SQL Server, in which "]]" is one "]".
    size_t end = state_.position;
    do {
      end = query_.find(']', end + 1);
      if (end == std::string_view::npos) return SqlOutcome::kUnterminated;
    } while (At(end + 1) == ']' && ++end);
    const std::string_view name = query_.substr(state_.position + 1, end - state_.position - 1);
    state_.position = end + 1;
    if (state_.last == Kind::kAs) {
      Token(Kind::kName, name);
      return SqlOutcome::kObfuscated;
    }
    Token(Kind::kOther, "[");
    Token(Kind::kName, name);
    Token(Kind::kCloseBracket, "]");
    return SqlOutcome::kObfuscated;
  }

  // Reads a brace. A CQL map or an ODBC escape is one literal, unless the statement begins with it: {call
  // f(?)}.
  SqlOutcome OpenBrace() {
    if (out_.empty() || state_.braces > 0) {
      ++state_.braces;
      return Take(Kind::kOther, 1);
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
        return Take(Kind::kValue, at + 1 - state_.position);
      }
    }
    return SqlOutcome::kUnterminated;
  }

  // Reads $1, $tag$…$tag$, or a name like SQL Server's $action.
  SqlOutcome Dollar() {
    if (absl::ascii_isdigit(Peek(1))) return Number();
    size_t end = state_.position + 1;
    while (Is(At(end), kNamePart) && At(end) != '$' && At(end) != '.') ++end;
    const bool may_quote = dialect_ == SqlDialect::kPostgreSql || dialect_ == SqlDialect::kGeneric;
    if (!may_quote || At(end) != '$') return Name();
    // The tag has no '$' inside, so that the search takes linear time.
    const std::string_view tag = query_.substr(state_.position, end + 1 - state_.position);
    const size_t close = query_.find(tag, end + 1);
    if (close == std::string_view::npos) return SqlOutcome::kUnterminated;
    return Take(Kind::kValue, close + tag.size() - state_.position);
  }

  // Reads a placeholder of Python's drivers, %s or %(name)s, or else an operator.
  SqlOutcome Percent() {
    size_t end = state_.position + 1;
    if (Peek(1) == '(') {
      ++end;
      while (Is(At(end), kNamePart)) ++end;
      if (At(end) != ')') return Take(Kind::kOther, 1);
      ++end;
    }
    if (!absl::ascii_isalpha(At(end))) return Take(Kind::kOther, 1);
    while (absl::ascii_isalnum(At(end)) || At(end) == '_') ++end;
    return Take(Kind::kValue, end - state_.position);
  }

  // Reads a cast, an assignment, a placeholder or a colon.
  SqlOutcome Colon() {
    const char next = Peek(1);
    if (next == ':') return Take(Kind::kOther, 2);
    if (next == '=') return Take(Kind::kEquals, 2);
    const bool after_literal = state_.position > 0 && absl::ascii_isdigit(query_[state_.position - 1]);
    const bool literal_follows = absl::ascii_isdigit(next) && (state_.bracket_depth > 0 || after_literal);
    size_t end = state_.position + 1;
    while (!literal_follows && Is(At(end), kNamePart)) ++end;
    return Take(Kind::kOther, end - state_.position);
  }

  // Reads a placeholder or, in PostgreSQL, an operator on JSON.
  SqlOutcome QuestionMark() {
    if (dialect_ != SqlDialect::kPostgreSql) return Take(Kind::kValue, 1);
    if (Peek(1) == '|' || Peek(1) == '&') return Take(Kind::kOther, 2);
    const Kind before = state_.previous;
    const bool after_operand =
        IsName(before) || before == Kind::kValue || before == Kind::kClose || before == Kind::kCloseBracket;
    return Take(after_operand ? Kind::kOther : Kind::kValue, 1);
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
  State state_;
  bool backslash_is_escape_ = false;  // proven, in an unknown dialect
  // The state before the first literal that ends sooner if a backslash is an ordinary character.
  std::optional<State> doubt_;
};

}  // namespace

SqlDialect SqlDialectOf(std::string_view database) {
  struct Entry {
    std::string_view database;
    SqlDialect dialect;
  };
  static constexpr Entry kEntries[] = {
      {"mysql", SqlDialect::kMySql},
      {"mariadb", SqlDialect::kMySql},
      {"postgresql", SqlDialect::kPostgreSql},
      {"postgres", SqlDialect::kPostgreSql},
      {"redshift", SqlDialect::kPostgreSql},
      {"mssql", SqlDialect::kMsSql},
      {"sqlserver", SqlDialect::kMsSql},
      {"sql-server", SqlDialect::kMsSql},
      {"oracle", SqlDialect::kOracle},
      {"sqlite", SqlDialect::kStandard},
      {"cassandra", SqlDialect::kStandard},
      {"db2", SqlDialect::kStandard},
      {"h2", SqlDialect::kStandard},
      // Values of db.system.name.
      {"aws.redshift", SqlDialect::kPostgreSql},
      {"cockroachdb", SqlDialect::kPostgreSql},
      {"microsoft.sql_server", SqlDialect::kMsSql},
      {"oracle.db", SqlDialect::kOracle},
      {"ibm.db2", SqlDialect::kStandard},
      {"h2database", SqlDialect::kStandard},
  };
  for (const Entry& entry : kEntries)
    if (absl::EqualsIgnoreCase(database, entry.database)) return entry.dialect;
  return SqlDialect::kGeneric;
}

SqlOutcome ObfuscateSql(std::string_view query, SqlDialect dialect, std::string& out) {
  out.clear();
  out.reserve(query.size());
  return SqlObfuscator(query, dialect, out).Run();
}

}  // namespace thaw
