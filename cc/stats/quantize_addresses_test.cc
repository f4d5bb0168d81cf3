#include "cc/stats/quantize_addresses.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Quantized(std::string_view value) {
  AddressQuantizer quantizer;
  std::string out = "peer:";
  quantizer.Append(value, out);
  EXPECT_EQ(out.substr(0, 5), "peer:");
  return out.substr(5);
}

TEST(QuantizeAddresses, AnAddressBecomesAWordAndTheTextAroundItStays) {
  EXPECT_EQ(Quantized("10.0.4.7"), "blocked-ip-address");
  EXPECT_EQ(Quantized("10.0.4.7:6379"), "blocked-ip-address:6379");
  EXPECT_EQ(Quantized("10.0.4.7.nip.example"), "blocked-ip-address.nip.example");
  EXPECT_EQ(Quantized("10-0-4-7.pod.cluster.local"), "blocked-ip-address.pod.cluster.local");
  EXPECT_EQ(Quantized("10_0_4_7"), "blocked-ip-address");
  EXPECT_EQ(Quantized("10-0-4-7-a"), "blocked-ip-address-a");
  EXPECT_EQ(Quantized("10.0.4.7.8.9"), "blocked-ip-address.8.9");
  EXPECT_EQ(Quantized("ip-10-0-4-7.ec2.internal"), "ip-blocked-ip-address.ec2.internal");
  EXPECT_EQ(Quantized("https://10.0.4.7/x"), "https://blocked-ip-address/x");
  EXPECT_EQ(Quantized("dnspoll:///10.0.4.7:53"), "dnspoll:///blocked-ip-address:53");
  EXPECT_EQ(Quantized("2001:db8::7"), "blocked-ip-address");
  EXPECT_EQ(Quantized("fe80::1"), "blocked-ip-address");
  EXPECT_EQ(Quantized("::ffff:10.0.4.7"), "blocked-ip-address");
  EXPECT_EQ(Quantized("[2001:db8::7]:443"), "blocked-ip-address:443");
}

TEST(QuantizeAddresses, TextThatIsNoAddressStays) {
  for (const std::string_view value : {"",
                                       "db.example.com",
                                       "1",
                                       "12345",
                                       "1.2.3",
                                       "1.2.3.",
                                       "1.2.3.256",
                                       "1.2.3.999",
                                       "01.2.3.4",
                                       "1.02.3.4",
                                       "1..2.3",
                                       "1.2-3.4",
                                       "1-2-3-x",
                                       "ip-",
                                       "http://",
                                       "http:/1.2.3.4",
                                       "gopher://1.2.3.4",
                                       "[::7",
                                       "[nothing]:80",
                                       "[]",
                                       "fe80::1%eth0",
                                       "::7-x",
                                       "cafe",
                                       "a:b",
                                       "1:",
                                       "deadbeef::1::2",
                                       "x10.0.4.7"})
    EXPECT_EQ(Quantized(value), value);
  const std::string long_text(10'000, ':');
  EXPECT_EQ(Quantized(long_text), long_text);
  const std::string with_zero("::7\0x", 5);
  EXPECT_EQ(Quantized(with_zero), with_zero);
}

TEST(QuantizeAddresses, AddressesThatMeanTheSameEverywhereStay) {
  for (const std::string_view value : {"127.0.0.1", "127.0.0.1:8126", "http://127.0.0.1:9001", "::1",
                                       "[::1]:80", "169.254.169.254", "fd00:ec2::254", "169.254.170.2"})
    EXPECT_EQ(Quantized(value), value);
}

TEST(QuantizeAddresses, DuplicatesInAListAreLeftOut) {
  EXPECT_EQ(Quantized("10.0.0.1:9092,10.0.0.2:9092,kafka,10.0.0.3:9093,kafka,::1"),
            "blocked-ip-address:9092,kafka,blocked-ip-address:9093,::1");
  EXPECT_EQ(Quantized("a,b"), "a,b");
  EXPECT_EQ(Quantized("a,a"), "a");
  EXPECT_EQ(Quantized(",a,,"), ",a");
  EXPECT_EQ(Quantized(","), "");
}

TEST(QuantizeAddresses, ALongListTakesNoQuadraticTime) {
  std::string list;
  for (int i = 0; i < 200'000; ++i) list += std::to_string(i) + "x,";
  EXPECT_EQ(Quantized(list), list);
}

}  // namespace
}  // namespace thaw
