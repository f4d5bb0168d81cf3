#include "cc/trace/obfuscate/obfuscate_sql.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Obfuscated(std::string_view query, SqlDialect dialect = SqlDialect::kGeneric,
                       SqlOutcome expected = SqlOutcome::kObfuscated) {
  std::string out = "what was there before";
  EXPECT_EQ(ObfuscateSql(query, dialect, out), expected) << query;
  return out;
}

std::string Cut(std::string_view query, SqlDialect dialect = SqlDialect::kGeneric) {
  return Obfuscated(query, dialect, SqlOutcome::kUnterminated);
}

TEST(ObfuscateSql, LiteralsBecomePlaceholders) {
  EXPECT_EQ(Obfuscated("SELECT * FROM users WHERE id = 42"), "SELECT * FROM users WHERE id = ?");
  EXPECT_EQ(Obfuscated("select a from t where b='x' and c>=1.5e-3 and d<>.5"),
            "select a from t where b = ? and c >= ? and d <> ?");
  EXPECT_EQ(Obfuscated("SELECT 0xDEADbeef + 1 , -7 , - 7"), "SELECT ? + ? - ?");
  EXPECT_EQ(Obfuscated("SELECT a WHERE b IS NOT NULL AND c = TRUE OR d = false"),
            "SELECT a WHERE b IS NOT ? AND c = ? OR d = ?");
  EXPECT_EQ(Obfuscated("SELECT a WHERE b = '' OR b = ' ' OR b = 'it''s'"),
            "SELECT a WHERE b = ? OR b = ? OR b = ?");
  EXPECT_EQ(Obfuscated("SELECT N'a', x'0F', E'b'"), "SELECT N ? x ? E ?");
  EXPECT_EQ(Obfuscated("SAVEPOINT s1_2"), "SAVEPOINT ?");
  EXPECT_EQ(Obfuscated("SELECT t.* FROM t LIMIT 5, 20;"), "SELECT t.* FROM t LIMIT ?");
}

TEST(ObfuscateSql, ListsOfLiteralsAreOne) {
  EXPECT_EQ(Obfuscated("SELECT a FROM t WHERE id IN (1, 2, 3)"), "SELECT a FROM t WHERE id IN ( ? )");
  EXPECT_EQ(Obfuscated("SELECT a FROM t WHERE id IN (?,?,?) AND b = ANY(array[1, 2])"),
            "SELECT a FROM t WHERE id IN ( ? ) AND b = ANY ( array [ ? ] )");
  EXPECT_EQ(Obfuscated("INSERT INTO t (a, b) VALUES ('x', NULL), ('y', 2), (?, ?)"),
            "INSERT INTO t ( a, b ) VALUES ( ? )");
  EXPECT_EQ(Obfuscated("UPDATE t SET a = 1, b = 'x' WHERE c = 2"), "UPDATE t SET a = ? b = ? WHERE c = ?");
  EXPECT_EQ(Obfuscated("SELECT f(1, 2), g(a, 3, b)"), "SELECT f ( ? ) g ( a, ? b )");
  EXPECT_EQ(Obfuscated("VALUES (1), (SELECT 2 FROM t)"), "VALUES ( ? ) ( SELECT ? FROM t )");
  EXPECT_EQ(Obfuscated("VALUES (1), ((SELECT 2)), (3)"), "VALUES ( ? ) ( ( SELECT ? ) ) ( ? )");
}

TEST(ObfuscateSql, TextAfterAListOfRowsIsKept) {
  EXPECT_EQ(Obfuscated("INSERT INTO t VALUES (1, 2), (3, 4) ON CONFLICT DO NOTHING"),
            "INSERT INTO t VALUES ( ? ) ON CONFLICT DO NOTHING");
  EXPECT_EQ(Obfuscated("INSERT INTO t VALUES (1), (2); DELETE FROM u WHERE id = 3"),
            "INSERT INTO t VALUES ( ? ) DELETE FROM u WHERE id = ?");
  EXPECT_EQ(Obfuscated("SELECT f(1, (2)) FROM t"), "SELECT f ( ? ) FROM t");
}

TEST(ObfuscateSql, CommentsAreLeftOut) {
  EXPECT_EQ(Obfuscated("-- one\nSELECT /* two */ a # three\n FROM t // four"), "SELECT a FROM t");
  EXPECT_EQ(Obfuscated("SELECT a AS /* b */ c FROM t"), "SELECT a FROM t");
  EXPECT_EQ(Obfuscated("SELECT a WHERE b IN (1, /* x */ 2)"), "SELECT a WHERE b IN ( ? )");
  EXPECT_EQ(Obfuscated("SELECT a /* b /* c */ d */", SqlDialect::kPostgreSql), "SELECT a");
  EXPECT_EQ(Obfuscated("SELECT a /* b /* c */ d", SqlDialect::kMySql), "SELECT a d");
  EXPECT_EQ(Obfuscated("SELECT 5/2, a-b"), "SELECT ? / ? a - b");
}

TEST(ObfuscateSql, AliasesAreLeftOut) {
  EXPECT_EQ(Obfuscated("SELECT username AS person FROM users as u WHERE id=4"),
            "SELECT username FROM users WHERE id = ?");
  EXPECT_EQ(Obfuscated("SELECT a AS [my name], b AS `c d`, e AS \"f\" FROM t"), "SELECT a, b, e FROM t");
  EXPECT_EQ(Obfuscated("WITH s AS (SELECT a FROM t) SELECT * FROM s"),
            "WITH s SELECT a FROM t ) SELECT * FROM s");
}

TEST(ObfuscateSql, IdentifiersLoseTheirQuotes) {
  EXPECT_EQ(Obfuscated("SELECT `h`.`a b` FROM `h`"), "SELECT h . a b FROM h");
  EXPECT_EQ(Obfuscated(R"(SELECT "h"."a" FROM "h" WHERE "h"."x" = "y")"),
            "SELECT h . a FROM h WHERE h . x = ?");
  EXPECT_EQ(Obfuscated("SELECT `` FROM \" \""), "SELECT `` FROM \" \"");
  EXPECT_EQ(Obfuscated("SELECT [b].[Name] FROM [B 1]"), "SELECT [ b ] . [ Name ] FROM [ B ? ]");
  EXPECT_EQ(Obfuscated("SELECT [b].[it's]]] FROM #tmp", SqlDialect::kMsSql),
            "SELECT [ b ] . [ it's]] ] FROM #tmp");
  EXPECT_EQ(Obfuscated("SELECT A\xC3\xB1o, \xE6\xA7\x8B FROM t\xE2\x80\x83WHERE\xC2\xA0x=1"),
            "SELECT A\xC3\xB1o, \xE6\xA7\x8B FROM t WHERE x = ?");
}

TEST(ObfuscateSql, Placeholders) {
  EXPECT_EQ(Obfuscated("SELECT a WHERE b = $1 AND c = :name AND d = @p AND e = %s AND f = %(g)s AND h = ?"),
            "SELECT a WHERE b = ? AND c = :name AND d = @p AND e = ? AND f = ? AND h = ?");
  EXPECT_EQ(Obfuscated("SELECT a % 8, b % c, @r := @r + 1, d::text"),
            "SELECT a % ? b % c, @r := @r + ? d :: text");
  EXPECT_EQ(Obfuscated("{call f(?, 1)}"), "{ call f ( ? ) }");
  EXPECT_EQ(Obfuscated("SELECT {ts '2020-01-01'}, {fn {d '}'}}, a"), "SELECT ? a");
}

TEST(ObfuscateSql, PostgreSql) {
  constexpr SqlDialect kDialect = SqlDialect::kPostgreSql;
  EXPECT_EQ(Obfuscated("SELECT $$a 'b'$$, $f$x $$ y$f$, $1", kDialect), "SELECT ?");
  EXPECT_EQ(Obfuscated("SELECT a->'b'->>'c' #> '{d}' @> 'e' WHERE f ?| 'g' AND h ? 'i'", kDialect),
            "SELECT a -> ? ->> ? #> ? @> ? WHERE f ?| ? AND h ? ?");
  EXPECT_EQ(Obfuscated("SELECT a FROM t WHERE b IN (?, ?)", kDialect), "SELECT a FROM t WHERE b IN ( ? )");
  EXPECT_EQ(Obfuscated(R"(SELECT E'it\'s', 'a\' FROM t)", kDialect), "SELECT E ? FROM t");
}

TEST(ObfuscateSql, Oracle) {
  EXPECT_EQ(Obfuscated("SELECT q'[it's]', Q'!a'b!', :1 FROM t", SqlDialect::kOracle),
            "SELECT q ? Q ? :1 FROM t");
  EXPECT_EQ(Cut("SELECT q'[it's FROM t", SqlDialect::kOracle), "SELECT ?");
}

TEST(ObfuscateSql, MySqlsDoubleQuotedTextsAreLiterals) {
  EXPECT_EQ(Obfuscated(R"(SELECT "a", f(b, "c\"d") FROM t)", SqlDialect::kMySql),
            "SELECT ? f ( b, ? ) FROM t");
}

TEST(ObfuscateSql, NothingOfALiteralIsShown) {
  EXPECT_EQ(Obfuscated("SELECT price*5, a*b FROM t"), "SELECT price * ? a * b FROM t");
  EXPECT_EQ(Obfuscated("SELECT a[1:2], b[c:3] AT 12:30:45"), "SELECT a [ ? : ? ], b [ c : ? ] AT ? : ? : ?");
  EXPECT_EQ(Obfuscated("SELECT a WHERE id = 550e8400-e29b-41d4-a716-446655440000 AND b = "
                       "e50e8400-e29b-41d4-a716-446655440000 AND d = 1h30m",
                       SqlDialect::kStandard),
            "SELECT a WHERE id = ? AND b = ? AND d = ?");
  EXPECT_EQ(Obfuscated(R"(SELECT a WHERE b > "x" AND c LIKE "y%" AND d IN ("p", "q"))"),
            "SELECT a WHERE b > ? AND c LIKE ? AND d IN ( ? )");
  EXPECT_EQ(Obfuscated(R"(INSERT INTO t ("a", "b") VALUES ("x", f("y")), ("z", "w"))"),
            "INSERT INTO t ( a, b ) VALUES ( ? f ( ? ) )");
  EXPECT_EQ(Obfuscated(R"(SELECT a WHERE b IN (SELECT "c" FROM "d"))"),
            "SELECT a WHERE b IN ( SELECT c FROM d )");
}

TEST(ObfuscateSql, UnterminatedTextsHideAllThatFollows) {
  EXPECT_EQ(Cut("SELECT a FROM t WHERE b = 'secr"), "SELECT a FROM t WHERE b = ?");
  EXPECT_EQ(Cut("SELECT a FROM t WHERE b = 1 AND `c"), "SELECT a FROM t WHERE b = ? AND ?");
  EXPECT_EQ(Cut("SELECT $tag$ secret $tag", SqlDialect::kPostgreSql), "SELECT ?");
  EXPECT_EQ(Cut("SELECT a /* b"), "SELECT a");
  EXPECT_EQ(Cut("SELECT a, {d 'x'"), "SELECT a, ?");
  EXPECT_EQ(Cut("SELECT a AS [b"), "SELECT a");
  EXPECT_EQ(Cut("INSERT INTO t VALUES (1, 'a'), (2, 'b"), "INSERT INTO t VALUES ( ? )");
}

TEST(ObfuscateSql, ABackslashBeforeAQuoteShowsNothingInEitherReading) {
  constexpr std::string_view kEscaped = R"(SELECT a WHERE b = 'it\'s' AND c = 1)";
  EXPECT_EQ(Obfuscated(kEscaped), "SELECT a WHERE b = ? AND c = ?");
  EXPECT_EQ(Obfuscated(kEscaped, SqlDialect::kMySql), "SELECT a WHERE b = ? AND c = ?");
  constexpr std::string_view kLiteral = R"(SELECT a WHERE b = 'c:\' AND c = 'secret' AND d = 1)";
  EXPECT_EQ(Obfuscated(kLiteral, SqlDialect::kStandard), "SELECT a WHERE b = ? AND c = ? AND d = ?");
  EXPECT_EQ(Cut(kLiteral), "SELECT a WHERE b = ?");
  // With escapes the text has an end too, and so has a query that was cut.
  EXPECT_EQ(Cut(R"(SELECT a WHERE b = 'c:\' AND c = 'secret' -- it's so)"), "SELECT a WHERE b = ?");
  EXPECT_EQ(Cut(R"(SELECT a WHERE b = 'c:\' AND c = 'secr)"), "SELECT a WHERE b = ?");
  // A letter after the quote proves that the backslashes are escapes.
  EXPECT_EQ(Cut(R"(SELECT a WHERE b = '5\' tall, it\'s' AND c = 'secr)"), "SELECT a WHERE b = ? AND c = ?");
  EXPECT_EQ(Obfuscated(R"(SELECT a WHERE b = 'say \'hi\'' AND c = 'x')"), "SELECT a WHERE b = ? AND c = ?");
  EXPECT_EQ(Obfuscated(R"(SELECT a WHERE b LIKE 'x' ESCAPE '\' AND c = 'y')"),
            "SELECT a WHERE b LIKE ? ESCAPE ? AND c = ?");
  EXPECT_EQ(Obfuscated(R"(SELECT a WHERE b LIKE 'x' ESCAPE '\\' AND c = 'y')"),
            "SELECT a WHERE b LIKE ? ESCAPE ? AND c = ?");
}

TEST(ObfuscateSql, TextThatIsNoSqlIsNotShown) {
  for (const std::string_view query :
       {"", "  ", "-- only a comment", ";", "SELECT \\ secret", "SELECT } secret", "\x01", "/* cut"}) {
    const SqlOutcome expected = SqlOutcome::kNotParsable;
    EXPECT_EQ(Obfuscated(query, SqlDialect::kGeneric, expected), kNotParsableSql) << query;
  }
  EXPECT_EQ(Obfuscated(std::string_view("SELECT a\0b", 10), SqlDialect::kGeneric, SqlOutcome::kNotParsable),
            kNotParsableSql);
}

TEST(ObfuscateSql, TakesLinearTimeAndNoStackForNesting) {
  // Quadratic work on these would take minutes, recursion the stack.
  constexpr int kTimes = 200'000;
  for (const std::string_view part : {"(", "(1,", "[", "{", "'a\\'b' ", "/*", "$a", "$a$ $b", "%(a", "q'[",
                                      "`", "0x-", "AS ", "\"", "\xE2\x80"}) {
    std::string query = "SELECT ";
    for (int i = 0; i < kTimes; ++i) absl::StrAppend(&query, part);
    for (const SqlDialect dialect : {SqlDialect::kGeneric, SqlDialect::kPostgreSql, SqlDialect::kMsSql}) {
      std::string out;
      ObfuscateSql(query, dialect, out);
      EXPECT_LE(out.size(), 2 * query.size());
    }
  }
}

TEST(SqlDialectOf, NamesOfDatabases) {
  EXPECT_EQ(SqlDialectOf("MySQL"), SqlDialect::kMySql);
  EXPECT_EQ(SqlDialectOf("postgresql"), SqlDialect::kPostgreSql);
  EXPECT_EQ(SqlDialectOf("mssql"), SqlDialect::kMsSql);
  EXPECT_EQ(SqlDialectOf("oracle"), SqlDialect::kOracle);
  EXPECT_EQ(SqlDialectOf("cassandra"), SqlDialect::kStandard);
  EXPECT_EQ(SqlDialectOf("microsoft.sql_server"), SqlDialect::kMsSql);
  EXPECT_EQ(SqlDialectOf("oracle.db"), SqlDialect::kOracle);
  EXPECT_EQ(SqlDialectOf(""), SqlDialect::kGeneric);
}

}  // namespace
}  // namespace thaw
