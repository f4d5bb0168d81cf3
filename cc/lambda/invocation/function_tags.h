// The tags that describe the function, on each of its spans, log lines and metrics.
//
//   const FunctionTags tags(facts);
//   tags.Text();  // "account_id:123,…,version:1", for `_dd.tags.function` and ddtags
//
// Sorted by name, so that two sandboxes of a function encode them to the same bytes.

#ifndef THAW_CC_LAMBDA_INVOCATION_FUNCTION_TAGS_H_
#define THAW_CC_LAMBDA_INVOCATION_FUNCTION_TAGS_H_

#include <map>
#include <string>
#include <string_view>

namespace thaw {

// Known facts about the function. Empty: unknown or not set.
struct FunctionFacts {
  std::string region;               // AWS_REGION, AWS_DEFAULT_REGION
  std::string account_id;           // from the registration
  std::string name;                 // AWS_LAMBDA_FUNCTION_NAME
  std::string version;              // AWS_LAMBDA_FUNCTION_VERSION
  std::string memory_size;          // AWS_LAMBDA_FUNCTION_MEMORY_SIZE
  std::string initialization_type;  // AWS_LAMBDA_INITIALIZATION_TYPE
  std::string runtime;              // AWS_EXECUTION_ENV, if the extension has it
  std::string env;                  // DD_ENV
  std::string service;              // DD_SERVICE
  std::string service_version;      // DD_VERSION
  std::string tags;                 // DD_TAGS (cc/config/tag_list.h)
  std::string extension_version;
};

// Returns "aws", "aws-us-gov" or "aws-cn".
std::string_view AwsPartition(std::string_view region);

// Returns arn:<partition>:lambda:<region>:<account>:function:<name>, in lower case and without a version. An
// unknown account is "none".
std::string FunctionArn(const FunctionFacts& facts);

// Returns the runtime's identifier, "python3.13", from AWS_EXECUTION_ENV ("AWS_Lambda_python3.13") or
// platform.initStart's runtimeVersion ("python:3.13.v22", "nodejs:22.v40", "provided:al2023.v90"); empty for
// any other text.
// Source: AWS's lists of runtimes and of runtime versions.
std::string RuntimeName(std::string_view text);

// Returns this program's target in Lambda's terms: "arm64" or "x86_64".
std::string_view Architecture();

class FunctionTags {
 public:
  using Map = std::map<std::string, std::string>;

  explicit FunctionTags(const FunctionFacts& facts);

  const Map& map() const { return map_; }
  // Returns name:value pairs with commas between them.
  std::string Text() const;

 private:
  Map map_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_FUNCTION_TAGS_H_
