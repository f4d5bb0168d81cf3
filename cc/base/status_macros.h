// Macros that return early on an error Status. Plain functions use these; a coroutine uses the CO_ forms.
//
//   THAW_ASSIGN_OR_RETURN(const Destination destination, ParseUrl(text));

#ifndef THAW_CC_BASE_STATUS_MACROS_H_
#define THAW_CC_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define THAW_MACRO_CONCAT_INNER_(a, b) a##b
#define THAW_MACRO_CONCAT_(a, b) THAW_MACRO_CONCAT_INNER_(a, b)

#define THAW_RETURN_IF_ERROR_IMPL_(return_word, expression)                        \
  do {                                                                             \
    if (::absl::Status thaw_status = (expression); !thaw_status.ok()) [[unlikely]] \
      return_word thaw_status;                                                     \
  } while (false)

#define THAW_ASSIGN_OR_RETURN_IMPL_(return_word, holder, declaration, expression) \
  auto holder = (expression);                                                     \
  if (!holder.ok()) [[unlikely]]                                                  \
    return_word std::move(holder).status();                                       \
  declaration = *std::move(holder)

#define THAW_RETURN_IF_ERROR(expression) THAW_RETURN_IF_ERROR_IMPL_(return, expression)
#define THAW_CO_RETURN_IF_ERROR(expression) THAW_RETURN_IF_ERROR_IMPL_(co_return, expression)
#define THAW_ASSIGN_OR_RETURN(declaration, expression) \
  THAW_ASSIGN_OR_RETURN_IMPL_(return, THAW_MACRO_CONCAT_(thaw_holder_, __LINE__), declaration, expression)
#define THAW_CO_ASSIGN_OR_RETURN(declaration, expression) \
  THAW_ASSIGN_OR_RETURN_IMPL_(co_return, THAW_MACRO_CONCAT_(thaw_holder_, __LINE__), declaration, expression)

#endif  // THAW_CC_BASE_STATUS_MACROS_H_
