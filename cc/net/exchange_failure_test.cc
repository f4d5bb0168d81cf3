#include "cc/net/exchange_failure.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/cancellation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// -- The table of docs/design.md, one row for each way to a class. It calls none of the code. ------------

// A set of allowed values; empty: any.
template <typename Value>
struct In {
  In() = default;
  In(std::initializer_list<Value> values) : allowed(values) {}
  bool operator()(Value value) const { return allowed.empty() || allowed.count(value) > 0; }
  std::set<Value> allowed;
};

struct Row {
  std::string why;
  RetryClass retry_class;
  In<Phase> phase = {};
  In<Fault> fault = {};
  In<BytesWritten> bytes = {};
  // Whether the connection was reused; whether it was reused or crossed a freeze.
  In<bool> reused = {};
  In<bool> old = {};
  In<bool> head_complete = {false};
  In<int> status = {};
  In<bool> status_is_5xx = {};

  bool Fits(const ExchangeFailure& failure) const {
    return phase(failure.phase) && fault(failure.fault) && bytes(failure.bytes_written) &&
           reused(failure.reused) && old(failure.reused || failure.epoch_crossed) &&
           head_complete(failure.head_complete) && status(failure.status) &&
           status_is_5xx(failure.status >= 500 && failure.status <= 599);
  }
};

constexpr int kStatuses[] = {0,   101, 301, 302, 307, 400, 401, 403, 404, 407,
                             408, 413, 418, 422, 429, 500, 502, 503, 504, 599};

const std::vector<Row>& Table() {
  const In<Phase> dialling = {Phase::kResolve, Phase::kConnect, Phase::kProxy, Phase::kTls};
  const In<Phase> exchanging = {Phase::kWrite, Phase::kHead, Phase::kBody};
  const In<Fault> transport = {Fault::kNone,     Fault::kReset,    Fault::kEnd,    Fault::kTimeout,
                               Fault::kProtocol, Fault::kNotFound, Fault::kRefused};
  const In<Fault> died = {Fault::kNone,        Fault::kReset,      Fault::kEnd,
                          Fault::kProtocol,    Fault::kNotFound,   Fault::kRefused,
                          Fault::kCertificate, Fault::kCredential, Fault::kProxyStatus};
  const In<Fault> broken = {Fault::kReset, Fault::kEnd};
  const In<Fault> not_broken = {Fault::kNone,       Fault::kTimeout,    Fault::kProtocol,
                                Fault::kNotFound,   Fault::kRefused,    Fault::kCertificate,
                                Fault::kCredential, Fault::kProxyStatus};
  const In<Fault> not_cancelled = {
      Fault::kNone,     Fault::kReset,   Fault::kEnd,         Fault::kTimeout,    Fault::kProtocol,
      Fault::kNotFound, Fault::kRefused, Fault::kCertificate, Fault::kCredential, Fault::kProxyStatus};
  static const std::vector<Row> table = {
      // A complete head is an answer, whatever broke afterwards.
      {.why = "5xx",
       .retry_class = RetryClass::kRefusedForNow,
       .head_complete = {true},
       .status_is_5xx = {true}},
      {.why = "408, 429, and 101, which was not asked for and refuses nothing",
       .retry_class = RetryClass::kRefusedForNow,
       .head_complete = {true},
       .status = {0, 101, 408, 429}},
      {.why = "3xx, other 4xx",
       .retry_class = RetryClass::kRefusedForGood,
       .head_complete = {true},
       .status = {301, 302, 307, 400, 401, 403, 404, 413, 418, 422}},
      {.why = "a proxy that wants a credential for a plain request",
       .retry_class = RetryClass::kMisconfigured,
       .head_complete = {true},
       .status = {407}},
      // The caller gave up.
      {.why = "cancelled", .retry_class = RetryClass::kCancelled, .fault = {Fault::kCancelled}},
      // The connection could not be made.
      {.why = "resolve, connect, TLS transport error, whatever broke towards the proxy",
       .retry_class = RetryClass::kUnreachable,
       .phase = dialling,
       .fault = transport},
      {.why = "proxy 5xx",
       .retry_class = RetryClass::kUnreachable,
       .phase = dialling,
       .fault = {Fault::kProxyStatus},
       .status_is_5xx = {true}},
      {.why = "the proxy refuses the tunnel",
       .retry_class = RetryClass::kMisconfigured,
       .phase = dialling,
       .fault = {Fault::kProxyStatus},
       .status_is_5xx = {false}},
      {.why = "certificate, host name, proxy 407",
       .retry_class = RetryClass::kMisconfigured,
       .phase = dialling,
       .fault = {Fault::kCertificate, Fault::kCredential}},
      // No byte of the request was accepted.
      {.why = "a reused connection died before any request byte was given to it",
       .retry_class = RetryClass::kUnsent,
       .phase = exchanging,
       .fault = died,
       .bytes = {BytesWritten::kNone},
       .reused = {true}},
      {.why = "a reused connection took nothing in time: the path is gone",
       .retry_class = RetryClass::kUnreachable,
       .phase = exchanging,
       .fault = {Fault::kTimeout},
       .bytes = {BytesWritten::kNone},
       .reused = {true}},
      {.why = "a fresh connection took nothing",
       .retry_class = RetryClass::kUnreachable,
       .phase = exchanging,
       .fault = not_cancelled,
       .bytes = {BytesWritten::kNone},
       .reused = {false}},
      // A part of the request was accepted.
      {.why = "part of a Content-Length body written",
       .retry_class = RetryClass::kIncomplete,
       .phase = exchanging,
       .fault = not_cancelled,
       .bytes = {BytesWritten::kPart}},
      // The whole request was accepted.
      {.why = "reused or epoch-crossed, all written, reset or end before a complete head",
       .retry_class = RetryClass::kStale,
       .phase = exchanging,
       .fault = broken,
       .bytes = {BytesWritten::kAll},
       .old = {true}},
      {.why = "all written on a fresh connection, reset or end before a complete head",
       .retry_class = RetryClass::kAmbiguous,
       .phase = exchanging,
       .fault = broken,
       .bytes = {BytesWritten::kAll},
       .old = {false}},
      {.why = "all written, and no complete head for another reason",
       .retry_class = RetryClass::kAmbiguous,
       .phase = exchanging,
       .fault = not_broken,
       .bytes = {BytesWritten::kAll}},
  };
  return table;
}

// Calls `check` with every combination of what ClassOf() may read.
void ForEveryFailure(const std::function<void(const ExchangeFailure&)>& check) {
  for (const Phase phase : kAllPhases)
    for (const Fault fault : kAllFaults)
      for (const BytesWritten bytes : kAllBytesWritten)
        for (const bool reused : {false, true})
          for (const bool crossed : {false, true})
            for (const bool begun : {false, true})
              for (const bool head_complete : {false, true})
                for (const int status : kStatuses) {
                  ExchangeFailure failure;
                  failure.phase = phase;
                  failure.fault = fault;
                  failure.reused = reused;
                  failure.epoch_crossed = crossed;
                  failure.bytes_written = bytes;
                  failure.response_begun = begun;
                  failure.head_complete = head_complete;
                  failure.status = status;
                  failure.error = absl::UnknownError("test");
                  check(failure);
                }
}

std::string Describe(const ExchangeFailure& failure) {
  return failure.ToString() + (failure.response_begun ? ", begun" : "") +
         (failure.head_complete ? ", head complete" : "");
}

TEST(ExchangeFailureTest, EveryCombinationHasTheOneClassOfTheTable) {
  int combinations = 0;
  int wrong = 0;
  ForEveryFailure([&](const ExchangeFailure& failure) {
    ++combinations;
    std::vector<const Row*> rows;
    for (const Row& row : Table()) {
      if (row.Fits(failure)) rows.push_back(&row);
    }
    // The first few are enough to read.
    if (wrong >= 10) return;
    if (rows.size() != 1) {
      ++wrong;
      ADD_FAILURE() << rows.size() << " rows for " << Describe(failure);
      return;
    }
    if (ClassOf(failure) != rows.front()->retry_class) {
      ++wrong;
      ADD_FAILURE() << Describe(failure) << " is " << ToString(ClassOf(failure)) << ", not "
                    << ToString(rows.front()->retry_class) << " (" << rows.front()->why << ")";
    }
  });
  EXPECT_EQ(combinations, 7 * 11 * 3 * 2 * 2 * 2 * 2 * 20);
}

TEST(ExchangeFailureTest, EveryClassAndEveryRowIsReached) {
  std::set<RetryClass> classes;
  std::set<std::string> rows;
  ForEveryFailure([&](const ExchangeFailure& failure) {
    classes.insert(ClassOf(failure));
    for (const Row& row : Table()) {
      if (row.Fits(failure)) rows.insert(row.why);
    }
  });
  EXPECT_THAT(classes, testing::UnorderedElementsAreArray(kAllRetryClasses));
  EXPECT_EQ(rows.size(), Table().size());
}

TEST(ExchangeFailureTest, OnlyARequestWrittenWholeMayHaveBeenAccepted) {
  ForEveryFailure([&](const ExchangeFailure& failure) {
    bool expected = false;
    switch (ClassOf(failure)) {
      case RetryClass::kStale:
      case RetryClass::kAmbiguous:
        expected = true;
        break;
      case RetryClass::kCancelled:
        expected = failure.bytes_written == BytesWritten::kAll &&
                   (failure.phase == Phase::kWrite || failure.phase == Phase::kHead ||
                    failure.phase == Phase::kBody);
        break;
      default:
        // The request was not sent whole, or it was answered, and the answer says that it was not accepted.
        break;
    }
    ASSERT_EQ(MayHaveBeenAccepted(failure), expected) << Describe(failure);
  });
}

TEST(ExchangeFailureTest, IdleTimeAddressesAndRetryAfterDecideNothing) {
  ForEveryFailure([&](const ExchangeFailure& failure) {
    ExchangeFailure other = failure;
    other.idle_for = absl::Seconds(90);
    other.retry_after = absl::Seconds(7);
    other.addresses = {{"127.0.0.1:443", absl::UnavailableError("refused")}};
    other.error = absl::DeadlineExceededError("other");
    ASSERT_EQ(ClassOf(other), ClassOf(failure)) << Describe(failure);
    ASSERT_EQ(MayHaveBeenAccepted(other), MayHaveBeenAccepted(failure)) << Describe(failure);
  });
}

TEST(ExchangeFailureTest, EveryStatusThatIsNotSuccess) {
  for (int status = 300; status <= 599; ++status) {
    ExchangeFailure failure;
    failure.phase = Phase::kBody;
    failure.bytes_written = BytesWritten::kAll;
    failure.response_begun = failure.head_complete = true;
    failure.status = status;
    const bool for_now = status == 408 || status == 429 || status / 100 == 5;
    const RetryClass refused = status == 407 ? RetryClass::kMisconfigured : RetryClass::kRefusedForGood;
    EXPECT_EQ(ClassOf(failure), for_now ? RetryClass::kRefusedForNow : refused) << status;
    EXPECT_FALSE(MayHaveBeenAccepted(failure)) << status;
  }
}

// -- Cases with a name ------------------------------------------------------------------------------------

TEST(ExchangeFailureTest, TheBrokenPipeAfterAFreeze) {
  // A pooled connection whose peer is gone: the kernel accepted everything, then a reset came.
  ExchangeFailure failure;
  failure.phase = Phase::kHead;
  failure.fault = Fault::kReset;
  failure.reused = true;
  failure.bytes_written = BytesWritten::kAll;
  EXPECT_EQ(ClassOf(failure), RetryClass::kStale);
  EXPECT_TRUE(MayHaveBeenAccepted(failure));
}

TEST(ExchangeFailureTest, ABlackHoleAfterAFreezeIsAmbiguousNotStale) {
  ExchangeFailure failure;
  failure.phase = Phase::kHead;
  failure.fault = Fault::kTimeout;
  failure.reused = failure.epoch_crossed = true;
  failure.bytes_written = BytesWritten::kAll;
  EXPECT_EQ(ClassOf(failure), RetryClass::kAmbiguous);
}

TEST(ExchangeFailureTest, AFreshConnectionThatCrossedAFreezeMayBeStale) {
  ExchangeFailure failure;
  failure.phase = Phase::kHead;
  failure.fault = Fault::kEnd;
  failure.epoch_crossed = true;
  failure.bytes_written = BytesWritten::kAll;
  EXPECT_EQ(ClassOf(failure), RetryClass::kStale);
  failure.epoch_crossed = false;
  EXPECT_EQ(ClassOf(failure), RetryClass::kAmbiguous);
}

TEST(ExchangeFailureTest, HalfAnAnswerIsNoAnswer) {
  ExchangeFailure failure;
  failure.phase = Phase::kHead;
  failure.fault = Fault::kEnd;
  failure.reused = true;
  failure.bytes_written = BytesWritten::kAll;
  failure.response_begun = true;
  EXPECT_EQ(ClassOf(failure), RetryClass::kStale);
  EXPECT_TRUE(MayHaveBeenAccepted(failure));
}

TEST(ExchangeFailureTest, AnEarlyAnswerCountsThoughTheBodyWasNotTaken) {
  ExchangeFailure failure;
  failure.phase = Phase::kBody;
  failure.fault = Fault::kReset;
  failure.bytes_written = BytesWritten::kPart;
  failure.response_begun = failure.head_complete = true;
  failure.status = 413;
  EXPECT_EQ(ClassOf(failure), RetryClass::kRefusedForGood);
}

TEST(ExchangeFailureTest, OneLineNamesPhaseFaultAndEvidence) {
  ExchangeFailure failure;
  failure.phase = Phase::kHead;
  failure.fault = Fault::kReset;
  failure.reused = true;
  failure.epoch_crossed = true;
  failure.idle_for = absl::Seconds(3);
  failure.bytes_written = BytesWritten::kAll;
  failure.error = absl::AbortedError("POST https://intake.test/: reset by peer");
  EXPECT_EQ(failure.ToString(),
            "head: reset: POST https://intake.test/: reset by peer "
            "(reused, idle 3s, crossed a freeze, written: all)");
  ExchangeFailure dial;
  dial.phase = Phase::kConnect;
  dial.fault = Fault::kRefused;
  dial.addresses = {{"127.0.0.1:443", absl::UnavailableError("connection refused")}};
  dial.error = absl::UnavailableError("no address answered");
  EXPECT_EQ(dial.ToString(), "connect: refused: no address answered (127.0.0.1:443: connection refused)");
}

TEST(ExchangeFailureTest, OnlyADeadlineMakesACancellationATimeout) {
  EXPECT_EQ(FaultOfCancellation(absl::DeadlineExceededError("late")), Fault::kTimeout);
  EXPECT_EQ(FaultOfCancellation(absl::CancelledError("the connection was closed")), Fault::kCancelled);
  EXPECT_EQ(FaultOfCancellation(absl::UnavailableError("the process ends")), Fault::kCancelled);
}

TEST(ExchangeFailureTest, EveryEnumeratorHasItsOwnName) {
  const auto names_of = [](const auto& all) {
    std::set<std::string_view> names;
    for (const auto value : all) names.insert(ToString(value));
    EXPECT_EQ(names.size(), std::size(all));
    EXPECT_EQ(names.count("unknown"), 0u);
  };
  names_of(kAllPhases);
  names_of(kAllBytesWritten);
  names_of(kAllFaults);
  names_of(kAllRetryClasses);
}

TEST(MakeFailureTest, TheErrorSaysWhereAndWhy) {
  const ExchangeFailure failure =
      MakeFailure(Phase::kTls, Fault::kReset, "TLS with a.test", absl::AbortedError("reset"));
  EXPECT_EQ(failure.phase, Phase::kTls);
  EXPECT_EQ(failure.fault, Fault::kReset);
  EXPECT_EQ(failure.error, absl::AbortedError("TLS with a.test: reset"));
}

TEST(MakeFailureTest, ACancellationTakesThePlaceOfTheReason) {
  Cancellation cancellation;
  const absl::Status reset = absl::AbortedError("reset");
  EXPECT_EQ(MakeFailure(Phase::kTls, Fault::kReset, "a", reset, cancellation).fault, Fault::kReset);
  cancellation.Request(absl::DeadlineExceededError("late"));
  const ExchangeFailure late = MakeFailure(Phase::kTls, Fault::kReset, "a", reset, cancellation);
  EXPECT_EQ(late.fault, Fault::kTimeout);
  EXPECT_EQ(late.error, absl::DeadlineExceededError("a: late"));
  EXPECT_EQ(MakeCancelledFailure(Phase::kConnect, "a", absl::CancelledError("x")).fault, Fault::kCancelled);
}

}  // namespace
}  // namespace thaw
