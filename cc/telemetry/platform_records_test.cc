#include "cc/telemetry/platform_records.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace thaw {
namespace {

// Reads any form of RFC 3339.
std::optional<absl::Time> ReadByAbsl(std::string_view text) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return std::nullopt;
  return time;
}

TEST(ParseTelemetryTime, EveryFormIsReadAsAbslReadsIt) {
  for (const std::string_view text : {"2026-01-02T03:04:05.678Z",
                                      "1970-01-01T00:00:00.000Z",
                                      "1969-12-31T23:59:59.999Z",
                                      "0001-01-01T00:00:00.001Z",
                                      "0000-01-01T00:00:00.000Z",
                                      "9999-12-31T23:59:59.999Z",
                                      "2026-01-02T03:04:60.678Z",
                                      "2026-01-02T03:04:61.678Z",
                                      "2026-01-02T03:60:05.678Z",
                                      "2026-01-02T24:00:00.000Z",
                                      "2026-13-02T03:04:05.678Z",
                                      "2026-00-02T03:04:05.678Z",
                                      "2026-04-31T03:04:05.678Z",
                                      "2026-01-00T03:04:05.678Z",
                                      "2026-01-32T03:04:05.678Z",
                                      "2026-01-02t03:04:05.678z",
                                      "2026-01-02 03:04:05.678Z",
                                      "2026-01-02T03:04:05.67Z",
                                      "2026-01-02T03:04:05Z",
                                      "2026-01-02T03:04:05.678901Z",
                                      "2026-01-02T03:04:05.678+01:00",
                                      "2026-01-02T03:04:05.+78Z",
                                      "2026-01-02T03:04:-5.678Z",
                                      "-026-01-02T03:04:05.678Z",
                                      "+026-01-02T03:04:05.678Z",
                                      "2026-01-02T03:04:05.678",
                                      " 2026-01-02T03:04:05.678Z",
                                      "2026-01-02T03:04:05.678ZZ",
                                      "2026/01/02T03:04:05.678Z",
                                      "2026-01-02T03:04:05,678Z",
                                      "",
                                      "now",
                                      "infinite-future",
                                      "infinite-past"}) {
    EXPECT_EQ(ParseTelemetryTime(text), ReadByAbsl(text)) << text;
  }
}

TEST(ParseTelemetryTime, EveryDayOfFourCenturiesIsReadAsAbslReadsIt) {
  for (int year = 1900; year < 2300; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (const int day : {1, 28, 29, 30, 31}) {
        const std::string text =
            absl::StrFormat("%04d-%02d-%02dT23:00:59.%03dZ", year, month, day, year % 1000);
        ASSERT_EQ(ParseTelemetryTime(text), ReadByAbsl(text)) << text;
      }
    }
  }
}

TEST(ParseTelemetryTime, ByteThatIsNotADigitIsNeverReadAsOne) {
  const std::string text = "2026-01-02T03:04:05.678Z";
  for (size_t at = 0; at < text.size(); ++at) {
    for (const char byte : {'/', ':', ' ', '-', 'Z', '\0', '\xb2', '9'}) {
      std::string changed = text;
      changed[at] = byte;
      EXPECT_EQ(ParseTelemetryTime(changed), ReadByAbsl(changed)) << changed;
    }
  }
}

}  // namespace
}  // namespace thaw
