// Strings that live for one step of work. They are taken one by one and given back all at once; their memory
// is kept for the next step.
//
//   std::string& repaired = scratch.Take();   // empty; its address does not change
//   ...
//   scratch.Reset();                          // no string that was taken may be used after this

#ifndef THAW_CC_BASE_SCRATCH_TEXT_H_
#define THAW_CC_BASE_SCRATCH_TEXT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace thaw {

class ScratchText {
 public:
  ScratchText() = default;
  ScratchText(const ScratchText&) = delete;
  ScratchText& operator=(const ScratchText&) = delete;

  std::string& Take() {
    if (taken_ == strings_.size()) strings_.push_back(std::make_unique<std::string>());
    return *strings_[taken_++];
  }
  size_t taken() const { return taken_; }
  void Reset() {
    for (size_t i = 0; i < taken_; ++i) {
      strings_[i]->clear();
      // Memory that one unusual step needed is not kept.
      if (strings_[i]->capacity() > kKeptBytes) strings_[i]->shrink_to_fit();
    }
    if (taken_ > kKeptStrings) strings_.resize(kKeptStrings);
    taken_ = 0;
  }

 private:
  static constexpr size_t kKeptStrings = 64;
  static constexpr size_t kKeptBytes = 4096;

  std::vector<std::unique_ptr<std::string>> strings_;
  size_t taken_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_SCRATCH_TEXT_H_
