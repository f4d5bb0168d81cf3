#include "cc/net/io/system_random.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <vector>

#include "cc/net/testing/refused_calls.h"
#include "gtest/gtest.h"
#include "openssl/rand.h"

namespace thaw {
namespace {

// Exit statuses of the child.
constexpr int kWell = 0;
constexpr int kEqualSeeds = 1;
constexpr int kNoRandom = 2;

int Draw() {
  std::set<uint64_t> seeds;
  for (int i = 0; i < 100; ++i) seeds.insert(DrawSeed());
  return seeds.size() == 100 ? kWell : kEqualSeeds;
}

// Draws keys as TLS does.
int DrawKeys() {
  if (!CheckSystemRandom().ok()) return kNoRandom;
  uint8_t keys[64];
  return RAND_bytes(keys, sizeof(keys)) == 1 ? kWell : kNoRandom;
}

const std::vector<RefusedCall> kNoDevice = {
    {SYS_openat, EACCES},
#ifdef SYS_open
    {SYS_open, EACCES},
#endif
};

TEST(SystemRandom, SeedsDiffer) {
  EXPECT_EQ(Draw(), kWell);
  EXPECT_TRUE(CheckSystemRandom().ok());
}

TEST(SystemRandom, ARefusedCallIsReplacedByTheDevice) {
  for (const int error : {EPERM, ENOSYS, EACCES, EINVAL}) {
    const ChildExit seeds = WithRefusedCalls({{SYS_getrandom, error}}, Draw);
    if (!seeds.filtered) GTEST_SKIP() << "no filters of calls on this machine";
    EXPECT_EQ(seeds.status, kWell) << error;
    EXPECT_EQ(WithRefusedCalls({{SYS_getrandom, error}}, DrawKeys).status, kWell) << error;
  }
}

TEST(SystemRandom, WithoutEitherSeedsDifferAndKeysAreAnError) {
  std::vector<RefusedCall> refused = kNoDevice;
  refused.push_back({SYS_getrandom, EPERM});
  const ChildExit seeds = WithRefusedCalls(refused, Draw);
  if (!seeds.filtered) GTEST_SKIP() << "no filters of calls on this machine";
  EXPECT_EQ(seeds.status, kWell);
  EXPECT_EQ(WithRefusedCalls(refused, DrawKeys).status, kNoRandom);
}

}  // namespace
}  // namespace thaw
