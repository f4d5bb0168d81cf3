#include "cc/flush/log_flusher.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/held_payload.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {
namespace {

constexpr size_t kMaxUnpacked = size_t{256} << 20;
// The text between two entries. No entry contains it, since quotes are escaped there.
constexpr std::string_view kBetween = R"(},{"message":{"message":")";

bool Compresses(const PipelineSpec& spec, const FlusherOptions& options) {
  return !spec.codec.content_encoding.empty() && options.compression_level > 0;
}

PipelineCodec CodecOf(const PipelineSpec& spec, const FlusherOptions& options) {
  PipelineCodec codec = spec.codec;
  if (!Compresses(spec, options)) codec.content_encoding = "";
  return codec;
}

std::vector<std::string> Halves(std::string_view body) {
  if (body.size() < 2) return {};
  size_t at = body.find(kBetween, body.size() / 2);
  if (at == std::string_view::npos) at = body.rfind(kBetween);
  if (at == std::string_view::npos) return {};
  return {absl::StrCat(body.substr(0, at + 1), "]"), absl::StrCat("[", body.substr(at + 2))};
}

}  // namespace

void LogEncodingBase::Workspace::Release() {
  body = std::string();
  compressor.Release();
}

absl::Status LogEncodingBase::EncodeAs(const PipelineSpec& spec, absl::Span<const HeldPayload<LogBatch>> held,
                                       const FlusherOptions& options, Workspace& workspace,
                                       EmitRequest emit) {
  const HttpHeaders headers = HeadersOf(CodecOf(spec, options));
  while (!held.empty()) {
    const absl::Span<const HeldPayload<LogBatch>> batch = TakeBatch<LogBatch>(
        held, {.bytes = options.max_batch_bytes, .entries = spec.limits.max_batch_entries},
        [](const LogBatch& each) { return static_cast<size_t>(each.entries); });
    const bool empty =
        std::all_of(batch.begin(), batch.end(), [](const auto& each) { return each.payload.empty(); });
    if (empty) continue;
    std::string_view body = batch[0].payload.body;
    if (batch.size() > 1) {
      size_t bytes = 0;
      for (const HeldPayload<LogBatch>& each : batch) bytes += each.payload.body.size();
      workspace.body.clear();
      THAW_RETURN_IF_ERROR(Reserve(workspace.body, bytes, nullptr));
      workspace.body.append(body);
      for (const HeldPayload<LogBatch>& each : batch.subspan(1)) {
        workspace.body.back() = ',';
        workspace.body.append(each.payload.body, 1);
      }
      body = workspace.body;
    }
    std::string sent;
    if (Compresses(spec, options)) {
      THAW_ASSIGN_OR_RETURN(sent, workspace.compressor.Compress(body, options.compression_level));
    } else {
      THAW_RETURN_IF_ERROR(Reserve(sent, body.size(), nullptr));
      sent.append(body);
    }
    emit({.headers = headers,
          .body = std::make_shared<const std::string>(std::move(sent)),
          .payloads = IdsOf(batch)});
  }
  return absl::OkStatus();
}

std::vector<std::string> LogEncodingBase::SplitAs(const PipelineSpec& spec, std::string_view body,
                                                  const FlusherOptions& options) {
  if (!Compresses(spec, options)) return CanAllocate(body.size()) ? Halves(body) : std::vector<std::string>();
  const absl::StatusOr<std::string> unpacked = DecompressZstd(body, kMaxUnpacked);
  if (!unpacked.ok() || !CanAllocate(unpacked->size())) return {};
  std::vector<std::string> bodies;
  for (const std::string& half : Halves(*unpacked)) {
    absl::StatusOr<std::string> packed = CompressZstd(half, options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
