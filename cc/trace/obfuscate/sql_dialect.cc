#include "cc/trace/obfuscate/sql_dialect.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"

namespace thaw {

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

bool MayBeSql(std::string_view database) {
  // Values of OpenTelemetry's db.system and db.system.name, and of Datadog's tracers.
  static constexpr std::string_view kOthers[] = {
      "mongodb", "redis",    "valkey",       "memcached", "elasticsearch", "opensearch",
      "couchdb", "dynamodb", "aws.dynamodb", "geode",     "hbase",         "neo4j",
  };
  return absl::c_none_of(
      kOthers, [database](std::string_view other) { return absl::EqualsIgnoreCase(database, other); });
}

}  // namespace thaw
