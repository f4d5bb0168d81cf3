#include "cc/logs/out_of_memory.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(OutOfMemoryTest, LinesAsEachRuntimeWritesThem) {
  for (
      const char* text : {
          "fatal error: runtime: out of memory\n\nruntime stack:\n",
          "Java heap space: java.lang.OutOfMemoryError\njava.lang.OutOfMemoryError: Java heap space\n\tat f",
          "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space",
          "<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of "
          "memory",
          "RequestId: 8f5 Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
          "[ERROR] MemoryError\nTraceback (most recent call last):",
          "[ERROR] MemoryError: no room",
          "Traceback (most recent call last):\n  File \"f.py\"\nMemoryError",
          "f.rb:1:in `h': failed to allocate memory (NoMemoryError)",
          "Unhandled exception. System.OutOfMemoryException: Array dimensions exceeded supported range.",
      })
    EXPECT_TRUE(IsOutOfMemoryText(text)) << text;
}

TEST(OutOfMemoryTest, ALineThatMerelyMentionsItDoesNotCount) {
  for (const char* text : {
           "caught MemoryError, retrying",
           "[ERROR] MemoryErrorHandler installed",
           "[ERROR]\t2026-01-02T03:04:05.678Z\t8f5\tfailed\nTraceback (most recent call last):\nMemoryError",
           "what does java.lang.OutOfMemoryError mean?",
           "docs: JavaScript heap out of memory",
           "see: Runtime exited with error: signal: killed",
           "rescue failed to allocate memory (NoMemoryError) handled",
           "wrapped System.OutOfMemoryException",
           "12 MB of memory used",
       })
    EXPECT_FALSE(IsOutOfMemoryText(text)) << text;
}

}  // namespace
}  // namespace thaw
