// The result for any text is bounded and says what it is. SQL made of known pieces, whole or cut anywhere,
// shows nothing of its literals and comments in any dialect.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/trace/obfuscate/obfuscate_sql.h"

namespace {

using thaw::SqlDialect;
using thaw::SqlOutcome;

constexpr SqlDialect kDialects[] = {SqlDialect::kGeneric,    SqlDialect::kStandard, SqlDialect::kMySql,
                                    SqlDialect::kPostgreSql, SqlDialect::kMsSql,    SqlDialect::kOracle};

constexpr std::string_view kSecret = "secret";

// Pieces that every dialect accepts.
constexpr std::string_view kPieces[] = {"SELECT",
                                        "UPDATE",
                                        "a",
                                        "b.c",
                                        "t.*",
                                        "AS",
                                        "alias",
                                        "IN",
                                        "VALUES",
                                        "LIKE",
                                        "(",
                                        ")",
                                        ",",
                                        ";",
                                        "=",
                                        ">",
                                        "*",
                                        "-",
                                        "+",
                                        "NULL",
                                        "12",
                                        "-1.5e-7",
                                        "0xFFsecret",
                                        "7secret",
                                        "'secret'",
                                        "''",
                                        "'a''secret'",
                                        "'\"secret'",
                                        "'`secret'",
                                        "= \"secret\"",
                                        "$1",
                                        "\n",
                                        "?",
                                        ":name",
                                        "`b c`",
                                        "/* secret */",
                                        "-- it's secret\n",
                                        "'--secret'",
                                        "'/*secret'",
                                        "5e4e8400-e29b-41d4-a716-446655440000",
                                        "SAVEPOINT",
                                        "ESCAPE",
                                        "%s"};
// A backslash is an escape in the first list, an ordinary character in the second.
constexpr std::string_view kEscaping[] = {R"('it\'s secret')", R"('\\')", R"('secret\\\'')",
                                          R"(= "a\"secret")"};
constexpr std::string_view kLiteral[] = {R"('secret\')", R"('\')", R"('C:\secret\x\')", R"('\''secret')"};

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckBounds(std::string_view query, SqlOutcome outcome, const std::string& out) {
  // A name in quotes may be the same text.
  if (outcome == SqlOutcome::kNotParsable) {
    Check(out == thaw::kNotParsableSql);
  } else {
    Check(!out.empty() && out.size() <= 2 * query.size());
  }
}

// `escaping`: which kind of backslashes the query may have.
void TryPieces(std::string_view input, bool escaping) {
  std::string query;
  for (size_t i = 1; i < input.size(); ++i) {
    const auto byte = static_cast<uint8_t>(input[i]);
    if (byte >= 224) {
      query.append(escaping ? kEscaping[byte % std::size(kEscaping)] : kLiteral[byte % std::size(kLiteral)]);
    } else {
      query.append(kPieces[byte % std::size(kPieces)]);
    }
    query.push_back(' ');
  }
  // Tracers cut queries anywhere.
  if (!input.empty())
    query.resize(query.size() - std::min<size_t>(query.size(), static_cast<uint8_t>(input[0]) / 4));
  for (const SqlDialect dialect : kDialects) {
    const bool takes_escapes = dialect == SqlDialect::kMySql;
    if (dialect != SqlDialect::kGeneric && escaping != takes_escapes) continue;
    std::string out;
    const SqlOutcome outcome = thaw::ObfuscateSql(query, dialect, out);
    CheckBounds(query, outcome, out);
    Check(!absl::StrContains(out, kSecret));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const SqlDialect dialect : kDialects) {
    std::string out;
    CheckBounds(input, thaw::ObfuscateSql(input, dialect, out), out);
    const std::string wrapped = absl::StrCat("SELECT a WHERE b IN (", input);
    CheckBounds(wrapped, thaw::ObfuscateSql(wrapped, dialect, out), out);
  }
  TryPieces(input, true);
  TryPieces(input, false);
  return 0;
}
