#include "cc/agent/http_request_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cc/base/status_macros.h"
#include "cc/net/http_token.h"

namespace thaw {
namespace {

// The classes of a byte, as bits.
enum ByteClass : uint8_t {
  kToken = 1,        // names and methods (RFC 9110 section 5.6.2)
  kTarget = 2,       // a request's target
  kRequestLine = 4,  // the first line
  kFieldLine = 8,    // any other line
  kHost = 16,        // a host name or IPv4 address (RFC 3986 section 3.2.2)
};

constexpr std::array<uint8_t, 256> MakeByteClasses() {
  std::array<uint8_t, 256> classes = {};
  for (int byte = 0x20; byte < 0x100; ++byte)
    if (byte != 0x7f) classes[byte] |= kFieldLine;
  classes['\t'] |= kFieldLine;
  for (int byte = 0x20; byte < 0x7f; ++byte) classes[byte] |= kRequestLine;
  // Excludes fragments, which are never sent, and the characters that clients must encode in every part of a
  // URL. Clients differ about others, such as '|' and braces, which do no harm.
  for (int byte = 0x21; byte < 0x7f; ++byte) classes[byte] |= kTarget;
  for (const char byte : std::string_view("\"#<>")) classes[static_cast<uint8_t>(byte)] &= ~kTarget;
  for (const char byte :
       std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~!$&'*+%"))
    classes[static_cast<uint8_t>(byte)] |= kHost;
  for (const char byte : std::string_view("(),;=")) classes[static_cast<uint8_t>(byte)] |= kHost;
  for (int byte = 0; byte < 0x100; ++byte)
    if (IsTokenCharacter(static_cast<char>(byte))) classes[byte] |= kToken;
  return classes;
}
constexpr std::array<uint8_t, 256> kByteClasses = MakeByteClasses();

bool Is(ByteClass wanted, char byte) { return (kByteClasses[static_cast<uint8_t>(byte)] & wanted) != 0; }

bool AllAre(ByteClass wanted, std::string_view text) {
  uint8_t common = wanted;
  for (const char byte : text) common &= kByteClasses[static_cast<uint8_t>(byte)];
  return common == wanted;
}

// OWS (RFC 9110 section 5.6.3).
bool IsSpace(char byte) { return byte == ' ' || byte == '\t'; }

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

absl::Status NotHttp(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the request is not HTTP/1.1: ", what));
}

// Visits the items of a list in one header's value.
template <typename Visit>
void ForEachItem(std::string_view list, Visit visit) {
  while (true) {
    const size_t comma = list.find(',');
    visit(TrimSpaces(list.substr(0, comma)));
    if (comma == list.npos) return;
    list.remove_prefix(comma + 1);
  }
}

// Parses DIGITs and nothing else, up to 2^64-1.
std::optional<uint64_t> ParseLength(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  uint64_t length = 0;
  for (const char digit : digits) {
    if (!absl::ascii_isdigit(digit)) return std::nullopt;
    const uint64_t value = digit - '0';
    if (length > (std::numeric_limits<uint64_t>::max() - value) / 10) return std::nullopt;
    length = 10 * length + value;
  }
  return length;
}

// uri-host [ ":" port ] (RFC 9110 section 7.2), which may be empty.
bool IsHost(std::string_view value) {
  if (absl::ConsumePrefix(&value, "[")) {
    const size_t end = value.find(']');
    if (end == value.npos || end == 0) return false;
    for (const char byte : value.substr(0, end))
      if (byte != ':' && !Is(kHost, byte)) return false;
    value.remove_prefix(end + 1);
    if (!value.empty() && value.front() != ':') return false;
  }
  const size_t colon = std::min(value.find(':'), value.size());
  if (!AllAre(kHost, value.substr(0, colon))) return false;
  const std::string_view port = value.substr(std::min(colon + 1, value.size()));
  return std::all_of(port.begin(), port.end(), absl::ascii_isdigit);
}

// http://host... or https://host..., without a user.
bool IsAbsoluteForm(std::string_view target) {
  const size_t scheme_end = target.find("://");
  if (scheme_end == target.npos) return false;
  const std::string_view scheme = target.substr(0, scheme_end);
  if (!absl::EqualsIgnoreCase(scheme, "http") && !absl::EqualsIgnoreCase(scheme, "https")) return false;
  const std::string_view rest = target.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  return !authority.empty() && authority.front() != ':' && IsHost(authority);
}

// RFC 9112 section 3.2.
bool IsTarget(std::string_view method, std::string_view target) {
  if (target.empty() || !AllAre(kTarget, target)) return false;
  if (method == "CONNECT") return target.front() != ':' && IsHost(target);
  return target.front() == '/' || (target == "*" && method == "OPTIONS") || IsAbsoluteForm(target);
}

}  // namespace

// -- The head --------------------------------------------------------------------------------------------

void HttpRequestParser::Reset() {
  line_begin_ = 0;
  checked_ = 0;
  method_ = {};
  target_ = {};
  fields_.clear();
  // The vector keeps its memory, unless that is more than any usual head needs.
  constexpr size_t kKeptHeaders = 128;
  HttpHeaderViews headers = std::move(head_.headers);
  headers.clear();
  if (fields_.capacity() > kKeptHeaders) {
    fields_.shrink_to_fit();
    headers.shrink_to_fit();
  }
  head_ = HttpRequestHead();
  head_.headers = std::move(headers);
  chunk_state_ = ChunkState::kFirstDigit;
  chunk_left_ = 0;
  chunk_line_ = 0;
  beside_content_ = 0;
}

absl::StatusOr<bool> HttpRequestParser::PutHead(std::string_view bytes) {
  const std::string_view within = bytes.substr(0, head_limit_);
  while (true) {
    const size_t line_feed = within.find('\n', checked_);
    if (line_feed == within.npos) break;
    THAW_RETURN_IF_ERROR(CheckBytes(within, line_feed));
    if (line_feed == line_begin_ || within[line_feed - 1] != '\r')
      return NotHttp("a line ends without a carriage return");
    const size_t begin = std::exchange(line_begin_, line_feed + 1);
    checked_ = line_begin_;
    const std::string_view line = within.substr(begin, line_feed - 1 - begin);
    if (method_.length == 0) {
      THAW_RETURN_IF_ERROR(PutRequestLine(line, begin));
    } else if (!line.empty()) {
      THAW_RETURN_IF_ERROR(PutField(line, begin));
    } else {
      THAW_RETURN_IF_ERROR(CheckHead(bytes.data()));
      head_.bytes = line_begin_;
      head_.headers.resize(fields_.size());
      Moved(bytes.data());
      return true;
    }
  }
  // A carriage return may end a line: the next byte decides.
  const bool may_end = within.size() > checked_ && within.back() == '\r';
  THAW_RETURN_IF_ERROR(CheckBytes(within, within.size()));
  checked_ = within.size() - (may_end ? 1 : 0);
  if (bytes.size() < head_limit_) return false;
  return absl::ResourceExhaustedError(
      absl::StrCat("the request's head is longer than ", head_limit_, " bytes"));
}

absl::Status HttpRequestParser::CheckBytes(std::string_view bytes, size_t end) {
  std::string_view unchecked = bytes.substr(checked_, end - checked_);
  // Only the last byte of a line may be a carriage return.
  absl::ConsumeSuffix(&unchecked, "\r");
  if (method_.length > 0) {
    if (AllAre(kFieldLine, unchecked)) return absl::OkStatus();
    return NotHttp("a header has a control character");
  }
  if (AllAre(kRequestLine, unchecked)) return absl::OkStatus();
  return NotHttp("its first line has a character that is not printable ASCII");
}

absl::Status HttpRequestParser::PutRequestLine(std::string_view line, size_t begin) {
  const size_t first = line.find(' ');
  if (first == line.npos) return NotHttp("its first line is not a method, a target and a version");
  const std::string_view method = line.substr(0, first);
  if (method.empty() || !AllAre(kToken, method)) return NotHttp("its method is not a token");
  const size_t second = line.find(' ', first + 1);
  if (second == line.npos) return NotHttp("its first line is not a method, a target and a version");
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (!IsTarget(method, target)) return NotHttp("its target is not a path, nor a URL of http");
  const std::string_view version = line.substr(second + 1);
  constexpr std::string_view kMajor = "HTTP/1.";
  if (version.size() != kMajor.size() + 1 || !version.starts_with(kMajor) ||
      !absl::ascii_isdigit(version.back())) {
    return NotHttp("its version is not HTTP/1");
  }
  method_ = {begin, method.size()};
  target_ = {begin + first + 1, target.size()};
  // A later minor version is read as the highest known one (RFC 9110 section 2.5).
  head_.http_1_0 = version.back() == '0';
  return absl::OkStatus();
}

absl::Status HttpRequestParser::PutField(std::string_view line, size_t begin) {
  if (IsSpace(line.front())) return NotHttp("a header is folded over several lines");
  const size_t colon = line.find(':');
  if (colon == line.npos) return NotHttp("a header has no colon");
  if (colon == 0 || !AllAre(kToken, line.substr(0, colon))) return NotHttp("a header's name is not a token");
  if (fields_.size() == kMaxRequestHeaders) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the request has more than ", kMaxRequestHeaders, " headers"));
  }
  const std::string_view value = TrimSpaces(line.substr(colon + 1));
  const size_t value_begin = value.empty() ? begin : begin + (value.data() - line.data());
  fields_.push_back({{begin, colon}, {value_begin, value.size()}});
  return absl::OkStatus();
}

struct HttpRequestParser::Framing {
  int hosts = 0;
  int content_codings = 0;
  std::optional<std::string_view> transfer_encoding;
  std::optional<uint64_t> content_length;
  bool expects_continue = false;
  bool close = false;
  bool keep_alive = false;
};

absl::Status HttpRequestParser::PutFraming(std::string_view name, std::string_view value, Framing& framing) {
  // The length tells most names apart.
  switch (name.size()) {
    case 4:
      if (!absl::EqualsIgnoreCase(name, "host")) break;
      if (++framing.hosts > 1) return NotHttp("it has two Hosts");
      if (!IsHost(value)) return NotHttp("its Host is not a host name");
      break;
    case 6:
      if (absl::EqualsIgnoreCase(name, "expect"))
        framing.expects_continue |= absl::EqualsIgnoreCase(value, "100-continue");
      break;
    case 10:
      if (!absl::EqualsIgnoreCase(name, "connection")) break;
      ForEachItem(value, [&framing](std::string_view option) {
        framing.close |= absl::EqualsIgnoreCase(option, "close");
        framing.keep_alive |= absl::EqualsIgnoreCase(option, "keep-alive");
      });
      break;
    case 14: {
      if (!absl::EqualsIgnoreCase(name, "content-length")) break;
      // A hop may have joined a repeated header into a list (RFC 9110 section 8.6).
      bool wrong = false;
      ForEachItem(value, [&](std::string_view item) {
        const std::optional<uint64_t> length = ParseLength(item);
        wrong |= !length.has_value() || framing.content_length.value_or(*length) != *length;
        if (!wrong) framing.content_length = length;
      });
      if (wrong) return NotHttp("its Content-Length is not one number");
      break;
    }
    case 16:
      // Joined into one list they would mean several nested codings, which no client intends.
      if (absl::EqualsIgnoreCase(name, "content-encoding") && ++framing.content_codings > 1)
        return NotHttp("it has two Content-Encodings");
      break;
    case 17:
      if (!absl::EqualsIgnoreCase(name, "transfer-encoding")) break;
      if (framing.transfer_encoding.has_value()) return NotHttp("it has two Transfer-Encodings");
      framing.transfer_encoding = value;
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

absl::Status HttpRequestParser::CheckHead(const char* begin) {
  Framing framing;
  for (const Field& field : fields_)
    THAW_RETURN_IF_ERROR(PutFraming(At(begin, field.name), At(begin, field.value), framing));
  if (framing.hosts == 0 && !head_.http_1_0) return NotHttp("it has no Host");
  if (const auto coding = framing.transfer_encoding; coding.has_value()) {
    // Each of these may be an attempt to make one hop see another request than the next (RFC 9112 section 6).
    if (framing.content_length.has_value())
      return NotHttp("it has both a Transfer-Encoding and a Content-Length");
    if (head_.http_1_0) return NotHttp("HTTP/1.0 has no Transfer-Encoding");
    if (!absl::EqualsIgnoreCase(*coding, "chunked")) {
      return absl::UnimplementedError(
          absl::StrCat("the Transfer-Encoding '", *coding, "' is not supported, only 'chunked'"));
    }
    head_.chunked = true;
  }
  head_.content_length = framing.content_length;
  head_.expects_continue = framing.expects_continue && !head_.http_1_0;
  head_.keep_alive = !framing.close && (!head_.http_1_0 || framing.keep_alive);
  return absl::OkStatus();
}

void HttpRequestParser::Moved(const char* begin) {
  head_.method = At(begin, method_);
  head_.target = At(begin, target_);
  for (size_t i = 0; i < fields_.size(); ++i)
    head_.headers[i] = {At(begin, fields_[i].name), At(begin, fields_[i].value)};
}

// -- A chunked body --------------------------------------------------------------------------------------

absl::StatusOr<size_t> HttpRequestParser::PutChunks(std::string_view bytes,
                                                    absl::FunctionRef<void(std::string_view)> take) {
  size_t used = 0;
  while (used < bytes.size() && !chunks_done()) {
    if (chunk_state_ != ChunkState::kContent) {
      THAW_RETURN_IF_ERROR(PutChunkByte(bytes[used++]));
      continue;
    }
    const std::string_view content = bytes.substr(used, std::min<uint64_t>(chunk_left_, bytes.size()));
    take(content);
    used += content.size();
    chunk_left_ -= content.size();
    if (chunk_left_ == 0) chunk_state_ = ChunkState::kContentReturn;
  }
  return used;
}

// Takes a byte outside the content.
absl::Status HttpRequestParser::PutChunkByte(char byte) {
  const auto expect = [this, byte](char expected, ChunkState next) {
    if (byte != expected) return NotHttp("a chunk's line does not end with CR and LF");
    chunk_state_ = next;
    return absl::OkStatus();
  };
  switch (chunk_state_) {
    case ChunkState::kLineFeed:
      return expect('\n', chunk_left_ > 0 ? ChunkState::kContent : ChunkState::kTrailerBegin);
    case ChunkState::kContentReturn:
      return expect('\r', ChunkState::kContentLineFeed);
    case ChunkState::kContentLineFeed:
      chunk_line_ = 0;
      return expect('\n', ChunkState::kFirstDigit);
    case ChunkState::kTrailerLineFeed:
      return expect('\n', ChunkState::kTrailerBegin);
    case ChunkState::kLastLineFeed:
      return expect('\n', ChunkState::kDone);
    case ChunkState::kTrailerBegin:
    case ChunkState::kTrailerName:
    case ChunkState::kTrailerValue:
      return PutTrailerByte(byte);
    default:
      return PutSizeByte(byte);
  }
}

absl::Status HttpRequestParser::PutSizeByte(char byte) {
  // Room for the digits of any size, CR, and a few leading zeros.
  constexpr size_t kUsualLineBytes = 20;
  if (++chunk_line_ > kMaxChunkLineBytes)
    return NotHttp(absl::StrCat("a chunk's line is longer than ", kMaxChunkLineBytes, " bytes"));
  if (chunk_line_ > kUsualLineBytes && ++beside_content_ > head_limit_)
    return NotHttp("its chunks have too many extensions");
  const bool digits = chunk_state_ == ChunkState::kFirstDigit || chunk_state_ == ChunkState::kDigits;
  if (digits && absl::ascii_isxdigit(byte)) {
    const uint64_t value = absl::ascii_isdigit(byte) ? byte - '0' : absl::ascii_tolower(byte) - 'a' + 10;
    if (chunk_left_ > (std::numeric_limits<int64_t>::max() - value) / 16)
      return NotHttp("a chunk is longer than any body");
    chunk_left_ = 16 * chunk_left_ + value;
    chunk_state_ = ChunkState::kDigits;
    return absl::OkStatus();
  }
  if (chunk_state_ == ChunkState::kFirstDigit) return NotHttp("a chunk begins without its size");
  if (chunk_state_ == ChunkState::kExtensions) {
    // Extensions are not read; only the line's end matters.
    if (byte == '\r') {
      chunk_state_ = ChunkState::kLineFeed;
    } else if (!Is(kFieldLine, byte)) {
      return NotHttp("a chunk's extension has a control character");
    }
    return absl::OkStatus();
  }
  if (byte == ';') {
    chunk_state_ = ChunkState::kExtensions;
  } else if (IsSpace(byte)) {
    chunk_state_ = ChunkState::kSpaces;
  } else if (byte == '\r' && chunk_state_ == ChunkState::kDigits) {
    chunk_state_ = ChunkState::kLineFeed;
  } else {
    return NotHttp("a chunk's size is not a number");
  }
  return absl::OkStatus();
}

absl::Status HttpRequestParser::PutTrailerByte(char byte) {
  if (++beside_content_ > head_limit_) return NotHttp("its trailers are too long");
  if (byte == '\r' && chunk_state_ != ChunkState::kTrailerName) {
    chunk_state_ =
        chunk_state_ == ChunkState::kTrailerBegin ? ChunkState::kLastLineFeed : ChunkState::kTrailerLineFeed;
    return absl::OkStatus();
  }
  if (chunk_state_ == ChunkState::kTrailerValue) {
    if (!Is(kFieldLine, byte)) return NotHttp("a trailer has a control character");
  } else if (Is(kToken, byte)) {
    chunk_state_ = ChunkState::kTrailerName;
  } else if (byte == ':' && chunk_state_ == ChunkState::kTrailerName) {
    chunk_state_ = ChunkState::kTrailerValue;
  } else {
    return NotHttp("a trailer's name is not a token");
  }
  return absl::OkStatus();
}

RequestTarget SplitTarget(std::string_view target) {
  if (!target.empty() && target[0] != '/') {
    const size_t scheme = target.find("://");
    if (scheme != std::string_view::npos) {
      const size_t path = target.find_first_of("/?", scheme + 3);
      target = path == std::string_view::npos ? "/" : target.substr(path);
    }
  }
  const size_t mark = std::min(target.find('?'), target.size());
  return {mark == 0 ? "/" : target.substr(0, mark), target.substr(std::min(mark + 1, target.size()))};
}

}  // namespace thaw
