#include "cc/metrics/sandbox_figures.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace thaw {
namespace {

// Beginnings beyond this number are dropped, the oldest first: those of invocations whose end never came.
constexpr size_t kMostOpen = 500;

size_t HashOf(std::string_view request_id) { return std::hash<std::string_view>()(request_id); }

bool Advanced(uint64_t begin, uint64_t end) { return end >= begin; }

double Since(uint64_t begin, uint64_t end) { return static_cast<double>(end - begin); }

void AddNetwork(const NetworkBytes& begin, const NetworkBytes& end, Figures& figures) {
  if (!Advanced(begin.received, end.received) || !Advanced(begin.sent, end.sent)) return;
  const double received = Since(begin.received, end.received);
  const double sent = Since(begin.sent, end.sent);
  figures.push_back({EnhancedMetric::kRxBytes, received});
  figures.push_back({EnhancedMetric::kTxBytes, sent});
  figures.push_back({EnhancedMetric::kTotalNetwork, received + sent});
}

void AddCpuTimes(const CpuTimes& begin, const CpuTimes& end, double tick_ms, Figures& figures) {
  if (!Advanced(begin.user, end.user) || !Advanced(begin.system, end.system)) return;
  const double user = Since(begin.user, end.user) * tick_ms;
  const double system = Since(begin.system, end.system) * tick_ms;
  figures.push_back({EnhancedMetric::kCpuUserTime, user});
  figures.push_back({EnhancedMetric::kCpuSystemTime, system});
  figures.push_back({EnhancedMetric::kCpuTotalTime, user + system});
}

// Adds how much of `elapsed_ms` the cores were in use. The kernel's idle time may exceed what elapsed by a tick.
void AddUtilization(const CpuTimes& begin, const CpuTimes& end, double elapsed_ms, double tick_ms,
                    Figures& figures) {
  const size_t cores = end.idle_of_core.size();
  if (elapsed_ms <= 0 || cores != begin.idle_of_core.size() || !Advanced(begin.idle, end.idle)) return;
  const auto used = [](double all, double idle) { return std::clamp((all - idle) / all, 0.0, 1.0); };
  const double total = used(elapsed_ms * static_cast<double>(cores), Since(begin.idle, end.idle) * tick_ms);
  double most = 0;
  double least = 1;
  for (size_t core = 0; core < cores; ++core) {
    if (!Advanced(begin.idle_of_core[core], end.idle_of_core[core])) return;
    const double part = used(elapsed_ms, Since(begin.idle_of_core[core], end.idle_of_core[core]) * tick_ms);
    most = std::max(most, part);
    least = std::min(least, part);
  }
  figures.push_back({EnhancedMetric::kCpuTotalUtilizationPct, total * 100});
  figures.push_back({EnhancedMetric::kCpuTotalUtilization, total * static_cast<double>(cores)});
  figures.push_back({EnhancedMetric::kNumCores, static_cast<double>(cores)});
  figures.push_back({EnhancedMetric::kCpuMaxUtilization, most * 100});
  figures.push_back({EnhancedMetric::kCpuMinUtilization, least * 100});
}

}  // namespace

void AddUsage(const UsageReading& begin, const UsageReading& end, double ticks_per_second, Figures& figures) {
  if (begin.network.has_value() && end.network.has_value()) AddNetwork(*begin.network, *end.network, figures);
  if (!begin.cpu.has_value() || !end.cpu.has_value() || !(ticks_per_second > 0)) return;
  const double tick_ms = 1000 / ticks_per_second;
  AddCpuTimes(*begin.cpu, *end.cpu, tick_ms, figures);
  if (!begin.uptime.has_value() || !end.uptime.has_value()) return;
  AddUtilization(*begin.cpu, *end.cpu, absl::ToDoubleMilliseconds(*end.uptime - *begin.uptime), tick_ms,
                 figures);
}

void AddPeaks(const UsagePeaks& peaks, Figures& figures) {
  const auto add = [&figures](EnhancedMetric metric, auto value) {
    figures.push_back({metric, static_cast<double>(value)});
  };
  if (peaks.most_files.has_value()) add(EnhancedMetric::kFdMax, *peaks.most_files);
  if (peaks.files > 0) add(EnhancedMetric::kFdUse, peaks.files);
  if (peaks.most_threads.has_value()) add(EnhancedMetric::kThreadsMax, *peaks.most_threads);
  if (peaks.threads > 0) add(EnhancedMetric::kThreadsUse, peaks.threads);
  if (peaks.temporary_used > 0) {
    add(EnhancedMetric::kTmpMax, peaks.temporary_total);
    add(EnhancedMetric::kTmpUsed, peaks.temporary_used);
    add(EnhancedMetric::kTmpFree,
        peaks.temporary_total - std::min(peaks.temporary_total, peaks.temporary_used));
  }
}

void SandboxFigures::Begin(std::string_view request_id) {
  if (!concurrent_) {
    open_.clear();
    peaks_ = {};
  }
  if (open_.size() >= kMostOpen) open_.pop_front();
  open_.push_back({.request_id_hash = HashOf(request_id), .begin = Read()});
  if (!concurrent_ || open_.size() == 1) Sample();
}

void SandboxFigures::Sample() {
  ++counts_.peak_samples;
  int64_t files = 0;
  int64_t threads = 0;
  // A process may end while it is looked at: it is left out, and the others count.
  reader_.ForEachProcess([&](int process) {
    files += reader_.OpenFiles(process).value_or(0);
    threads += reader_.Threads(process).value_or(0);
  });
  peaks_.files = std::max(peaks_.files, files);
  peaks_.threads = std::max(peaks_.threads, threads);
  if (const std::optional<DiskSpace> space = reader_.TemporarySpace()) {
    peaks_.temporary_total = space->total_bytes;
    peaks_.temporary_used = std::max(peaks_.temporary_used, space->used_bytes);
  }
}

Figures SandboxFigures::End(std::string_view request_id) {
  Figures figures;
  const std::optional<Open> open = Close(request_id);
  if (!open.has_value()) {
    ++counts_.ends_without_beginning;
    return figures;
  }
  AddUsage(open->begin, Read(), reader_.ticks_per_second(), figures);
  if (concurrent_) return figures;
  Sample();
  for (const Figure& each : TakePeaks()) figures.push_back(each);
  return figures;
}

Figures SandboxFigures::EndUnread(std::string_view request_id) {
  if (!Close(request_id).has_value() || concurrent_) return {};
  Figures figures;
  AddPeaks(std::exchange(peaks_, {}), figures);
  return figures;
}

Figures SandboxFigures::TakePeaks() {
  Figures figures;
  if (peaks_.files > 0 || peaks_.threads > 0) ReadLimits();
  AddPeaks(std::exchange(peaks_, {}), figures);
  return figures;
}

bool SandboxFigures::IsOpen(std::string_view request_id) const {
  return std::any_of(open_.begin(), open_.end(),
                     [hash = HashOf(request_id)](const Open& open) { return open.request_id_hash == hash; });
}

std::optional<SandboxFigures::Open> SandboxFigures::Close(std::string_view request_id) {
  const auto found = std::find_if(open_.begin(), open_.end(), [hash = HashOf(request_id)](const Open& open) {
    return open.request_id_hash == hash;
  });
  if (found == open_.end()) return std::nullopt;
  Open open = std::move(*found);
  open_.erase(found);
  return open;
}

UsageReading SandboxFigures::Read() {
  ++counts_.readings;
  UsageReading reading;
  if (reader_.Read("uptime", text_)) reading.uptime = ParseUptime(text_);
  if (reader_.Read("stat", text_)) reading.cpu = ParseCpuTimes(text_);
  if (reader_.Read("net/dev", text_)) reading.network = ParseNetworkBytes(text_);
  return reading;
}

void SandboxFigures::ReadLimits() {
  const auto keep_least = [](std::optional<int64_t>& least, std::optional<int64_t> limit) {
    if (limit.has_value()) least = std::min(least.value_or(*limit), *limit);
  };
  reader_.ForEachProcess([&](int process) {
    const ProcessLimits limits = reader_.Limits(process);
    keep_least(peaks_.most_files, limits.files);
    keep_least(peaks_.most_threads, limits.threads);
  });
}

}  // namespace thaw
