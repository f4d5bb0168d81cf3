#include "cc/lambda/invocation/invocation_store.h"

#include <algorithm>
#include <utility>

namespace thaw {
namespace {

size_t MemoryOf(const SpanTags& tags) {
  size_t bytes = 0;
  for (const auto& [name, value] : tags) bytes += 96 + name.size() + value.size();
  return bytes;
}

size_t MemoryOf(const TraceContext& context) {
  return context.origin.size() + MemoryOf(context.tags) + MemoryOf(context.baggage);
}

// Returns about the bytes that the record holds outside itself.
size_t MemoryOf(const InvocationRecord& record) {
  size_t bytes = record.platform.error_type.size() + MemoryOf(record.payload_tags) +
                 MemoryOf(record.trigger.tags) + record.trigger.source_arn.size();
  bytes += record.span_pointers.size() * (sizeof(SpanPointer) + 48);
  if (record.upstream) bytes += MemoryOf(*record.upstream);
  for (const InferredSpan& span : record.trigger.spans)
    bytes += sizeof(span) + span.resource.size() + span.service.size() + MemoryOf(span.tags);
  if (record.end) bytes += MemoryOf(record.end->error_tags) + MemoryOf(record.end->propagation_tags);
  if (record.placeholder)
    bytes += MemoryOf(record.placeholder->tags) + MemoryOf(record.placeholder->meta_struct) +
             96 * record.placeholder->metrics.size();
  return bytes;
}

size_t MemoryOf(const InvocationStore::Entry& entry) {
  const Invocation& invocation = entry.platform.invocation;
  size_t bytes = sizeof(entry) - sizeof(invocation) + invocation.memory();
  if (entry.tracer != nullptr) bytes += sizeof(*entry.tracer) + MemoryOf(entry.tracer->record);
  return bytes;
}

}  // namespace

InvocationStore::Entry& InvocationStore::Add(std::string_view request_id) {
  const Sequence sequence = next_sequence_++;
  Entry& entry = entries_[sequence];
  entry.sequence = sequence;
  entry.platform.invocation.request_id = request_id;
  by_request_id_[request_id].push_back(sequence);
  return entry;
}

void InvocationStore::Update(Entry& entry) {
  if (!entry.platform.known && entry.tracer == nullptr) return Remove(entries_.find(entry.sequence));
  const size_t bytes = MemoryOf(entry);
  charge_.Set(charge_.bytes() - entry.bytes + bytes);
  entry.bytes = bytes;
}

InvocationStore::Entry* InvocationStore::Oldest(std::string_view request_id,
                                                absl::FunctionRef<bool(const Entry&)> wanted) {
  const auto found = by_request_id_.find(request_id);
  if (found == by_request_id_.end()) return nullptr;
  for (const Sequence sequence : found->second)
    if (Entry& entry = entries_.at(sequence); wanted(entry)) return &entry;
  return nullptr;
}

const InvocationStore::Entry* InvocationStore::Latest(std::string_view request_id,
                                                      absl::FunctionRef<bool(const Entry&)> wanted) const {
  const auto found = by_request_id_.find(request_id);
  if (found == by_request_id_.end()) return nullptr;
  for (auto sequence = found->second.rbegin(); sequence != found->second.rend(); ++sequence)
    if (const Entry& entry = entries_.at(*sequence); wanted(entry)) return &entry;
  return nullptr;
}

InvocationStore::Entry* InvocationStore::Latest(std::string_view request_id,
                                                absl::FunctionRef<bool(const Entry&)> wanted) {
  return const_cast<Entry*>(std::as_const(*this).Latest(request_id, wanted));
}

InvocationStore::Entry* InvocationStore::At(Sequence sequence) {
  const auto position = entries_.find(sequence);
  return position == entries_.end() ? nullptr : &position->second;
}

void InvocationStore::KeepBounds() {
  while (entries_.size() > options_.max_invocations || bytes() > options_.max_bytes) {
    auto victim = std::find_if(entries_.begin(), entries_.end(),
                               [](const auto& position) { return position.second.ended(); });
    if (victim == entries_.end()) victim = entries_.begin();
    // The entry is gone when its last view has no use for it any more.
    const Sequence sequence = victim->first;
    for (View* const view : views_)
      if (Entry* const entry = At(sequence)) view->BeforeEviction(*entry);
    if (const auto left = entries_.find(sequence); left != entries_.end()) Remove(left);
  }
}

void InvocationStore::Remove(Entries::iterator position) {
  const Entry& entry = position->second;
  const auto found = by_request_id_.find(entry.request_id());
  absl::InlinedVector<Sequence, 1>& same = found->second;
  same.erase(std::find(same.begin(), same.end(), position->first));
  if (same.empty()) by_request_id_.erase(found);
  charge_.Shrink(entry.bytes);
  entries_.erase(position);
}

}  // namespace thaw
