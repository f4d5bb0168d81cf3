// Any bytes give the same result read whole and read in pieces, within the limits, and the parser reads
// nothing outside them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "cc/agent/http_request_parser.h"

namespace {

using thaw::HttpRequestParser;

void Check(bool holds) {
  if (!holds) std::abort();
}

struct Result {
  absl::Status status;
  bool whole_head = false;
  bool done = false;
  std::string head;
  std::string content;
  bool operator==(const Result&) const = default;
};

bool Within(std::string_view part, std::string_view all) {
  return part.empty() || (part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size());
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char byte) {
    return (static_cast<uint8_t>(byte) < ' ' && byte != '\t') || byte == 0x7f;
  });
}

// Passes `bytes` in pieces of `piece`, each time in a new buffer.
Result Read(std::string_view bytes, size_t piece, size_t limit) {
  HttpRequestParser parser(limit);
  Result result;
  size_t came = 0;
  std::string buffer;
  while (!result.whole_head) {
    came = std::min(bytes.size(), came + piece);
    buffer = std::string(bytes.substr(0, came));
    const absl::StatusOr<bool> whole = parser.PutHead(buffer);
    if (!whole.ok()) {
      result.status = whole.status();
      return result;
    }
    result.whole_head = *whole;
    if (came == bytes.size() && !*whole) {
      Check(came <= limit);
      return result;
    }
  }
  const thaw::HttpRequestHead& head = parser.head();
  Check(head.bytes <= buffer.size() && head.bytes <= limit);
  Check(!head.chunked || !head.content_length.has_value());
  Check(Within(head.method, buffer) && Within(head.target, buffer));
  Check(head.headers.size() <= thaw::kMaxRequestHeaders);
  // A forwarded target can't be another request or a part of one.
  for (const char byte : head.target) Check(byte > ' ' && byte < 0x7f && byte != '#');
  int hosts = 0;
  const thaw::RequestTarget target = thaw::SplitTarget(head.target);
  result.head.append(head.method).append(target.path).append(target.query);
  for (const auto& [name, value] : head.headers) {
    Check(Within(name, buffer) && Within(value, buffer));
    Check(!name.empty() && !HasControl(name) && !HasControl(value));
    if (absl::EqualsIgnoreCase(name, "host")) ++hosts;
    result.head.append(name).append(value);
  }
  Check(hosts == 1 || (hosts == 0 && head.http_1_0));
  Check(!head.chunked || !head.http_1_0);
  result.head += head.keep_alive ? 'k' : 'c';
  result.head += head.expects_continue ? 'e' : '-';
  result.head += std::to_string(head.content_length.value_or(0));
  if (!head.chunked) {
    result.done = true;
    return result;
  }
  const auto take = [&result](std::string_view part) { result.content.append(part); };
  size_t used = head.bytes;
  while (!parser.chunks_done()) {
    const absl::StatusOr<size_t> took = parser.PutChunks(bytes.substr(used, came - used), take);
    if (!took.ok()) {
      result.status = took.status();
      return result;
    }
    used += *took;
    Check(used <= came);
    if (came == bytes.size() && !parser.chunks_done()) break;
    came = std::min(bytes.size(), came + piece);
  }
  Check(result.content.size() <= bytes.size());
  result.done = parser.chunks_done();
  return result;
}

void Try(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > (1 << 13)) return;
  const Result whole = Read(bytes, bytes.size(), 1 << 16);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{100}}) Check(Read(bytes, piece, 1 << 16) == whole);
  Read(bytes, 3, 256);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Try(input);
  // The input is put after the first line and into each kind of body, so that the fuzzer need not find the
  // way.
  Try("POST / HTTP/1.1\r\nHost: x\r\n" + input);
  Try("POST / HTTP/1.1\r\n" + input);
  Try("POST /" + input.substr(0, 20) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  Try("POST / HTTP/1.1\r\nHost: " + input.substr(0, 20) + "\r\n\r\n");
  Try("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + input.substr(0, 20) + "\r\n\r\n");
  Try("POST /x?y HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n" + input);
  Try("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + input);
  Try("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + input);
  // The text is made of words that matter to a parser.
  constexpr std::string_view kWords[] = {"POST / HTTP/1.1",
                                         "\r\n",
                                         "\r",
                                         "\n",
                                         "Content-Length: 3",
                                         "Connection: close",
                                         ":",
                                         " ",
                                         "\t",
                                         "Transfer-Encoding: chunked",
                                         "3",
                                         "0",
                                         ";",
                                         "Expect: 100-continue",
                                         "Host: x\r\n",
                                         ","};
  std::string text;
  for (const char byte : input.substr(0, 256)) text += kWords[static_cast<uint8_t>(byte) % std::size(kWords)];
  Try(text);
  Try("POST / HTTP/1.1\r\nHost: x\r\n" + text);
  Try("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + text);
  return 0;
}
