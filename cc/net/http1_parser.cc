#include "cc/net/http1_parser.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/net/http_token.h"

namespace thaw {
namespace {

constexpr size_t kReasonKeptBytes = 128;
constexpr std::string_view kVersion = "HTTP/1.";

// The whitespace that RFC 9112 section 4 lets a lenient recipient accept in a status line.
bool IsLineSpace(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }
bool IsSpace(char c) { return c == ' ' || c == '\t'; }

template <typename Predicate>
std::string_view Trim(std::string_view text, Predicate is_space) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<uint64_t> Decimal(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (number > (std::numeric_limits<uint64_t>::max() - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

// Calls `each` with the members of a comma-separated list, spaces trimmed, until it returns false.
template <typename Each>
bool ForEachMember(std::string_view list, Each each) {
  while (true) {
    const size_t comma = list.find(',');
    if (!each(Trim(list.substr(0, comma), IsSpace))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Http1Parser::State Http1Parser::Fail(std::string_view what) {
  error_ = absl::InvalidArgumentError(absl::StrCat("the answer is not HTTP/1.1: ", what));
  response_.body_whole = false;
  return state_ = State::kError;
}

Http1Parser::State Http1Parser::Put(std::string_view bytes) {
  begun_ |= !bytes.empty();
  std::string joined;  // outlives the line that refers to it
  while (state_ == State::kHead || state_ == State::kBody) {
    if (expect_ == Expect::kCounted || expect_ == Expect::kChunk || expect_ == Expect::kToTheEnd) {
      if (bytes.empty()) break;
      TakeBody(bytes);
      continue;
    }
    std::string_view line;
    if (!TakeLine(bytes, joined, line)) break;
    OnLine(line);
  }
  if (state_ == State::kDone || state_ == State::kEnough) bytes_after_end_ |= !bytes.empty();
  return state_;
}

Http1Parser::State Http1Parser::End() {
  if (state_ == State::kBody) {
    if (expect_ == Expect::kToTheEnd) {
      state_ = State::kDone;
      bytes_after_end_ = true;  // the stream has ended
    } else {
      response_.body_whole = false;
    }
  }
  return state_;
}

// -- Lines -----------------------------------------------------------------------------------------------

size_t Http1Parser::LineLimit() const {
  // The head as a whole is bounded, and so are the trailers; each line of a chunk is bounded by itself.
  return limits_.head_bytes - std::min(line_bytes_, limits_.head_bytes);
}

void Http1Parser::OverLimit(std::string_view begin) {
  const bool in_head = expect_ == Expect::kStatusLine || expect_ == Expect::kHeader;
  if (expect_ == Expect::kStatusLine && !begin.empty()) {
    OnStatusLine(begin);
    // If the limit cuts the line behind its digits, more of them may follow.
    if (reason_.empty() && !IsLineSpace(begin.back())) response_.status = 0;
  }
  if (expect_ == Expect::kHeader && response_.status >= 200) head_complete_ = true;
  Fail(absl::StrCat(in_head ? "its head" : "a line of its body", " is longer than ", limits_.head_bytes,
                    " bytes"));
}

bool Http1Parser::MayBeStatusLine(std::string_view begin) const {
  while (!begin.empty() && IsLineSpace(begin.front())) begin.remove_prefix(1);
  const size_t known = std::min(begin.size(), kVersion.size());
  return begin.substr(0, known) == kVersion.substr(0, known);
}

bool Http1Parser::TakeLine(std::string_view& bytes, std::string& joined, std::string_view& line) {
  const size_t limit = LineLimit();
  const size_t end = bytes.find('\n');
  const bool whole = end != std::string_view::npos;
  const size_t used = whole ? end + 1 : bytes.size();
  if (!whole || !pending_.empty()) pending_.append(bytes.substr(0, used > limit ? limit + 1 : used));
  const std::string_view so_far = pending_.empty() ? bytes.substr(0, used) : std::string_view(pending_);
  bytes.remove_prefix(used);
  // Checked before the line is complete: a peer that speaks another protocol may never end one.
  if (expect_ == Expect::kStatusLine && !MayBeStatusLine(Trim(so_far, [](char c) { return c == '\n'; }))) {
    Fail("it does not begin with HTTP/1");
    return false;
  }
  if (expect_ == Expect::kChunkEnd && so_far != "\r" && so_far != "\r\n" && so_far != "\n" &&
      !so_far.empty()) {
    Fail("a chunk is longer than it says");
    return false;
  }
  if (so_far.size() > limit) {
    OverLimit(so_far.substr(0, limit));
    return false;
  }
  if (!whole) return false;
  if (expect_ != Expect::kChunkSize && expect_ != Expect::kChunkEnd) line_bytes_ += so_far.size();
  line = so_far;
  if (!pending_.empty()) {
    joined.swap(pending_);
    pending_.clear();
    line = joined;
  }
  line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

void Http1Parser::OnLine(std::string_view line) {
  switch (expect_) {
    case Expect::kStatusLine:
      return OnStatusLine(line);
    case Expect::kHeader:
      if (line.empty()) return OnHeadEnd();
      return IsSpace(line.front()) ? OnFolded(line) : OnHeader(line);
    case Expect::kChunkSize:
      return OnChunkSize(line);
    case Expect::kChunkEnd:
      expect_ = Expect::kChunkSize;
      return;
    case Expect::kTrailer:
      // Trailers come with the body and are not headers (RFC 9110 section 6.5.1).
      if (line.empty()) state_ = State::kDone;
      return;
    case Expect::kCounted:
    case Expect::kChunk:
    case Expect::kToTheEnd:
      return;
  }
}

void Http1Parser::OnStatusLine(std::string_view line) {
  line = Trim(line, IsLineSpace);
  // Some servers send an empty line behind the body of the previous answer.
  if (line.empty()) return;
  if (line.size() <= kVersion.size() ||
      !absl::ascii_isdigit(static_cast<unsigned char>(line[kVersion.size()]))) {
    Fail("its version is not a number");
    return;
  }
  http_1_0_ = line[kVersion.size()] == '0';
  line.remove_prefix(kVersion.size() + 1);
  const std::string_view status = Trim(line, IsLineSpace);
  const std::string_view digits =
      status.substr(0, std::find_if(status.begin(), status.end(), IsLineSpace) - status.begin());
  const std::optional<uint64_t> number = Decimal(digits);
  if (line.empty() || !IsLineSpace(line.front()) || digits.size() != 3 || number.value_or(0) < 100) {
    Fail("it has no status");
    return;
  }
  response_.status = static_cast<int>(*number);
  reason_.assign(Trim(status.substr(digits.size()), IsLineSpace).substr(0, kReasonKeptBytes));
  expect_ = Expect::kHeader;
}

void Http1Parser::OnHeader(std::string_view line) {
  header_kept_ = false;
  const size_t colon = line.find(':');
  const std::string_view written = line.substr(0, std::min(colon, line.size()));
  const std::string_view name = Trim(written, IsSpace);
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), IsTokenCharacter)) {
    reusable_ = false;  // the line may have been about framing
    return;
  }
  // RFC 9112 section 5.1: a space before the colon is not allowed; a proxy removes it.
  if (name.size() != written.size()) reusable_ = false;
  std::string value(Trim(line.substr(colon + 1), IsSpace));
  // RFC 9110 section 5.5: these characters are rejected or replaced by spaces.
  for (char& c : value) {
    if (c != '\0' && c != '\r') continue;
    c = ' ';
    reusable_ = false;
  }
  response_.headers.emplace_back(std::string(name), std::move(value));
  header_kept_ = true;
}

void Http1Parser::OnFolded(std::string_view line) {
  const std::string_view more = Trim(line, IsSpace);
  if (!header_kept_) {
    // RFC 9112 section 2.2: a folded line between the status line and the first header is left out.
    reusable_ = reusable_ && more.empty();
    return;
  }
  std::string& value = response_.headers.back().second;
  if (!more.empty()) absl::StrAppend(&value, value.empty() ? "" : " ", more);
}

// -- Framing ---------------------------------------------------------------------------------------------

Http1Parser::BodyFraming Http1Parser::ReadFraming() {
  BodyFraming framing;
  bool length_sound = true, coding_sound = true;
  bool close = false, keep = false;
  const auto take_length = [&](std::string_view member) {
    const std::optional<uint64_t> length = Decimal(member);
    if (!length.has_value() || (framing.has_length && *length != left_)) return false;
    framing.has_length = true;
    left_ = *length;
    return true;
  };
  const auto take_coding = [&](std::string_view coding) {
    coding = Trim(coding.substr(0, coding.find(';')), IsSpace);
    if (coding.empty() || absl::EqualsIgnoreCase(coding, "identity")) return true;
    // Only the last coding delimits the body, and it may stand there once only.
    if (framing.chunked && absl::EqualsIgnoreCase(coding, "chunked")) coding_sound = false;
    framing.coded = true;
    framing.chunked = absl::EqualsIgnoreCase(coding, "chunked");
    return true;
  };
  const auto take_option = [&](std::string_view option) {
    close = close || absl::EqualsIgnoreCase(option, "close");
    keep = keep || absl::EqualsIgnoreCase(option, "keep-alive");
    return true;
  };
  for (const auto& [name, value] : response_.headers) {
    if (absl::EqualsIgnoreCase(name, "content-length")) {
      length_sound = ForEachMember(value, take_length) && length_sound;
    } else if (absl::EqualsIgnoreCase(name, "transfer-encoding")) {
      ForEachMember(value, take_coding);
    } else if (absl::EqualsIgnoreCase(name, "connection")) {
      ForEachMember(value, take_option);
    }
  }
  if (close || (http_1_0_ && !keep)) reusable_ = false;
  // The coding overrides the length, which is then ignored, sound or not (RFC 9112 section 6.3, rule 3). A
  // peer that sends both, or a coding under HTTP/1.0, gets no other request on this connection.
  if (framing.coded && (framing.has_length || !length_sound || http_1_0_)) reusable_ = false;
  framing.sound = framing.coded ? coding_sound : length_sound;
  return framing;
}

bool Http1Parser::HasBody() const {
  return answer_to_ != AnswerTo::kHead && response_.status != 101 && response_.status != 204 &&
         response_.status != 304 && !(answer_to_ == AnswerTo::kConnect && response_.status / 100 == 2);
}

void Http1Parser::OnHeadEnd() {
  if (response_.status / 100 == 1 && response_.status != 101) {
    // An interim answer (RFC 9110 section 15.2): the parser starts over.
    response_ = HttpResponse();
    header_kept_ = false;
    expect_ = Expect::kStatusLine;
    return;
  }
  head_complete_ = true;
  state_ = State::kBody;
  line_bytes_ = 0;
  const BodyFraming framing = ReadFraming();
  if (!HasBody()) {
    // A peer that announces a body where none is allowed might send one; a 101 switches the protocol.
    const bool announced = framing.coded || (framing.has_length && left_ > 0) || !framing.sound;
    if (response_.status == 101 || (answer_to_ != AnswerTo::kHead && announced)) reusable_ = false;
    state_ = State::kDone;
    return;
  }
  if (!framing.sound) {
    Fail("its Content-Length or Transfer-Encoding can't be read");
    return;
  }
  if (framing.coded ? !framing.chunked : !framing.has_length) {
    reusable_ = false;
    expect_ = Expect::kToTheEnd;
  } else if (framing.chunked) {
    expect_ = Expect::kChunkSize;
  } else if (left_ == 0) {
    state_ = State::kDone;
  } else {
    expect_ = Expect::kCounted;
  }
}

void Http1Parser::OnChunkSize(std::string_view line) {
  uint64_t size = 0;
  size_t digits = 0;
  for (; digits < line.size() && absl::ascii_isxdigit(static_cast<unsigned char>(line[digits])); ++digits) {
    const char c = absl::ascii_tolower(static_cast<unsigned char>(line[digits]));
    if (size >> 60 != 0) {
      Fail("the length of a chunk is out of range");
      return;
    }
    size = size << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  // Some servers pad the length with spaces; extensions behind a semicolon are ignored.
  const std::string_view rest = Trim(line.substr(digits), IsSpace);
  if (digits == 0 || (!rest.empty() && rest.front() != ';')) {
    Fail("a chunk has no length");
    return;
  }
  left_ = size;
  expect_ = size == 0 ? Expect::kTrailer : Expect::kChunk;
  line_bytes_ = 0;
}

void Http1Parser::TakeBody(std::string_view& bytes) {
  const bool to_the_end = expect_ == Expect::kToTheEnd;
  const size_t taken =
      to_the_end ? bytes.size() : static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  std::string& kept = response_.body;
  const size_t room = limits_.body_kept_bytes - std::min(limits_.body_kept_bytes, kept.size());
  kept.append(bytes.substr(0, std::min(room, taken)));
  body_bytes_ += taken;
  bytes.remove_prefix(taken);
  if (!to_the_end) {
    left_ -= taken;
    if (left_ == 0 && expect_ == Expect::kCounted) {
      state_ = State::kDone;
      return;
    }
    if (left_ == 0) expect_ = Expect::kChunkEnd;
  }
  if (body_bytes_ > limits_.body_drained_bytes) {
    response_.body_whole = false;
    state_ = State::kEnough;
  }
}

}  // namespace thaw
