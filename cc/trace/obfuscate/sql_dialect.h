// Dialects of SQL, as far as they differ in where a literal, a name or a comment ends.

#ifndef THAW_CC_TRACE_OBFUSCATE_SQL_DIALECT_H_
#define THAW_CC_TRACE_OBFUSCATE_SQL_DIALECT_H_

#include <string_view>

namespace thaw {

enum class SqlDialect {
  kGeneric,     // unknown; a backslash may be an escape or not
  kStandard,    // SQLite, Cassandra, Db2, H2: a backslash is an ordinary character
  kMySql,       // MySQL and MariaDB
  kPostgreSql,  // PostgreSQL and Redshift
  kMsSql,
  kOracle,
};

// Reads a span's tag db.type, db.system or db.system.name, in any case; returns kGeneric for unknown names.
SqlDialect SqlDialectOf(std::string_view database);

// Reads such a tag, too. Returns false for the databases whose statements are known to be no SQL, and true for all
// others, unknown ones included: a literal that is replaced needlessly costs less than one that is sent.
bool MayBeSql(std::string_view database);

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_SQL_DIALECT_H_
