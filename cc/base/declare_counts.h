// Declares a struct of counts from one list of names and descriptions.
//
//   // X(name, what it counts)
//   #define THAW_KITCHEN_COUNTS(X) X(eggs, "eggs that were broken") X(omelettes, "omelettes made of them")
//
//   struct KitchenCounts {
//     THAW_DECLARE_COUNTS(THAW_KITCHEN_COUNTS)
//   };
//   void Write(const KitchenCounts& counts) {
//     counts.Visit([](std::string_view name, int64_t value, std::string_view text) { … });
//   }

#ifndef THAW_CC_BASE_DECLARE_COUNTS_H_
#define THAW_CC_BASE_DECLARE_COUNTS_H_

#include <cstdint>

#define THAW_DECLARE_COUNT(name, text) int64_t name = 0;
#define THAW_VISIT_COUNT(name, text) visit(#name, name, text);

// Declares a member for each entry of the list, and Visit(), which calls visit(name, value, text) for each
// entry in the order of the list.
#define THAW_DECLARE_COUNTS(LIST)     \
  LIST(THAW_DECLARE_COUNT)            \
  template <typename Visitor>         \
  void Visit(Visitor&& visit) const { \
    LIST(THAW_VISIT_COUNT)            \
  }

#endif  // THAW_CC_BASE_DECLARE_COUNTS_H_
