#include "cc/flush/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

// The approximate cost of an item beside its request: its bookkeeping and the allocator's overhead.
constexpr size_t kItemOverhead = 256;
// The approximate cost of each of its payloads beside the id: its entry among those whose outcome is awaited.
// If payloads are much alike, a body holds thousands of them in no more bytes than that.
constexpr size_t kPayloadOverhead = 40;

}  // namespace

size_t Outbox::BytesOf(const EncodedRequest& request) {
  size_t copied = request.target.capacity();
  for (const auto& [name, value] : request.headers) copied += name.capacity() + value.capacity();
  return kItemOverhead + request.memory() + copied + request.payloads.size() * kPayloadOverhead;
}

size_t Outbox::Item::bytes() const { return BytesOf(*request); }

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
  // The place is nearly always at the end.
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

Outbox::~Outbox() {
  budget_->RemoveHolder(this);
  budget_->Remove(bytes());
  budget_->RemoveEvictable(tried_.bytes + held_.bytes);
}

std::optional<uint64_t> Outbox::OldestEvictable() const {
  const List& list = tried_.count > 0 ? tried_ : held_;
  if (list.count == 0) return std::nullopt;
  return list.items.front().sequence;
}

void Outbox::EvictOldest() {
  // Removed first, since `evicted_` may ask how much is kept.
  const Item item = (tried_.count > 0 ? tried_ : held_).PopFront();
  budget_->RemoveEvictable(item.bytes());
  budget_->Remove(item.bytes());
  evicted_(item);
}

absl::Status Outbox::Add(Item item) {
  if (absl::Status room = budget_->MakeRoom(item.bytes()); !room.ok()) return room;
  AddAdmitted(std::move(item));
  return absl::OkStatus();
}

void Outbox::AddAdmitted(Item item) {
  budget_->Evict(item.bytes());
  item.sequence = budget_->NextSequence();
  budget_->Add(item.bytes());
  fresh_.Insert(std::move(item));
}

Outbox::Item Outbox::Lend(List& list, bool evictable) {
  Item item = list.PopFront();
  if (evictable) budget_->RemoveEvictable(item.bytes());
  lent_.Add(item);
  return item;
}

void Outbox::TakeInto(List& list, bool evictable, std::vector<Item>& out) {
  while (list.count > 0) out.push_back(Lend(list, evictable));
}

std::vector<Outbox::Item> Outbox::Take() {
  std::vector<Item> out;
  out.reserve(tried_.count + fresh_.count);
  TakeInto(tried_, /*evictable=*/true, out);
  TakeInto(fresh_, /*evictable=*/false, out);
  return out;
}

std::vector<Outbox::Item> Outbox::TakeHeld() {
  std::vector<Item> out;
  TakeInto(held_, /*evictable=*/true, out);
  return out;
}

void Outbox::AddLent(const Item& item) {
  budget_->Add(item.bytes());
  lent_.Add(item);
}

void Outbox::Return(Item item) {
  lent_.Remove(item);
  if (item.tries > 0) budget_->AddEvictable(item.bytes());
  (item.tries > 0 ? tried_ : fresh_).Insert(std::move(item));
}

void Outbox::Hold(Item item) {
  lent_.Remove(item);
  budget_->AddEvictable(item.bytes());
  held_.Insert(std::move(item));
}

void Outbox::End(const Item& item) {
  lent_.Remove(item);
  budget_->Remove(item.bytes());
}

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
