// The encodings in which tracers send traces.

#ifndef THAW_CC_TRACE_TRACE_FORMAT_H_
#define THAW_CC_TRACE_TRACE_FORMAT_H_

namespace thaw {

enum class TraceFormat {
  kV04,  // MessagePack: traces of span maps
  kV05,  // MessagePack: a table of strings, and traces of spans that refer to it
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_FORMAT_H_
