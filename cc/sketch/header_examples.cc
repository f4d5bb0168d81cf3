// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include "cc/sketch/agent_sketch.h"
#include "cc/sketch/ddsketch.h"

namespace thaw {
namespace {

void AgentSketchExample(ProtobufWriter& writer) {
#include "cc/sketch/agent_sketch.h.example"
}

void DdsketchExample(ProtobufWriter& writer) {
#include "cc/sketch/ddsketch.h.example"
}

}  // namespace
}  // namespace thaw
