// Serves a receiver's routes in memory, to a client with one connection.

#ifndef THAW_CC_AGENT_RECEIVER_FIXTURE_H_
#define THAW_CC_AGENT_RECEIVER_FIXTURE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cc/agent/http_server.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/testing/memory_listener.h"
#include "cc/net/testing/memory_transport.h"
#include "gtest/gtest.h"

namespace thaw {

class ReceiverFixture : public testing::Test {
 protected:
  ~ReceiverFixture() override {
    if (server_ != nullptr) server_->Close();
    executor_.RunAll();
  }

  // Must be called once, by the test's constructor.
  void Serve(std::vector<HttpRoute> routes) {
    server_ = std::make_unique<HttpServer>(executor_, clock_, HttpServerOptions(), std::move(routes));
    server_->Serve(door_.Open());
    client_ = door_.Connect();
    executor_.RunAll();
  }

  // Sends a request and returns the whole answer. `headers`: lines with their ends.
  std::string Request(std::string_view method, std::string_view target, std::string_view body = "",
                      std::string_view headers = "") {
    client_->StartWrite(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: localhost:8126\r\n", headers,
                                     "Content-Length: ", body.size(), "\r\n\r\n", body),
                        [](IoResult) {});
    executor_.RunAll();
    std::string answer;
    char buffer[65536];
    while (true) {
      const IoResult result = client_->TryRead(absl::MakeSpan(buffer));
      if (!result.status.ok()) return answer;
      answer.append(buffer, result.bytes);
      executor_.RunAll();
    }
  }
  std::string Get(std::string_view target) { return Request("GET", target); }
  static std::string_view BodyOf(std::string_view answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  MemoryListener::Door door_{executor_};
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<MemoryTransport> client_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_RECEIVER_FIXTURE_H_
