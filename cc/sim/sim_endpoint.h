// The endpoint of a SimIntake, to which flushers of a simulation send.

#ifndef THAW_CC_SIM_SIM_ENDPOINT_H_
#define THAW_CC_SIM_SIM_ENDPOINT_H_

#include <memory>
#include <string>

#include "cc/flush/api_key_source.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/pipeline_table.h"

namespace thaw {

inline Endpoint SimEndpoint() {
  Endpoint endpoint;
  endpoint.destination.host = "intake.test";
  endpoint.target = std::string(PipelineNamed("traces").path);
  endpoint.api_key = std::make_shared<LiteralApiKey>("key");
  return endpoint;
}

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_ENDPOINT_H_
