// Sends one request again and again over a few kept connections, as fast as it is answered, and prints the
// results as JSON. Each connection has one request under way.
//
//   load_generator --port=8126 --request=request.bin --offsets=420,431 --step=16 --connections=8 --seconds=5
//
// At each of the offsets in the request stand eight bytes, big-endian: a number to which --step is added from
// one request to the next, so that no two requests carry the same ids.
//
// The generator must cost less than what it measures: no parser (the answer's head must come in one piece and
// name its Content-Length), no allocation, one thread.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/log/check.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "cc/clock/system_clock.h"

ABSL_FLAG(uint16_t, port, 8126, "the server's, on 127.0.0.1");
ABSL_FLAG(std::string, request, "", "a file that holds one HTTP request, head and body");
ABSL_FLAG(std::vector<std::string>, offsets, {}, "where in it the numbers stand that change");
ABSL_FLAG(uint64_t, first, 0, "how often --step was added before the first request");
ABSL_FLAG(uint64_t, step, 1, "what is added to each of them for the next request");
ABSL_FLAG(int, connections, 1, "how many, each with one request at a time");
ABSL_FLAG(double, seconds, 5, "for how long");
ABSL_FLAG(int64_t, requests, 0, "the number of requests after which to end, if sooner; 0: no such limit");

namespace {

uint64_t LoadBigEndian(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap64(value);
}

void StoreBigEndian(char* bytes, uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(bytes, &value, sizeof(value));
}

// The server counts as gone after this time without an answer.
constexpr int kAnswerMilliseconds = 10'000;

absl::Duration Now() { return thaw::ReadSystemClocks().monotonic; }

struct Connection {
  int fd = -1;
  absl::Duration sent;      // monotonic time
  size_t answer_bytes = 0;  // bytes read of an incomplete answer
  std::array<char, 4096> answer;
};

class Load {
 public:
  explicit Load(std::string request) : request_(std::move(request)) {
    for (const std::string& text : absl::GetFlag(FLAGS_offsets)) {
      size_t offset = 0;
      CHECK(absl::SimpleAtoi(text, &offset) && offset + sizeof(uint64_t) <= request_.size())
          << "--offsets: " << text << " is no place in a request of " << request_.size() << " bytes";
      offsets_.push_back(offset);
      first_values_.push_back(LoadBigEndian(request_.data() + offset));
    }
  }

  void Run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    CHECK_GE(epoll_, 0) << std::strerror(errno);
    const int count = absl::GetFlag(FLAGS_connections);
    CHECK(count > 0 && count <= 10'000) << "--connections: " << count;
    connections_.resize(count);
    for (Connection& connection : connections_) Connect(connection);
    latencies_.reserve(1 << 20);
    begin_ = Now();
    const auto end = begin_ + absl::Seconds(absl::GetFlag(FLAGS_seconds));
    for (Connection& connection : connections_) Send(connection);
    std::array<epoll_event, 64> ready;
    while (open_ > 0) {
      const int got = epoll_wait(epoll_, ready.data(), ready.size(), kAnswerMilliseconds);
      CHECK_GT(got, 0) << "no answer";
      const auto now = Now();
      for (int i = 0; i < got; ++i) {
        Connection& connection = *static_cast<Connection*>(ready[i].data.ptr);
        if (!Read(connection, now)) continue;
        const int64_t most = absl::GetFlag(FLAGS_requests);
        if (now < end && (most == 0 || sent_ < most)) {
          Send(connection);
        } else {
          close(connection.fd);
          --open_;
        }
      }
    }
    took_ = Now() - begin_;
  }

  void Print() {
    std::sort(latencies_.begin(), latencies_.end());
    const auto microseconds = [this](double share) {
      if (latencies_.empty()) return 0.0;
      return double{latencies_[static_cast<size_t>(share * static_cast<double>(latencies_.size() - 1))]};
    };
    rusage usage = {};
    CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    const std::string statuses =
        absl::StrJoin(statuses_, ", ", [](std::string* out, const std::pair<const int, int64_t>& entry) {
          absl::StrAppend(out, "\"", entry.first, "\": ", entry.second);
        });
    const double seconds = absl::ToDoubleSeconds(took_);
    std::printf(
        "{\"requests\": %lld, \"statuses\": {%s}, \"seconds\": %.6f, \"cpu_seconds\": %.6f, \"p50_us\": "
        "%.1f, "
        "\"p99_us\": %.1f}\n",
        static_cast<long long>(sent_), statuses.c_str(), seconds, cpu, microseconds(0.5), microseconds(0.99));
  }

 private:
  void Connect(Connection& connection) {
    connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_GE(connection.fd, 0) << std::strerror(errno);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(absl::GetFlag(FLAGS_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
        << "127.0.0.1:" << absl::GetFlag(FLAGS_port) << ": " << std::strerror(errno);
    const int on = 1;
    CHECK_EQ(setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    epoll_event interest = {};
    interest.events = EPOLLIN;
    interest.data.ptr = &connection;
    CHECK_EQ(epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &interest), 0);
    ++open_;
  }

  void Send(Connection& connection) {
    const uint64_t step =
        absl::GetFlag(FLAGS_step) * (absl::GetFlag(FLAGS_first) + static_cast<uint64_t>(sent_));
    for (size_t i = 0; i < offsets_.size(); ++i)
      StoreBigEndian(request_.data() + offsets_[i], first_values_[i] + step);
    ++sent_;
    connection.sent = Now();
    for (size_t at = 0; at < request_.size();) {
      const ssize_t bytes = send(connection.fd, request_.data() + at, request_.size() - at, MSG_NOSIGNAL);
      CHECK_GT(bytes, 0) << "the server took no more: " << std::strerror(errno);
      at += bytes;
    }
  }

  // Returns whether the answer is complete.
  bool Read(Connection& connection, absl::Duration now) {
    const ssize_t bytes = recv(connection.fd, connection.answer.data() + connection.answer_bytes,
                               connection.answer.size() - connection.answer_bytes, 0);
    CHECK_GT(bytes, 0) << "the server closed a connection: " << std::strerror(errno);
    connection.answer_bytes += bytes;
    const std::string_view answer(connection.answer.data(), connection.answer_bytes);
    const size_t head = answer.find("\r\n\r\n");
    if (head == answer.npos) {
      CHECK_LT(answer.size(), connection.answer.size()) << "the answer's head is too long";
      return false;
    }
    if (answer.size() < head + 4 + ContentLength(answer.substr(0, head))) return false;
    int status = 0;
    CHECK(answer.size() > 12 && absl::SimpleAtoi(answer.substr(9, 3), &status)) << answer;
    ++statuses_[status];
    latencies_.push_back(static_cast<float>(absl::ToDoubleMicroseconds(now - connection.sent)));
    connection.answer_bytes = 0;
    return true;
  }

  static size_t ContentLength(std::string_view head) {
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
      if (const size_t at = head.find(name); at != head.npos) {
        size_t length = 0;
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
        return length;
      }
    }
    return 0;
  }

  std::string request_;
  std::vector<size_t> offsets_;
  std::vector<uint64_t> first_values_;
  std::vector<Connection> connections_;
  int epoll_ = -1;
  int open_ = 0;
  int64_t sent_ = 0;
  std::map<int, int64_t> statuses_;
  std::vector<float> latencies_;  // in microseconds
  absl::Duration begin_, took_;
};

}  // namespace

int main(int count, char** values) {
  absl::SetProgramUsageMessage("sends one request again and again; see --helpfull");
  absl::ParseCommandLine(count, values);
  std::ifstream file(absl::GetFlag(FLAGS_request), std::ios::binary);
  std::string request((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CHECK(!request.empty()) << "--request: nothing in " << absl::GetFlag(FLAGS_request);
  Load load(std::move(request));
  load.Run();
  load.Print();
  return 0;
}
