#include "cc/stats/grpc_status.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(GrpcStatus, NumbersAndNamesAreRead) {
  EXPECT_EQ(ParseGrpcStatus("0"), 0);
  EXPECT_EQ(ParseGrpcStatus("16"), 16);
  EXPECT_EQ(ParseGrpcStatus("255"), 255);
  EXPECT_EQ(ParseGrpcStatus("OK"), 0);
  EXPECT_EQ(ParseGrpcStatus("not_found"), 5);
  EXPECT_EQ(ParseGrpcStatus("StatusCode.UNAUTHENTICATED"), 16);
  EXPECT_EQ(ParseGrpcStatus("CANCELLED"), 1);
  EXPECT_EQ(ParseGrpcStatus("Canceled"), 1);
}

TEST(GrpcStatus, NothingElseIs) {
  for (const char* text :
       {"", "256", "-1", "4294967297", "1.5", "StatusCode.", "StatusCode.StatusCode.OK", "OKAY", "status"})
    EXPECT_EQ(ParseGrpcStatus(text), std::nullopt) << text;
}

}  // namespace
}  // namespace thaw
