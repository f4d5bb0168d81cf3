#include "cc/flush/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

// What an item costs beside its body: its headers and bookkeeping, about.
constexpr size_t kItemOverhead = 512;

}  // namespace

size_t Outbox::Item::bytes() const {
  return kItemOverhead + (request->body == nullptr ? 0 : request->body->size()) +
         request->payloads.size() * sizeof(PayloadId);
}

void Outbox::Tally::Add(const Item& item) {
  bytes += item.bytes();
  ++count;
  parts += item.parts();
}

void Outbox::Tally::Remove(const Item& item) {
  bytes -= item.bytes();
  --count;
  parts -= item.parts();
}

void Outbox::List::Insert(Item item) {
  Add(item);
  // Nearly always at the end.
  auto place = items.end();
  while (place != items.begin() && std::prev(place)->sequence > item.sequence) --place;
  items.insert(place, std::move(item));
}

Outbox::Item Outbox::List::PopFront() {
  Item item = std::move(items.front());
  items.pop_front();
  Remove(item);
  return item;
}

absl::Status Outbox::MakeRoom(size_t needed, absl::FunctionRef<void(const Item&)> evicted) {
  const size_t cannot_go = fresh_.bytes + lent_.bytes;
  if (needed > budget_ || cannot_go > budget_ - needed) {
    return absl::ResourceExhaustedError(absl::StrCat("the outbox has no room for ", needed,
                                                     " bytes: ", cannot_go, " of its ", budget_,
                                                     " hold what was not tried yet"));
  }
  Evict(needed, evicted);
  return absl::OkStatus();
}

void Outbox::Evict(size_t needed, absl::FunctionRef<void(const Item&)> evicted) {
  while (bytes() + needed > budget_) {
    List& list = tried_.count > 0 ? tried_ : held_;
    if (list.count == 0) return;
    // Taken off first: `evicted` may ask how much is kept.
    const Item item = list.PopFront();
    evicted(item);
  }
}

absl::Status Outbox::Add(Item item, absl::FunctionRef<void(const Item&)> evicted) {
  if (absl::Status room = MakeRoom(item.bytes(), evicted); !room.ok()) return room;
  item.sequence = next_sequence_++;
  fresh_.Insert(std::move(item));
  return absl::OkStatus();
}

void Outbox::AddAdmitted(Item item, absl::FunctionRef<void(const Item&)> evicted) {
  Evict(item.bytes(), evicted);
  item.sequence = next_sequence_++;
  fresh_.Insert(std::move(item));
}

void Outbox::TakeInto(List& list, std::vector<Item>& out) {
  while (list.count > 0) {
    Item item = list.PopFront();
    lent_.Add(item);
    out.push_back(std::move(item));
  }
}

std::vector<Outbox::Item> Outbox::Take() {
  std::vector<Item> out;
  out.reserve(tried_.count + fresh_.count);
  TakeInto(tried_, out);
  TakeInto(fresh_, out);
  return out;
}

std::vector<Outbox::Item> Outbox::TakeFirst() {
  std::vector<Item> out;
  List& list = tried_.count > 0 ? tried_ : fresh_;
  if (list.count > 0) {
    Item item = list.PopFront();
    lent_.Add(item);
    out.push_back(std::move(item));
  }
  return out;
}

std::vector<Outbox::Item> Outbox::TakeHeld() {
  std::vector<Item> out;
  TakeInto(held_, out);
  return out;
}

void Outbox::Return(Item item) {
  lent_.Remove(item);
  (item.tries > 0 ? tried_ : fresh_).Insert(std::move(item));
}

void Outbox::Hold(Item item) {
  lent_.Remove(item);
  held_.Insert(std::move(item));
}

void Outbox::End(const Item& item) { lent_.Remove(item); }

absl::Status Outbox::CheckByWalking() const {
  const auto check = [](std::string_view name, const List& list) -> absl::Status {
    Tally again;
    uint64_t last = 0;
    for (const Item& item : list.items) {
      again.Add(item);
      if (item.sequence < last)
        return absl::InternalError(absl::StrCat("the outbox's ", name, " are out of order"));
      last = item.sequence;
    }
    if (again.bytes != list.bytes || again.count != list.count || again.parts != list.parts) {
      return absl::InternalError(absl::StrCat("the outbox says ", list.count, " ", name, " items, ",
                                              list.bytes, " bytes, ", list.parts, " parts; it holds ",
                                              again.count, ", ", again.bytes, ", ", again.parts));
    }
    return absl::OkStatus();
  };
  if (absl::Status status = check("tried", tried_); !status.ok()) return status;
  if (absl::Status status = check("fresh", fresh_); !status.ok()) return status;
  if (absl::Status status = check("held", held_); !status.ok()) return status;
  for (const Item& item : fresh_.items) {
    if (item.tries > 0) return absl::InternalError("the outbox counts a tried item as never tried");
  }
  if (lent_.count < 0 || lent_.parts < 0) return absl::InternalError("the outbox got back more than it lent");
  return absl::OkStatus();
}

}  // namespace thaw
