// Removes literals from SQL and CQL: each becomes '?', a list of them one '?'; comments and aliases are left
// out.
//
//   std::string text;
//   ObfuscateSql("SELECT a AS b FROM t WHERE id IN (1, 2) AND c = 'x'", SqlDialect::kGeneric, text);
//   // text is "SELECT a FROM t WHERE id IN ( ? ) AND c = ?"
//
// ObfuscateSql is a tokenizer, not a parser: one pass, linear time, no recursion, no allocation but the
// growth of `out`.
//
// Dashboards and monitors hold obfuscated queries as keys, so the text equals the Datadog agent's, with its
// habits: tokens stand one space apart except before ','; identifiers lose their quotes; a comma after a
// literal goes; so does the one token that follows AS, even a parenthesis; `-1` is one literal, and a
// double-quoted text is one after '='. Where the agent would show a literal or lose more than literals, this
// differs:
//   * a literal that begins with a digit extends to the end of its letters, and so does a UUID (CQL has no
//     quotes around those); `a*5` is three tokens, `a[1:2]` has no number left;
//   * double-quoted texts are literals everywhere in MySQL, and, in an unknown dialect, after any comparison
//     and in the lists of IN and VALUES;
//   * a list of rows ends with its last row (the agent loses the rest of the statement);
//   * a comment is treated as absent (the agent takes it for an alias after AS);
//   * Oracle's q'[…]' and PostgreSQL's E'…' are literals to their own ends.
//
// Source: the public behaviour of the Datadog agent's SQL obfuscation in its default mode.

#ifndef THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_SQL_H_
#define THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_SQL_H_

#include <string>
#include <string_view>

#include "cc/trace/obfuscate/sql_dialect.h"

namespace thaw {

enum class SqlOutcome {
  kObfuscated,
  // A literal or comment has no end or, in an unknown dialect, may end in more than one place: one '?'
  // replaces all that follows. This is common, since tracers cut long queries.
  kUnterminated,
  // Nothing is left, or a byte begins no token: the result is kNotParsableSql.
  kNotParsable,
};

inline constexpr std::string_view kNotParsableSql = "Non-parsable SQL query";

// Replaces the content of `out`, in which `query` must not lie. Afterwards `out` has at most twice the bytes
// of `query`, or is kNotParsableSql.
SqlOutcome ObfuscateSql(std::string_view query, SqlDialect dialect, std::string& out);

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_SQL_H_
