// Declares an enum, the list of its members and their names, from one list of entries.
//
//   // X(enumerator, name, what it stands for)
//   #define THAW_INGREDIENTS(X) X(kEgg, egg, "an egg") X(kFlour, flour, "a spoon of flour")
//
//   THAW_DECLARE_ENUM(Ingredient, kAllIngredients, THAW_INGREDIENTS)
//   void Print() {
//     for (const Ingredient each : kAllIngredients) std::cout << ToString(each) << "\n";   // egg, flour
//   }
//
// The entries have the form of those that declare_counts.h indexes by an enumerator, so that one list may serve
// both. An entry whose name is not an identifier, as X(kTea, "green tea", "…"), is declared by
// THAW_DECLARE_ENUM_WITH_TEXTS.

#ifndef THAW_CC_BASE_DECLARE_ENUM_H_
#define THAW_CC_BASE_DECLARE_ENUM_H_

#include <array>
#include <cstdint>
#include <string_view>

#define THAW_ENUMERATOR(enumerator, name, text) enumerator,
#define THAW_RETURN_NAME(enumerator, name, text) \
  case enumerator:                               \
    return #name;
#define THAW_RETURN_TEXT(enumerator, name, text) \
  case enumerator:                               \
    return name;

// Declares `enum class ENUM`, of one byte; ALL, an array of its members in the order of the list; and
// ToString(), which returns a member's name, or "unknown" for any other value.
#define THAW_DECLARE_ENUM(ENUM, ALL, LIST) THAW_DECLARE_ENUM_BY(ENUM, ALL, LIST, THAW_RETURN_NAME)
#define THAW_DECLARE_ENUM_WITH_TEXTS(ENUM, ALL, LIST) THAW_DECLARE_ENUM_BY(ENUM, ALL, LIST, THAW_RETURN_TEXT)

#define THAW_DECLARE_ENUM_BY(ENUM, ALL, LIST, RETURN)  \
  enum class ENUM : uint8_t { LIST(THAW_ENUMERATOR) }; \
  inline constexpr auto ALL = [] {                     \
    using enum ENUM;                                   \
    return std::array{LIST(THAW_ENUMERATOR)};          \
  }();                                                 \
  constexpr std::string_view ToString(ENUM value) {    \
    using enum ENUM;                                   \
    switch (value) { LIST(RETURN) }                    \
    return "unknown";                                  \
  }

#endif  // THAW_CC_BASE_DECLARE_ENUM_H_
