// Checks that a response read whole and in pieces gives the same result, within the limits.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/net/http1_parser.h"

namespace {

using thaw::Http1Parser;

void Check(bool holds) {
  if (!holds) std::abort();
}

// How much is drained depends on the pieces: a body that came with its end is complete. So the drain limit
// can't be reached here, and lines are shorter than the limit of a head.
constexpr Http1Parser::Limits kLimits = {
    .head_bytes = 1 << 16, .body_kept_bytes = 16, .body_drained_bytes = 1 << 20};
// Limits that inputs do reach.
constexpr Http1Parser::Limits kTight = {.head_bytes = 64, .body_kept_bytes = 16, .body_drained_bytes = 32};

// Passes `bytes` on in pieces of one to `longest` bytes, with lengths drawn from `seed`.
void Feed(Http1Parser& parser, std::string_view bytes, uint64_t seed, size_t longest) {
  while (!bytes.empty()) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const size_t piece = std::min<size_t>(bytes.size(), 1 + (seed >> 33) % longest);
    parser.Put(bytes.substr(0, piece));
    bytes.remove_prefix(piece);
  }
}

void CheckSound(Http1Parser& parser, const Http1Parser::Limits& limits) {
  Check((parser.state() == Http1Parser::State::kError) == !parser.error().ok());
  Check(parser.state() == Http1Parser::State::kDone || !parser.keep_alive());
  if (!parser.head_complete()) return;
  Check(parser.reason().size() <= 128);
  Check(parser.response().status >= 101 && parser.response().status <= 999);
  Check(parser.response().body.size() <= limits.body_kept_bytes);
  size_t head = 0;
  for (const auto& [name, value] : parser.response().headers) head += name.size() + value.size();
  Check(head <= limits.head_bytes);
}

void CheckSame(Http1Parser& a, Http1Parser& b) {
  Check(a.state() == b.state());
  Check(a.begun() == b.begun());
  Check(a.head_complete() == b.head_complete());
  Check(a.keep_alive() == b.keep_alive());
  Check(a.error() == b.error());
  if (!a.head_complete()) return;
  Check(a.response().status == b.response().status);
  Check(a.response().headers == b.response().headers);
  Check(a.response().body == b.response().body);
  Check(a.response().body_whole == b.response().body_whole);
}

void Try(std::string_view bytes) {
  if (bytes.size() > (1 << 14)) return;
  const uint64_t seed = bytes.empty() ? 0 : bytes.size() * 131 + static_cast<uint8_t>(bytes.back());
  for (const size_t longest : {size_t{1}, size_t{7}, size_t{100}}) {
    Http1Parser whole(kLimits);
    Http1Parser pieces(kLimits);
    whole.Put(bytes);
    Feed(pieces, bytes, seed, longest);
    CheckSame(whole, pieces);
    CheckSound(whole, kLimits);
    whole.End();
    pieces.End();
    CheckSame(whole, pieces);
    CheckSound(whole, kLimits);

    Http1Parser tight(kTight);
    Feed(tight, bytes, seed, longest);
    tight.End();
    CheckSound(tight, kTight);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Try(input);
  // Puts the input behind the first line, and into each kind of body, without having to guess the way there.
  Try("HTTP/1.1 200 OK\r\n" + input);
  Try("HTTP/1.1 200 OK\r\n\r\n" + input);
  Try("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + input);
  Try("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + input);
  Try("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + input);
  Try("HTTP/1.1 100 Continue\r\n\r\n" + input);
  Try("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\n " + input);
  Try("\r\nHTTP/1.1 202" + input);
  Try("HTTP/1.1 202\nContent-Length: 5\nTransfer-Encoding: chunked\n" + input);
  Try("HTTP/1.0 202 OK\r\nX: y\r\n " + input + "\r\nContent-Length: 5\r\n\r\nwhole");
  // Words that mean something to a parser.
  constexpr std::string_view kWords[] = {"HTTP/1.1 200 OK",
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
                                         "HTTP/1.1 100 Continue",
                                         "abc",
                                         ",",
                                         "HTTP/1.0 204",
                                         "Content-Length: 5, 5",
                                         "Transfer-Encoding: gzip",
                                         "Connection: keep-alive"};
  std::string text;
  for (const char byte : input.substr(0, 256)) text += kWords[static_cast<uint8_t>(byte) % std::size(kWords)];
  Try(text);
  Try("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text);
  return 0;
}
