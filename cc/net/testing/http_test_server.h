// An HTTP/1.1 server on a real loopback socket, whose answers the test writes.
//
//   HttpTestServer server;
//   server.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
//   ...                                   // a client sends a request to 127.0.0.1:server.port()
//   EXPECT_EQ(server.requests()[0].head, "GET / HTTP/1.1\r\n…");
//
// Requests get the answers in order; a request for which there is no answer yet waits until Answer() is
// called, as in a long poll. The server runs on its own thread.

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
    std::string body;  // as long as its Content-Length says
  };
  enum class Then {
    kKeep,   // keeps the connection open
    kClose,  // closes it in order behind the answer
    kReset,  // resets it behind the answer
  };

  HttpTestServer();
  ~HttpTestServer();
  HttpTestServer(const HttpTestServer&) = delete;
  HttpTestServer& operator=(const HttpTestServer&) = delete;

  uint16_t port() const;
  // Answers the next request, whatever it is, with these bytes, which may be none.
  void Answer(std::string bytes, Then then = Then::kKeep);
  // The requests that came so far.
  std::vector<Request> requests() const;
  int connections() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_HTTP_TEST_SERVER_H_
