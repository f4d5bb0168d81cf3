// Lambda's Extensions API: registers the extension, waits for events, reports errors before exit.
//
//   ExtensionsApi extensions(runtime_api, clock);
//   std::vector<ExtensionEvent> events = {ExtensionEvent::kInvoke, ExtensionEvent::kShutdown};
//   absl::StatusOr<Registration> registration =
//       co_await extensions.Register("datadog-agent", std::move(events), cancellation);
//   while (true) {
//     absl::StatusOr<LambdaEvent> event = co_await extensions.Next(cancellation);
//     ...
//   }
//
// Missing or deeply nested parts of an answer are tolerated as far as possible: a registration needs only its
// identifier, an invocation may lack anything. An event of an unknown type is counted, and the next one is
// asked for.
//
// An extension that exits ends the function's invocation too. So Next() retries when a connection is lost or
// an answer is cut or can't be read, up to three times in a row. An error of Next() is final: the extension
// then follows its shutdown plan.
//
// One thread: the executor's. Source: AWS's documentation of the Extensions API, version 2020-01-01.

#ifndef THAW_CC_LAMBDA_API_EXTENSIONS_API_H_
#define THAW_CC_LAMBDA_API_EXTENSIONS_API_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/declare_counts.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/lambda/api/runtime_api.h"
#include "cc/telemetry/lambda_event.h"

namespace thaw {

// The events that an extension may register for.
enum class ExtensionEvent { kInvoke, kShutdown };

struct Registration {
  std::string identifier;
  std::string function_name;
  std::string function_version;
  std::string handler;
  std::optional<std::string> account_id;  // if the platform knows it
};

// X(name, what it counts)
#define THAW_EXTENSIONS_API_COUNTS(X)                                                            \
  X(invoke_events, "INVOKE events taken")                                                        \
  X(shutdown_events, "SHUTDOWN events taken")                                                    \
  X(unknown_events, "events of a type that is not known, passed over")                           \
  X(unreadable_events, "answers that were cut or hold no event, after which it was asked again") \
  X(members_ignored, "members of a wrong type or out of range, taken for missing")

struct ExtensionsApiCounts {
  THAW_DECLARE_COUNTS(THAW_EXTENSIONS_API_COUNTS)
};

class ExtensionsApi {
 public:
  // `api` and `clock` must outlive the calls.
  ExtensionsApi(RuntimeApi& api, Clock& clock) : api_(api), clock_(clock) {}
  ExtensionsApi(const ExtensionsApi&) = delete;
  ExtensionsApi& operator=(const ExtensionsApi&) = delete;

  // Registers once, within 5 s; waits for the API if it isn't up yet. `name` is the base name of the
  // executable in /opt/extensions. Errors: InvalidArgument for a name that no header can hold; Internal for
  // an answer without an identifier; else those of RuntimeApi::Send.
  Task<absl::StatusOr<Registration>> Register(std::string name, std::vector<ExtensionEvent> events,
                                              Cancellation& cancellation);

  // Returns the next event. The first call says that the extension is ready. Ends early, with its reason,
  // when `cancellation` is requested. Errors: FailedPrecondition before Register() and while another call
  // waits; Internal for answers that are no events; else those of RuntimeApi::Send.
  Task<absl::StatusOr<LambdaEvent>> Next(Cancellation& cancellation);

  // Report that the extension can't begin, or can't go on, and will exit now. `error_type` is
  // "Category.Reason".
  Task<absl::Status> InitError(std::string error_type, std::string message, Cancellation& cancellation) {
    return ReportError("init", std::move(error_type), std::move(message), cancellation);
  }
  Task<absl::Status> ExitError(std::string error_type, std::string message, Cancellation& cancellation) {
    return ReportError("exit", std::move(error_type), std::move(message), cancellation);
  }

  // Empty before Register().
  const std::string& identifier() const { return identifier_; }
  const ExtensionsApiCounts& counts() const { return counts_; }

 private:
  // Returns nullopt for an event of an unknown type.
  absl::StatusOr<std::optional<LambdaEvent>> ParseEvent(const RuntimeApi::Call& call,
                                                        const HttpResponse& response);
  Task<absl::StatusOr<LambdaEvent>> AskForNext(Cancellation& cancellation);
  Task<absl::Status> ReportError(std::string_view phase, std::string error_type, std::string message,
                                 Cancellation& cancellation);

  RuntimeApi& api_;
  Clock& clock_;
  std::string identifier_;
  bool waiting_ = false;
  absl::Status failed_;  // the final error of Next()
  ExtensionsApiCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_EXTENSIONS_API_H_
