#include "cc/lambda/invocation/parameterize_path.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(ParameterizePathTest, NamesIdsAfterWhatStandsBeforeThem) {
  EXPECT_EQ(ParameterizePath(""), "");
  EXPECT_EQ(ParameterizePath("/"), "/");
  EXPECT_EQ(ParameterizePath("/users/17/orders/550e8400-e29b-41d4-a716-446655440000/"),
            "/users/{user_id}/orders/{order_id}/");
  EXPECT_EQ(ParameterizePath("/17/18"), "/{id}/{id}");
  EXPECT_EQ(ParameterizePath("/categories/1/boxes/2/class/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            "/categories/{category_id}/boxes/{box_id}/class/{class_id}");
  EXPECT_EQ(ParameterizePath("/users/{id}/17"), "/users/{id}/17");
  EXPECT_EQ(ParameterizePath("/v1/abc-12"), "/v1/abc-12");
}

}  // namespace
}  // namespace thaw
