#include "cc/net/io/dns_sockets.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

// The header of an answer to one question, with its flags and the number of its records.
std::string Header(std::string_view flags, char records) {
  std::string header("\x12\x34", 2);
  header.append(flags);
  header.append(std::string("\0\1\0", 3)).push_back(records);
  return header.append(4, '\0');
}

const std::string kQuestion("\1a\4test\0\0\1\0\1", 12);
const std::string kAddress("\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc0\0\2\7", 16);
const std::string kAlias("\xc0\x0c\0\5\0\1\0\0\0\x1e\0\2\xc0\x0c", 14);

bool Admit(std::string& datagram) {
  return AdmitDatagram({reinterpret_cast<unsigned char*>(datagram.data()), datagram.size()});
}

TEST(DnsSocketsTest, AnswersAreAdmittedAsTheyAre) {
  for (const std::string& answer :
       {Header("\x81\x80", 1) + kQuestion + kAddress, Header("\x81\x83", 0) + kQuestion}) {
    std::string datagram = answer;
    EXPECT_TRUE(Admit(datagram));
    EXPECT_EQ(datagram, answer);
  }
}

TEST(DnsSocketsTest, ADatagramThatIsNoAnswerIsNotAdmitted) {
  const std::string answer = Header("\x81\x80", 1) + kQuestion + kAddress;
  for (size_t length = 0; length < answer.size(); ++length) {
    std::string datagram = answer.substr(0, length);
    EXPECT_FALSE(Admit(datagram)) << length;
  }
  std::string question = Header(std::string_view("\1\0", 2), 0) + kQuestion;
  EXPECT_FALSE(Admit(question));
  std::string garbage = Header("\x81\x80", 1) + std::string(30, '\xff');
  EXPECT_FALSE(Admit(garbage));
}

TEST(DnsSocketsTest, ATruncatedAnswerCountsByItsAddresses) {
  std::string with_address = Header("\x83\x80", 1) + kQuestion + kAddress;
  EXPECT_TRUE(Admit(with_address));
  EXPECT_EQ(with_address, Header("\x81\x80", 1) + kQuestion + kAddress);
  for (const std::string& answer :
       {Header("\x83\x80", 0) + kQuestion, Header("\x83\x80", 1) + kQuestion + kAlias}) {
    std::string datagram = answer;
    EXPECT_TRUE(Admit(datagram));
    EXPECT_EQ(datagram, answer) << "TCP has the rest";
  }
}

}  // namespace
}  // namespace thaw
