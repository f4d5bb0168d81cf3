// Bounds the work on the texts of one request: obfuscation and replacement.
//
//   TextWork work(body);
//   work.BeginSpan();
//   if (!work.Take(TextWork::kSqlRate * query.size())) return kNotParsableSql;   // counted
//   ...
//   steps -= work.done_in_span();
//
// A few bytes of a request name a long text of its table, so that the texts of all spans may be thousands of
// times the request. Work is counted in the units of TraceWork::Step(). Results of long queries are
// remembered by the place of the query in the request, which does not change while the request is processed.
//
// One thread only.

#ifndef THAW_CC_TRACE_PROCESS_TEXT_WORK_H_
#define THAW_CC_TRACE_PROCESS_TEXT_WORK_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cc/base/byte_account.h"
#include "cc/trace/obfuscate/sql_dialect.h"

namespace thaw {

class TextWork {
 public:
  // The work of a byte, by the slowest text: SQL of parentheses takes 90 ns a byte. Replacement counts its own work.
  static constexpr int64_t kSqlRate = 32;
  static constexpr int64_t kUrlRate = 8;
  static constexpr int64_t kRedisRate = 8;
  static constexpr int64_t kMatchRate = 4;
  // The most work on the texts of one span, which is done at once: obfuscation of 256 kB of SQL.
  static constexpr int64_t kMostOfSpan = 8 << 20;
  // The most work on the texts of one request: obfuscation of 16 MB of SQL, more than a tracer sends at once.
  static constexpr int64_t kMostOfRequest = int64_t{512} << 20;

  // `body`: the request. `account` is charged with texts that replacement makes large; it may be null.
  explicit TextWork(std::string_view body, ByteAccount* account = nullptr)
      : body_(body), replaced_(account) {}
  TextWork(const TextWork&) = delete;
  TextWork& operator=(const TextWork&) = delete;

  // The texts of the span before must be gone.
  void BeginSpan() {
    span_left_ = kMostOfSpan;
    replaced_.Release();
  }
  // Returns the work on the span's texts so far.
  int64_t done_in_span() const { return kMostOfSpan - span_left_; }

  // Returns whether there is this much work left for the span and the request, and takes it; counts the text
  // as hidden if there is not.
  bool Take(int64_t work) {
    if (work > span_left_ || work > left_) {
      ++hidden_;
      return false;
    }
    Spend(work);
    return true;
  }
  // Takes work that is known only after it was done.
  void Spend(int64_t work) {
    span_left_ -= work;
    left_ -= work;
  }
  // Returns the work that is left for a text of the span.
  int64_t left_in_span() const { return std::min(span_left_, left_); }
  // The charge of the span's texts that replacement has made large.
  ByteCharge& replaced() { return replaced_; }
  // Counts a text that is hidden by the caller.
  void CountHidden() { ++hidden_; }
  // Returns the number of texts that were hidden because there was no work left for them.
  int64_t hidden() const { return hidden_; }

  // Returns the obfuscated query if it is remembered, else null. The result is valid until Remember().
  const std::string* Find(std::string_view query, SqlDialect dialect) const {
    if (query.size() < kLeastQuery) return nullptr;
    for (const Entry& entry : remembered_)
      if (entry.query.data() == query.data() && entry.query.size() == query.size() &&
          entry.dialect == dialect)
        return &entry.result;
    return nullptr;
  }
  // Remembers the result of a long query that lies in the request, in place of the oldest one.
  void Remember(std::string_view query, SqlDialect dialect, std::string_view result) {
    const std::less<const char*> before;
    if (query.size() < kLeastQuery || result.size() > kMostResult || before(query.data(), body_.data()) ||
        !before(query.data(), body_.data() + body_.size()))
      return;
    remembered_[next_] = {query, dialect, std::string(result)};
    next_ = (next_ + 1) % remembered_.size();
  }

 private:
  // Shorter queries take little work.
  static constexpr size_t kLeastQuery = 512;
  // Larger results are not remembered, so that they take little memory.
  static constexpr size_t kMostResult = 16 << 10;

  struct Entry {
    std::string_view query;
    SqlDialect dialect = SqlDialect::kGeneric;
    std::string result;
  };

  const std::string_view body_;
  ByteCharge replaced_;
  int64_t span_left_ = kMostOfSpan;
  int64_t left_ = kMostOfRequest;
  int64_t hidden_ = 0;
  std::array<Entry, 8> remembered_;
  size_t next_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TEXT_WORK_H_
