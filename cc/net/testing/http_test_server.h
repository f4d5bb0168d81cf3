// An HTTP/1.1 peer on a real socket of the loopback, that says what a test wrote for it.
//
//   HttpTestServer server;
//   server.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
//   ... send a request to 127.0.0.1:server.port() ...
//   EXPECT_EQ(server.requests()[0].head, "GET / HTTP/1.1\r\n…");
//
// Answers go to requests in the order of both; a request for which there is none yet waits, as a long poll
// does, until Answer() is called. It runs on a thread of its own.

#ifndef THAW_CC_NET_TESTING_HTTP_TEST_SERVER_H_
#define THAW_CC_NET_TESTING_HTTP_TEST_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace thaw {

class HttpTestServer {
 public:
  struct Request {
    std::string head;  // with the empty line
    std::string body;  // by its Content-Length
  };
  enum class Then {
    kKeep,   // the connection stays open
    kClose,  // it is closed behind the answer, in order
    kReset,  // the same, by a reset
  };

  HttpTestServer();
  ~HttpTestServer();
  HttpTestServer(const HttpTestServer&) = delete;
  HttpTestServer& operator=(const HttpTestServer&) = delete;

  uint16_t port() const;
  // What the next request is answered with, whatever it is: bytes as they are, or none.
  void Answer(std::string bytes, Then then = Then::kKeep);
  // What came so far.
  std::vector<Request> requests() const;
  int connections() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_HTTP_TEST_SERVER_H_
