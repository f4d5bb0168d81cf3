// Looks names up through real nameservers on the loopback that answer, fail or stay silent.

#include "cc/net/io/name_lookup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/name_race.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kSilent = -1, kAddress = 0, kServfail = 2, kNxdomain = 3, kRefused = 5, kNoData = 100;
// Datagrams that are no answer.
constexpr int kEmpty = 101, kOneByte = 102, kFiveBytes = 103, kEcho = 104, kGarbage = 105,
              kShortAddress = 106;
constexpr int kNoAnswers[] = {kEmpty, kOneByte, kFiveBytes, kEcho, kGarbage, kShortAddress};
constexpr int kTruncatedAddress = 107, kTruncated = 108;

// Decides how a server answers a question for A or AAAA records.
using Policy = std::function<int(const std::string& name, bool ipv6)>;

Policy Always(int what) {
  return [what](const std::string&, bool) { return what; };
}
Policy Ipv4Only(int ipv6) {
  return [ipv6](const std::string&, bool is_ipv6) { return is_ipv6 ? ipv6 : kAddress; };
}

// Answers with 192.0.2.`last` or 2001:db8::`last`.
class Nameserver {
 public:
  Nameserver(int last, Policy policy)
      : last_(last), policy_(std::move(policy)), fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    const timeval soon = {.tv_sec = 0, .tv_usec = 20'000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    where = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this] { Serve(); });
  }
  ~Nameserver() {
    stopped_ = true;
    thread_.join();
    close(fd_);
  }
  std::vector<std::string> asked() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return asked_;
  }
  std::string where;
  std::atomic<int> stray = 0;  // sent before each answer, unless 0

 private:
  void Serve() {
    while (!stopped_) {
      unsigned char packet[512];
      sockaddr_in from = {};
      socklen_t size = sizeof(from);
      const ssize_t bytes =
          recvfrom(fd_, packet, sizeof(packet), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (bytes < 17) continue;
      const std::string question(reinterpret_cast<char*>(packet), static_cast<size_t>(bytes));
      for (const std::string& answer : Answers(question))
        sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  std::vector<std::string> Answers(const std::string& question) {
    std::string name;
    size_t at = 12;
    while (question[at] != 0) {
      absl::StrAppend(&name, question.substr(at + 1, static_cast<size_t>(question[at])), ".");
      at += 1 + static_cast<size_t>(question[at]);
    }
    absl::AsciiStrToLower(&name);
    const bool ipv6 = question[at + 2] == 28;
    const std::string asked_for = question.substr(12, at + 5 - 12);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      asked_.push_back(absl::StrCat(ipv6 ? "AAAA " : "A ", name));
    }
    std::vector<std::string> answers;
    if (stray != 0) answers.push_back(Datagram(stray, question, asked_for, ipv6));
    const int what = policy_(name, ipv6);
    if (what != kSilent) answers.push_back(Datagram(what, question, asked_for, ipv6));
    return answers;
  }
  std::string Datagram(int what, const std::string& question, const std::string& asked_for, bool ipv6) {
    if (what == kEmpty) return "";
    if (what == kOneByte) return "x";
    if (what == kFiveBytes) return question.substr(0, 5);
    if (what == kEcho) return question;
    if (what == kGarbage) return question.substr(0, 2) + "\x81\x80" + std::string(10, '\xff');
    const bool truncated = what == kTruncated || what == kTruncatedAddress;
    const bool has_record = what == kAddress || what == kShortAddress || what == kTruncatedAddress;
    const int code = what < kNoData ? what : 0;
    std::string answer =
        question.substr(0, 2) + (truncated ? '\x83' : '\x81') + static_cast<char>(0x80 | code);
    answer += std::string("\0\1\0", 3) + (has_record ? '\1' : '\0') + std::string("\0\0\0\0", 4) + asked_for;
    if (has_record) {
      answer += std::string("\xc0\x0c\0", 3) + (ipv6 ? '\x1c' : '\1') + std::string("\0\1\0\0\0\x1e\0", 7);
      if (what == kShortAddress) return answer + std::string("\3\0\0\0", 4);
      answer +=
          ipv6 ? std::string("\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 16) : std::string("\4\xc0\0\2", 4);
      answer += static_cast<char>(last_);
    }
    return answer;
  }

  const int last_;
  const Policy policy_;
  const int fd_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::thread thread_;
};

class NameLookupTest : public testing::Test {
 protected:
  void Use(const std::vector<const Nameserver*>& servers, const std::string& resolv_conf = "") {
    DnsOptions options;
    for (const Nameserver* server : servers)
      absl::StrAppend(&options.servers, options.servers.empty() ? "" : ",", server->where);
    options.resolv_conf = absl::StrCat(testing::TempDir(), "/resolv.conf");
    std::ofstream(options.resolv_conf) << resolv_conf;
    names_ = MakeNameLookup(loop_, options);
  }
  std::vector<std::string> Lookup(const std::string& host) {
    std::optional<absl::StatusOr<ResolvedName>> result;
    absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done = [&](absl::StatusOr<ResolvedName> name) {
      result = std::move(name);
      loop_.Stop();
    };
    const absl::Duration began = loop_.Now().monotonic;
    Spawn<absl::StatusOr<ResolvedName>>(loop_, names_->Lookup(host, patience_, cancellation_),
                                        std::move(done));
    loop_.Run();
    took_ = loop_.Now().monotonic - began;
    status_ = result->status();
    std::vector<std::string> texts;
    if (result->ok()) {
      for (const IpAddress& address : (*result)->addresses) texts.push_back(address.text);
    }
    return texts;
  }

  EventLoop loop_;
  Cancellation cancellation_;
  LookupPatience patience_ = LookupPatience::kShort;
  std::unique_ptr<NameLookup> names_;
  absl::Duration took_;
  absl::Status status_;
};

TEST_F(NameLookupTest, BothFamilies) {
  const Nameserver server(7, Always(kAddress));
  Use({&server});
  EXPECT_THAT(Lookup("intake.test"), testing::UnorderedElementsAre("192.0.2.7", "2001:db8::7"));
}

TEST_F(NameLookupTest, Ipv4AddressesDoNotWaitForTheIpv6Answer) {
  for (const int ipv6 : {kSilent, kServfail, kRefused, kNxdomain, kNoData}) {
    const Nameserver server(7, Ipv4Only(ipv6));
    Use({&server});
    EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7")) << ipv6;
    EXPECT_LT(took_, absl::Milliseconds(1500)) << "in which a flush would have been given up";
  }
}

TEST_F(NameLookupTest, Ipv4AddressesCountWhateverComesForIpv6) {
  for (const int ipv6 : kNoAnswers) {
    const Nameserver server(7, Ipv4Only(ipv6));
    Use({&server});
    EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7")) << ipv6;
    EXPECT_LT(took_, absl::Milliseconds(1500)) << ipv6;
  }
}

TEST_F(NameLookupTest, ADatagramThatIsNoAnswerDoesNotHideTheAnswerBehindIt) {
  for (const int stray : kNoAnswers) {
    Nameserver server(7, Always(kAddress));
    server.stray = stray;
    Use({&server});
    EXPECT_THAT(Lookup("intake.test"), testing::UnorderedElementsAre("192.0.2.7", "2001:db8::7")) << stray;
    EXPECT_EQ(server.asked().size(), 2u) << "no question is asked again for it, " << stray;
  }
}

TEST_F(NameLookupTest, AServerThatSendsNoAnswerIsPassedOver) {
  const Nameserver broken(1, Always(kGarbage));
  const Nameserver live(7, Ipv4Only(kNoData));
  Use({&broken, &live});
  EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7"));
}

TEST_F(NameLookupTest, ATruncatedAnswerWithAddressesNeedsNoTcp) {
  // Nothing listens on the TCP port.
  const Nameserver server(
      7, [](const std::string&, bool ipv6) { return ipv6 ? kTruncated : kTruncatedAddress; });
  Use({&server});
  EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7"));
  EXPECT_LT(took_, absl::Milliseconds(1500));
}

TEST_F(NameLookupTest, ADeadServerInFrontCostsADelayOnce) {
  Nameserver dead(1, Always(kSilent));
  Nameserver live(7, Ipv4Only(kNoData));
  Use({&dead, &live});
  EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7"));
  EXPECT_LT(took_, absl::Milliseconds(1500));
  const size_t asked = dead.asked().size();
  EXPECT_THAT(Lookup("other.test"), ElementsAre("192.0.2.7"));
  EXPECT_EQ(dead.asked().size(), asked) << "the one that answered is asked first";
}

TEST_F(NameLookupTest, AServerThatRefusesIsPassedOver) {
  for (const int what : {kRefused, kServfail}) {
    const Nameserver refusing(1, Always(what));
    const Nameserver live(7, Ipv4Only(kNoData));
    Use({&refusing, &live});
    EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7"));
  }
}

TEST_F(NameLookupTest, RotationTakesAnotherServerFirstEachTime) {
  const Nameserver one(1, Ipv4Only(kNoData));
  const Nameserver two(2, Ipv4Only(kNoData));
  Use({&one, &two}, "options rotate\n");
  EXPECT_THAT(Lookup("a.test."), ElementsAre("192.0.2.1"));
  EXPECT_THAT(Lookup("b.test."), ElementsAre("192.0.2.2"));
  EXPECT_THAT(Lookup("c.test."), ElementsAre("192.0.2.1"));
}

TEST_F(NameLookupTest, NamesAreCompletedAsTheFileSays) {
  Nameserver server(7, [](const std::string& name, bool ipv6) {
    return name == "intake.b.test." ? (ipv6 ? kNoData : kAddress) : kNxdomain;
  });
  Use({&server}, "search a.test b.test\noptions ndots:1\n");
  EXPECT_THAT(Lookup("intake"), ElementsAre("192.0.2.7"));
  EXPECT_THAT(server.asked(), testing::Contains("A intake.a.test."));
  EXPECT_THAT(server.asked(), testing::Not(testing::Contains("A intake.")));
  EXPECT_THAT(Lookup("intake."), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(status_)) << status_;
}

TEST_F(NameLookupTest, AFileOfAliasesIsNotRead) {
  const std::string aliases = absl::StrCat(testing::TempDir(), "/aliases");
  std::ofstream(aliases) << "intake other.test\n";
  setenv("HOSTALIASES", aliases.c_str(), 1);
  Nameserver server(7, Ipv4Only(kNoData));
  Use({&server});
  EXPECT_THAT(Lookup("intake"), ElementsAre("192.0.2.7"));
  EXPECT_THAT(server.asked(), testing::Contains("A intake."));
  EXPECT_THAT(server.asked(), testing::Not(testing::Contains("A other.test.")));
  unsetenv("HOSTALIASES");
}

TEST_F(NameLookupTest, BothFamiliesAreOfOneName) {
  // A wildcard in a search domain must not give its IPv6 address to a name that has none.
  const Nameserver server(7, [](const std::string& name, bool ipv6) {
    if (name == "trace.intake.test.") return ipv6 ? kNoData : kAddress;
    return kAddress;
  });
  Use({&server}, "search wild.test\n");
  EXPECT_THAT(Lookup("trace.intake.test"), ElementsAre("192.0.2.7"));
}

TEST_F(NameLookupTest, TimeAndAttemptsAreTheFiles) {
  Nameserver dead(1, Always(kSilent));
  Use({&dead}, "options timeout:1 attempts:1\n");
  EXPECT_THAT(Lookup("intake.test"), IsEmpty());
  EXPECT_TRUE(absl::IsUnavailable(status_)) << status_;
  EXPECT_GE(took_, absl::Milliseconds(900));
  EXPECT_LT(took_, absl::Seconds(4)) << "three tries take seven seconds and more";
  // Two questions of each family: the second in case the first was lost.
  EXPECT_EQ(dead.asked().size(), 4u);
}

TEST_F(NameLookupTest, NoSocketOutlivesALookup) {
  const Nameserver dead(1, Always(kSilent));
  const Nameserver live(7, Ipv4Only(kSilent));
  Use({&dead, &live});
  const auto open_sockets = [] {
    int count = 0;
    for (int fd = 0; fd < 256; ++fd) {
      int type;
      socklen_t size = sizeof(type);
      if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM) ++count;
    }
    return count;
  };
  const int before = open_sockets();
  EXPECT_THAT(Lookup("intake.test"), ElementsAre("192.0.2.7"));
  EXPECT_EQ(open_sockets(), before);
}

TEST_F(NameLookupTest, TheHostsFileIsAskedBeforeAnyServer) {
  Nameserver server(7, Always(kAddress));
  Use({&server});
  for (const char* host : {"localhost", "localhost.", "x.localhost"}) {
    EXPECT_THAT(Lookup(host), testing::Contains("127.0.0.1")) << host;
  }
  EXPECT_THAT(server.asked(), IsEmpty());
}

TEST_F(NameLookupTest, GivenUpWhileServersAreSilent) {
  const Nameserver dead(1, Always(kSilent));
  Use({&dead, &dead});
  const Alarm late(loop_, absl::Milliseconds(50),
                   [this] { cancellation_.Request(absl::DeadlineExceededError("late")); });
  EXPECT_THAT(Lookup("intake.test"), IsEmpty());
  EXPECT_TRUE(absl::IsDeadlineExceeded(status_)) << status_;
}

TEST_F(NameLookupTest, DestroyedWhileAQuestionIsOpen) {
  const Nameserver dead(1, Always(kSilent));
  Use({&dead, &dead});
  bool ended = false;
  absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done = [&](absl::StatusOr<ResolvedName>) {
    ended = true;
  };
  Spawn<absl::StatusOr<ResolvedName>>(loop_, names_->Lookup("intake.test", patience_, cancellation_),
                                      std::move(done));
  const Alarm soon(loop_, absl::Milliseconds(30), [this] { loop_.Stop(); });
  loop_.Run();
  cancellation_.Request(absl::CancelledError("closing"));
  const Alarm later(loop_, absl::Milliseconds(30), [this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_TRUE(ended);
  names_.reset();
}

}  // namespace
}  // namespace thaw
