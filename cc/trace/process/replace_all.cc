#include "cc/trace/process/replace_all.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "cc/base/reserve.h"
#include "cc/clock/processor_time.h"
#include "re2/re2.h"

namespace thaw {
namespace {

// RE2's rewrites name a group by one digit.
constexpr int kMostGroups = 10;
// The work of a match, of a byte that it matches and of a byte of the result. The slowest patterns take 75 ns a byte.
constexpr int64_t kMatchWork = 64;
constexpr int64_t kMatchedByteWork = 28;
constexpr int64_t kByteWork = 1;
// Bytes that matches may have looked at before the processor's time is read, which takes as long as a match.
constexpr size_t kUnseenBytes = size_t{1} << 20;
constexpr double kNanosOfWork = 2.7;

class Replacing {
 public:
  Replacing(std::string_view text, const re2::RE2& pattern, std::string_view rewrite, ReplaceLimits& limits,
            std::string& out)
      : text_(text), pattern_(pattern), rewrite_(rewrite), limits_(limits), out_(out) {
    for (size_t i = 0; i + 1 < rewrite.size(); ++i) {
      if (rewrite[i] != '\\') continue;
      if (absl::ascii_isdigit(static_cast<unsigned char>(rewrite[i + 1])))
        groups_ = std::max(groups_, 1 + rewrite[i + 1] - '0');
      ++i;
    }
  }

  ReplaceOutcome Run() {
    out_.clear();
    bool matched = false;
    const char* last_end = nullptr;
    while (at_ <= text_.size() && Match()) {
      if (!AppendUpTo(match_[0].data() - text_.data())) return ReplaceOutcome::kCutShort;
      if (match_[0].data() == last_end && match_[0].empty()) {
        // There is no empty match at the end of another match.
        if (!AppendCharacter()) return ReplaceOutcome::kCutShort;
        continue;
      }
      if (limits_.work < 0 || !AppendRewrite()) return ReplaceOutcome::kCutShort;
      matched = true;
      at_ = match_[0].data() - text_.data() + match_[0].size();
      last_end = text_.data() + at_;
    }
    if (!matched) {
      out_.clear();
      return ReplaceOutcome::kUnchanged;
    }
    return AppendUpTo(text_.size()) ? ReplaceOutcome::kReplaced : ReplaceOutcome::kCutShort;
  }

 private:
  // Finds the next match and spends its work.
  bool Match() {
    limits_.work -= kMatchWork;
    unseen_ += text_.size() - at_;
    const bool found = pattern_.Match(text_, at_, text_.size(), re2::RE2::UNANCHORED, match_.data(), groups_);
    if (found) limits_.work -= kMatchedByteWork * static_cast<int64_t>(match_[0].size());
    if (unseen_ >= kUnseenBytes) SpendTime();
    return found;
  }
  // Spends the time that counts of matches and bytes do not show, as work.
  void SpendTime() {
    unseen_ = 0;
    const int64_t now = ThreadNanoseconds();
    const int64_t counted = work_at_last_time_ - limits_.work;
    const auto timed = static_cast<int64_t>(static_cast<double>(now - last_time_) / kNanosOfWork);
    if (last_time_ != 0 && timed > counted) limits_.work -= timed - counted;
    last_time_ = now;
    work_at_last_time_ = limits_.work;
  }

  // Each of these appends to the result, and returns false if a limit is reached.
  bool Append(std::string_view part) {
    if (part.size() > limits_.most_bytes - std::min(limits_.most_bytes, out_.size())) return false;
    if (!ReserveMore(out_, part.size(), limits_.charge).ok()) return false;
    limits_.work -= kByteWork * static_cast<int64_t>(part.size());
    out_.append(part);
    return true;
  }
  bool AppendUpTo(size_t end) {
    if (end <= at_) return true;
    const std::string_view part = text_.substr(at_, end - at_);
    at_ = end;
    return Append(part);
  }
  bool AppendCharacter() {
    size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80) ++end;
    if (at_ == text_.size()) {
      at_ = end;
      return true;
    }
    return AppendUpTo(end);
  }
  bool AppendRewrite() {
    for (size_t i = 0; i < rewrite_.size();) {
      if (rewrite_[i] != '\\' || i + 1 == rewrite_.size()) {
        const size_t end = std::min(rewrite_.find('\\', i + 1), rewrite_.size());
        if (!Append(rewrite_.substr(i, end - i))) return false;
        i = end;
        continue;
      }
      const char c = rewrite_[i + 1];
      const bool is_group = absl::ascii_isdigit(static_cast<unsigned char>(c));
      const re2::StringPiece group = is_group ? match_[c - '0'] : re2::StringPiece();
      if (!Append(is_group ? std::string_view(group.data(), group.size()) : rewrite_.substr(i + 1, 1)))
        return false;
      i += 2;
    }
    return true;
  }

  const std::string_view text_;
  const re2::RE2& pattern_;
  const std::string_view rewrite_;
  ReplaceLimits& limits_;
  std::string& out_;
  std::array<re2::StringPiece, kMostGroups> match_;
  int groups_ = 1;
  size_t at_ = 0;
  size_t unseen_ = 0;
  int64_t last_time_ = 0;          // the processor's time when it was last read
  int64_t work_at_last_time_ = 0;  // the work that was left then
};

}  // namespace

ReplaceOutcome ReplaceAll(std::string_view text, const re2::RE2& pattern, std::string_view rewrite,
                          ReplaceLimits& limits, std::string& out) {
  return Replacing(text, pattern, rewrite, limits, out).Run();
}

}  // namespace thaw
