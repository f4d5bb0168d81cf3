#include "cc/net/tls/tls_error.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "openssl/err.h"
#include "openssl/ssl.h"

namespace thaw {
namespace {

void Put(int library, int reason) { ERR_put_error(library, 0, reason, __FILE__, __LINE__); }

TEST(TlsErrorTest, TheOldestErrorIsTakenAndTheOthersGo) {
  Put(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
  Put(ERR_LIB_SSL, SSL_R_BAD_ALERT);
  const TlsError error = TakeTlsError();
  EXPECT_EQ(error.text, "TLS: CERTIFICATE_VERIFY_FAILED");
  EXPECT_FALSE(error.alert);
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_EQ(TakeTlsError().text, "TLS failed without a reason");
}

TEST(TlsErrorTest, AnAlertIsThePeers) {
  Put(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + SSL_AD_UNRECOGNIZED_NAME);
  const TlsError error = TakeTlsError();
  EXPECT_EQ(error.text, "the peer sent TLS alert \"unrecognized name\" (112)");
  EXPECT_TRUE(error.alert);
}

TEST(TlsErrorTest, AStepThatFailedHasItsReason) {
  Put(ERR_LIB_SSL, SSL_R_BAD_ALERT);
  EXPECT_EQ(TlsStepFailed("no context"), absl::InternalError("TLS: no context: BAD_ALERT"));
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_EQ(TlsStepFailed("no context"), absl::InternalError("TLS: no context"));
}

}  // namespace
}  // namespace thaw
