// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "cc/base/block_vector.h"
#include "cc/base/byte_account.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/counted_allocations.h"
#include "cc/base/counts_json.h"
#include "cc/base/declare_counts.h"
#include "cc/base/declare_enum.h"
#include "cc/base/float_text.h"
#include "cc/base/histogram.h"
#include "cc/base/json_members.h"
#include "cc/base/json_special.h"
#include "cc/base/line.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/base/printable.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/read_file.h"
#include "cc/base/reserve.h"
#include "cc/base/scratch_text.h"
#include "cc/base/shallow_json.h"
#include "cc/base/split_to_fit.h"
#include "cc/base/status_macros.h"
#include "cc/base/task.h"
#include "cc/base/when_all.h"
#include "cc/base/work_account.h"

namespace thaw {
namespace {

struct SpanNote {};

absl::Status BlockVectorExample(ByteCharge& charge, const SpanNote& note) {
#include "cc/base/block_vector.h.example"
  return absl::OkStatus();
}

absl::Status ByteAccountExample(ByteAccount* account, std::string& text, size_t bytes) {
#include "cc/base/byte_account.h.example"
  return absl::OkStatus();
}

struct Transport {
  void Close();
};

void CancellationExample(Transport& transport) {
#include "cc/base/cancellation.h.example"
}

Task<void> CompletionExample(Executor& executor) {
#include "cc/base/completion.h.example"
}

void Work();

void CountedAllocationsExample() {
#include "cc/base/counted_allocations.h.example"
}

#include "cc/base/declare_counts.h.example"
#include "cc/base/declare_enum.h.example"

struct Kitchen {
  const KitchenCounts& counts() const;
};

void CountsJsonExample(const Kitchen& kitchen) {
#include "cc/base/counts_json.h.example"
}

void FloatTextExample() {
  std::string text;
#include "cc/base/float_text.h.example"
}

void HistogramExample(const Histogram& others) {
#include "cc/base/histogram.h.example"
}

#include "cc/base/histogram.h.2.example"

struct Event {
  std::string request_id;
};

void JsonMembersExample(boost::json::value& value) {
  Event event;
#include "cc/base/json_members.h.example"
}

void JsonSpecialExample() {
#include "cc/base/json_special.h.example"
}

Task<void> LineExample(Executor& executor) {
#include "cc/base/line.h.example"
}

absl::Status MsgpackReaderExample(std::string_view body) {
#include "cc/base/msgpack_reader.h.example"
  return absl::OkStatus();
}

void MsgpackScalarsExample(MsgpackReader& reader) {
#include "cc/base/msgpack_scalars.h.example"
}

void PrintableExample() {
#include "cc/base/printable.h.example"
}

void Use(std::string_view bytes);

void ProtobufReaderExample(std::string_view message) {
#include "cc/base/protobuf_reader.h.example"
}

void ProtobufWriterExample(ProtobufWriter& writer, std::string_view service) {
#include "cc/base/protobuf_writer.h.example"
}

void ReadFileExample(const std::string& path) {
#include "cc/base/read_file.h.example"
}

absl::Status ReserveExample(std::string& notes, ByteCharge& charge) {
#include "cc/base/reserve.h.example"
  return absl::OkStatus();
}

void ScratchTextExample(ScratchText& scratch) {
#include "cc/base/scratch_text.h.example"
}

struct HttpResponse {
  std::string body;
};

void ShallowJsonExample(const HttpResponse& response) {
#include "cc/base/shallow_json.h.example"
}

struct Destination {};
absl::StatusOr<Destination> ParseUrl(std::string_view text);

void SplitToFitExample(std::string body, std::vector<std::string> (*halve)(const std::string& body)) {
#include "cc/base/split_to_fit.h.example"
}

absl::Status StatusMacrosExample(std::string_view text) {
#include "cc/base/status_macros.h.example"
  return absl::OkStatus();
}

#include "cc/base/task.h.example"

Task<void> Send(int request);

Task<void> WhenAllExample(Executor& executor) {
  const int first = 1, second = 2;
#include "cc/base/when_all.h.example"
}

absl::Status WorkAccountExample(ByteAccount& account, size_t body_bytes, size_t bytes) {
#include "cc/base/work_account.h.example"
  return absl::OkStatus();
}

}  // namespace
}  // namespace thaw
