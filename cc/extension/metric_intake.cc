#include "cc/extension/metric_intake.h"

#include <utility>

namespace thaw {

MetricIntake::MetricIntake(MetricIntakeOptions options, Clock& clock, Pipelines& pipelines)
    : clock_(clock), pipelines_(pipelines), facts_(std::move(options.facts)) {}

void MetricIntake::Add(const MetricSample&) { ++counts_.samples; }

void MetricIntake::Own::Add(const MetricSample&) { ++intake_.counts_.own_samples; }

void MetricIntake::HandOver(bool) {}

}  // namespace thaw
