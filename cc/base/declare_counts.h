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
//
// Entries may begin with an enumerator, X(kEgg, eggs, "eggs that were broken"), and a list may contain
// another one. THAW_DECLARE_COUNTS_BY(Ingredient, LIST) beside THAW_DECLARE_COUNTS then makes
// `counts[Ingredient::kEgg]` the same as `counts.eggs`.

#ifndef THAW_CC_BASE_DECLARE_COUNTS_H_
#define THAW_CC_BASE_DECLARE_COUNTS_H_

#include <cstdint>

// Each calls its first or second form, for an entry with and without an enumerator.
#define THAW_PICK_COUNT(first, second, third, form, ...) form
#define THAW_DECLARE_COUNT(...) \
  THAW_PICK_COUNT(__VA_ARGS__, THAW_DECLARE_COUNT_3, THAW_DECLARE_COUNT_2, )(__VA_ARGS__)
#define THAW_VISIT_COUNT(...) \
  THAW_PICK_COUNT(__VA_ARGS__, THAW_VISIT_COUNT_3, THAW_VISIT_COUNT_2, )(__VA_ARGS__)
#define THAW_DECLARE_COUNT_2(name, text) int64_t name = 0;
#define THAW_DECLARE_COUNT_3(enumerator, name, text) int64_t name = 0;
#define THAW_VISIT_COUNT_2(name, text) visit(#name, name, text);
#define THAW_VISIT_COUNT_3(enumerator, name, text) visit(#name, name, text);
#define THAW_RETURN_COUNT(enumerator, name, text) \
  case Index::enumerator:                         \
    return self.name;

// Declares a member for each entry of the list, and Visit(), which calls visit(name, value, text) for each
// entry in the order of the list. Visit() of counts that are not const passes references.
#define THAW_DECLARE_COUNTS(LIST)     \
  LIST(THAW_DECLARE_COUNT)            \
  template <typename Visitor>         \
  void Visit(Visitor&& visit) const { \
    LIST(THAW_VISIT_COUNT)            \
  }                                   \
  template <typename Visitor>         \
  void Visit(Visitor&& visit) {       \
    LIST(THAW_VISIT_COUNT)            \
  }

// Declares operator[] for a list whose entries begin with enumerators, and which names all of the enum's.
#define THAW_DECLARE_COUNTS_BY(ENUM, LIST)                                        \
  int64_t& operator[](ENUM index) { return CountOf<int64_t&>(*this, index); }     \
  int64_t operator[](ENUM index) const { return CountOf<int64_t>(*this, index); } \
  template <typename Result, typename Self, typename Index>                       \
  static Result CountOf(Self& self, Index index) {                                \
    switch (index) { LIST(THAW_RETURN_COUNT) }                                    \
    __builtin_unreachable();                                                      \
  }

#endif  // THAW_CC_BASE_DECLARE_COUNTS_H_
