#include "cc/trace/obfuscate/sql_dialect.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SqlDialectTest, NamesAreReadInAnyCase) {
  EXPECT_EQ(SqlDialectOf("PostgreSQL"), SqlDialect::kPostgreSql);
  EXPECT_EQ(SqlDialectOf("microsoft.sql_server"), SqlDialect::kMsSql);
  EXPECT_EQ(SqlDialectOf("clickhouse"), SqlDialect::kGeneric);
  EXPECT_EQ(SqlDialectOf(""), SqlDialect::kGeneric);
}

TEST(SqlDialectTest, ADatabaseThatIsNotKnownMayBeSql) {
  for (const char* database :
       {"mysql", "clickhouse", "snowflake", "trino", "other_sql", "gcp.spanner", "", "mine"})
    EXPECT_TRUE(MayBeSql(database)) << database;
  for (const char* database : {"mongodb", "Redis", "elasticsearch", "aws.dynamodb"})
    EXPECT_FALSE(MayBeSql(database)) << database;
}

}  // namespace
}  // namespace thaw
