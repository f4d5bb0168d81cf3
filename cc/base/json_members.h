// Reads the members of an untrusted JSON object by their expected types.
//
//   int64_t ignored = 0;
//   const JsonMembers members(value.if_object(), ignored);
//   members.Read("requestId", event.request_id);
//
// A member that is missing or null leaves its target unchanged; so does one of a wrong type or out of range,
// which is also counted.

#ifndef THAW_CC_BASE_JSON_MEMBERS_H_
#define THAW_CC_BASE_JSON_MEMBERS_H_

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace thaw {

class JsonMembers {
 public:
  // `object` may be null, which means no members. Both must outlive this object.
  JsonMembers(const boost::json::object* object, int64_t& ignored) : object_(object), ignored_(&ignored) {}

  void Read(std::string_view name, std::string& into) const {
    const boost::json::value* value = Find(name);
    if (value == nullptr) return;
    if (const boost::json::string* text = value->if_string()) {
      into.assign(text->data(), text->size());
    } else {
      Ignore();
    }
  }
  // Reads a whole number, not below zero.
  void Read(std::string_view name, std::optional<int64_t>& into) const {
    if (const auto number = Number(name)) into = static_cast<int64_t>(*number);
  }
  void ReadMilliseconds(std::string_view name, std::optional<absl::Duration>& into) const {
    if (const auto number = Number(name)) into = absl::Milliseconds(*number);
  }
  // Reads the texts of a list.
  void Read(std::string_view name, std::vector<std::string>& into) const {
    ForEach(name, [this, &into](const boost::json::value& item) {
      if (const boost::json::string* text = item.if_string()) {
        into.emplace_back(text->data(), text->size());
      } else {
        Ignore();
      }
    });
  }
  // Returns the members of a member.
  JsonMembers Of(std::string_view name) const {
    const boost::json::value* value = Find(name);
    if (value == nullptr) return JsonMembers(nullptr, *ignored_);
    if (!value->is_object()) Ignore();
    return OfItem(*value);
  }
  // Returns the members of an item; none if it is no object.
  JsonMembers OfItem(const boost::json::value& item) const {
    return JsonMembers(item.if_object(), *ignored_);
  }
  // Calls visit(item) for each item of a list.
  template <typename Visit>
  void ForEach(std::string_view name, Visit&& visit) const {
    const boost::json::value* value = Find(name);
    if (value == nullptr) return;
    if (const boost::json::array* items = value->if_array()) {
      for (const boost::json::value& item : *items) visit(item);
    } else {
      Ignore();
    }
  }
  // Counts a member that was read but is of no use.
  void Ignore() const { ++*ignored_; }

 private:
  // Larger numbers are no measurements.
  static constexpr double kMaxNumber = 1e15;

  const boost::json::value* Find(std::string_view name) const {
    const boost::json::value* value = object_ == nullptr ? nullptr : object_->if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  std::optional<double> Number(std::string_view name) const {
    const boost::json::value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    boost::system::error_code error;
    const double number = value->is_number() ? value->to_number<double>(error) : -1;
    if (error || !(number >= 0 && number <= kMaxNumber)) {
      Ignore();
      return std::nullopt;
    }
    return number;
  }

  const boost::json::object* object_;
  int64_t* ignored_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_JSON_MEMBERS_H_
