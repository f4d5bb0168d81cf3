// Sends several requests as one task, one after another or all at once.

#ifndef THAW_PYTHON_BINDINGS_SEND_MANY_H_
#define THAW_PYTHON_BINDINGS_SEND_MANY_H_

#include <vector>

#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/client.h"
#include "cc/net/http_message.h"

namespace thaw::python {

// Returns the results in the order of the requests. `options.budget` is for all of them together.
Task<std::vector<SendResult>> SendInTurn(Client& client, Clock& clock, std::vector<HttpRequest> requests,
                                         SendOptions options, Cancellation& cancellation);
Task<std::vector<SendResult>> SendAtOnce(Client& client, Executor& executor,
                                         std::vector<HttpRequest> requests, SendOptions options,
                                         Cancellation& cancellation);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_SEND_MANY_H_
