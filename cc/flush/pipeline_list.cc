#include "cc/flush/pipeline_list.h"

#include "absl/strings/str_cat.h"
#include "cc/flush/pipeline_table.h"

namespace thaw {
namespace {

constexpr const PipelineSpec& kProxied = PipelineNamed("proxied");

PipelineSpec ProxiedTo(std::string_view host_prefix) {
  PipelineSpec spec = kProxied;
  spec.host_prefix = host_prefix;
  for (const PipelineSpec& row : kPipelineTable) {
    if (row.host_prefix != host_prefix) continue;
    spec.url = row.url;
    spec.additional_endpoints = row.additional_endpoints;
    break;
  }
  return spec;
}

}  // namespace

absl::Status PipelineList::AddProxied(const PipelineParts& parts, std::string_view host_prefix) {
  if (FindProxied(host_prefix) != nullptr) return absl::OkStatus();
  const PipelineSpec spec = ProxiedTo(host_prefix);
  THAW_ASSIGN_OR_RETURN(std::vector<Endpoint> endpoints,
                        EndpointsFrom(parts.config, spec, parts.api_key, parts.warnings));
  AddEntry(parts, {.spec = &kProxied,
                   .host_prefix = std::string(host_prefix),
                   .flusher = std::make_unique<PipelineFlusher>(
                       parts.executor, parts.clock, parts.client, FlusherOptionsFrom(parts.config, spec),
                       absl::StrCat(spec.name, ".", host_prefix), std::move(endpoints), parts.shared)});
  return absl::OkStatus();
}

PipelineFlusher* PipelineList::FindProxied(std::string_view host_prefix) const {
  for (const Entry& entry : entries_) {
    if (entry.spec == &kProxied && entry.host_prefix == host_prefix)
      return static_cast<PipelineFlusher*>(entry.flusher.get());
  }
  return nullptr;
}

void PipelineList::AddEntry(const PipelineParts& parts, Entry entry) {
  parts.coordinator.AddPipeline(*entry.flusher);
  entries_.push_back(std::move(entry));
}

}  // namespace thaw
