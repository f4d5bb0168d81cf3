#include "cc/logs/held_logs.h"

#include <utility>

namespace thaw {

void HeldLogs::Add(const LogEntry& entry, Emit emit) {
  Line line{.time = entry.time,
            .request_id = std::string(entry.request_id),
            .tags = std::string(entry.tags),
            .status = entry.status,
            .kind = entry.kind,
            .escaped = entry.escaped,
            .cut = entry.cut};
  size_t text_bytes = 0;
  for (const std::string_view piece : entry.pieces) text_bytes += piece.size();
  if (line.memory() + text_bytes > most_bytes_) {
    Release(emit);
    emit(entry);
    return;
  }
  line.text.reserve(text_bytes);
  for (const std::string_view piece : entry.pieces) line.text.append(piece);
  while (bytes_.bytes() + line.memory() > most_bytes_) EmitOldest(emit);
  bytes_ += line.memory();
  lines_.push_back(std::move(line));
}

void HeldLogs::Release(Emit emit) {
  while (!lines_.empty()) EmitOldest(emit);
}

std::optional<absl::Time> HeldLogs::oldest() const {
  if (lines_.empty()) return std::nullopt;
  return lines_.front().time;
}

void HeldLogs::EmitOldest(Emit emit) {
  const Line line = std::move(lines_.front());
  lines_.pop_front();
  bytes_ -= line.memory();
  const std::string_view text = line.text;
  emit({.time = line.time,
        .pieces = {&text, 1},
        .escaped = line.escaped,
        .cut = line.cut,
        .status = line.status,
        .request_id = line.request_id,
        .tags = line.tags,
        .kind = line.kind});
}

}  // namespace thaw
