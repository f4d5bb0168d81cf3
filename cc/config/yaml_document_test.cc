#include "cc/config/yaml_document.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

YamlDocument Parsed(std::string_view text) {
  absl::StatusOr<YamlDocument> document = YamlDocument::Parse(text);
  EXPECT_TRUE(document.ok()) << document.status();
  return document.ok() ? *std::move(document) : *YamlDocument::Parse("");
}

std::string Refused(std::string_view text) {
  const absl::StatusOr<YamlDocument> document = YamlDocument::Parse(text);
  EXPECT_EQ(document.status().code(), absl::StatusCode::kInvalidArgument) << text.substr(0, 200);
  return std::string(document.status().message());
}

TEST(YamlDocumentTest, DottedPaths) {
  const YamlDocument document = Parsed(
      "site: datadoghq.eu\n"
      "apm_config:\n"
      "  apm_dd_url: \"https://intake.example\"\n"
      "  deeper: {a: {b: 007}}\n"
      "nothing: ~\n");
  EXPECT_EQ(*document.Text("site"), "datadoghq.eu");
  EXPECT_EQ(*document.Text("apm_config.apm_dd_url"), "https://intake.example");
  EXPECT_EQ(*document.Text("apm_config.deeper.a.b"), "007");
  for (const char* absent : {"nothing", "nothing.below", "sit", "apm_config.x", "apm_config.x.y", ""}) {
    EXPECT_EQ(*document.Text(absent), std::nullopt) << absent;
  }
}

TEST(YamlDocumentTest, AnyTextStaysAsItIsWritten) {
  const YamlDocument document = Parsed("a: yes\nb: 1.10\nc: 'null'\nd: ''\ne: |\n  two\n  lines\n");
  EXPECT_EQ(*document.Text("a"), "yes");
  EXPECT_EQ(*document.Text("b"), "1.10");
  EXPECT_EQ(*document.Text("c"), "null");
  EXPECT_EQ(*document.Text("d"), "");
  EXPECT_EQ(*document.Text("e"), "two\nlines\n");
}

TEST(YamlDocumentTest, ListsAndMapsOfLists) {
  const YamlDocument document = Parsed(
      "no_proxy: [a, .b, '*']\n"
      "one: a,b\n"
      "endpoints:\n"
      "  https://one.example: [k1, k2]\n"
      "  https://two.example:\n"
      "  - k3\n"
      "  https://three.example: k4\n"
      "  https://none.example:\n");
  EXPECT_THAT(*document.List("no_proxy"), ElementsAre("a", ".b", "*"));
  EXPECT_THAT(*document.List("one"), ElementsAre("a,b"));
  EXPECT_THAT(*document.List("absent"), IsEmpty());
  EXPECT_THAT(**document.Lists("endpoints"), ElementsAre(Pair("https://one.example", ElementsAre("k1", "k2")),
                                                         Pair("https://three.example", ElementsAre("k4")),
                                                         Pair("https://two.example", ElementsAre("k3"))));
  EXPECT_EQ(*document.Lists("one"), std::nullopt);
  EXPECT_EQ(*document.Lists("absent"), std::nullopt);
}

TEST(YamlDocumentTest, AValueOfAnotherTypeIsNamedWithItsPlace) {
  const YamlDocument document = Parsed("a:\n  b: [x]\nc: text\nd: [[x]]\ne: {f: {g: h}}\n");
  EXPECT_EQ(document.Text("a").status().message(), "line 2, column 3: a is a map and must be a text");
  EXPECT_EQ(document.Text("a.b").status().message(), "line 2, column 6: a.b is a list and must be a text");
  EXPECT_EQ(document.Text("c.x.y").status().message(), "line 3, column 4: c is a text and must be a map");
  EXPECT_THAT(document.List("a").status().message(), HasSubstr("a is a map and must be a list"));
  EXPECT_THAT(document.List("d").status().message(), HasSubstr("line 4, column 5"));
  EXPECT_THAT(document.Lists("d").status().message(), HasSubstr("d is a list and must be a map"));
  EXPECT_THAT(document.Lists("e").status().message(), HasSubstr("line 5, column 8"));
}

TEST(YamlDocumentTest, NothingIsAnEmptyMap) {
  for (const char* text : {"", "\n", "# only a remark\n", "---\n", "~"}) {
    EXPECT_EQ(*Parsed(text).Text("site"), std::nullopt) << text;
  }
}

TEST(YamlDocumentTest, BrokenTextsAreRefusedWithTheirPlace) {
  EXPECT_THAT(Refused("site: [a\n"), HasSubstr("line 2, column 1: "));
  EXPECT_THAT(Refused("a: b\n c: d\n"), HasSubstr("line 2, column 3: "));
  EXPECT_THAT(Refused("a: \"b"), HasSubstr("line 1, column "));
  EXPECT_THAT(Refused("a: *b\n"), HasSubstr("line 1, column 4: "));
  EXPECT_EQ(Refused("- a\n"), "line 1, column 1: the document is a list and must be a map");
  EXPECT_EQ(Refused("a"), "line 1, column 1: the document is a text and must be a map");
  EXPECT_EQ(Refused("a: 1\nb: 2\na: 3\n"), "line 3, column 1: a key that is in its map already");
  EXPECT_EQ(Refused("? [a]\n: b\n"), "line 1, column 3: a key that is not a text");
}

TEST(YamlDocumentTest, QuotesThatAreNotClosedAreRefusedWhereTheyAreOpened) {
  constexpr const char* kNeverClosed = "quotes that are opened here and never closed";
  constexpr const char* kNotOnTheLine = "quotes that are opened here and not closed on the line";
  EXPECT_THAT(Refused("site: \"datadoghq.eu\n\n"),
              HasSubstr(absl::StrCat("line 1, column 7: ", kNeverClosed)));
  EXPECT_THAT(Refused("a: b\nsite: 'datadoghq.eu\n  \n"),
              HasSubstr(absl::StrCat("line 2, column 7: ", kNeverClosed)));
  for (const char* text :
       {"site: \"datadoghq.eu\napi_key: abc\n", "site: \"datadoghq.eu\nurl: \"https://x\"\n",
        "site: 'datadoghq.eu\nenv: 'prod'\n", "site: \"a\ntags: b\"\n"}) {
    EXPECT_THAT(Refused(text), HasSubstr(absl::StrCat("line 1, column 7: ", kNotOnTheLine))) << text;
  }
  EXPECT_THAT(Refused("proxy:\n  no_proxy:\n  - \"a\n  - b\n"), HasSubstr("line 3, column 5: quotes"));
  EXPECT_THAT(Refused("a: [\"b, c]\nd: e\n"), HasSubstr("line 1, column 5: quotes"));
  EXPECT_THAT(Refused("\"a: b\nc: d\n"), HasSubstr("line 1, column 1: "));
  EXPECT_EQ(*Parsed("a: \"two\n  lines\"\nb: 'it''s'\nc: \"\\\"\"\n").Text("a"), "two lines");
}

TEST(YamlDocumentTest, AKeyWithoutAColonIsRefused) {
  EXPECT_EQ(Refused("api_key: abc\nsite datadoghq.eu\n"), "line 2, column 1: a key without a colon after it");
  EXPECT_EQ(Refused("a:\n  b: c\n  d e\n"), "line 3, column 3: a key without a colon after it");
  EXPECT_THAT(Refused("site datadoghq.eu\napi_key: abc\n"), HasSubstr("line 2, column 8: "));
  EXPECT_THAT(Refused("site:datadoghq.eu\napi_key: abc\n"), HasSubstr("line 2, column 8: "));
  EXPECT_EQ(Refused("api_key: abc\nsite:datadoghq.eu\n"), "line 2, column 1: a key without a colon after it");
  EXPECT_EQ(Refused("? a\nb: c\n"), "line 1, column 3: a key without a colon after it");
  for (const char* text : {"a:\n", "a:\nb:", "a: {b, c: d}\n", "a: &x\nb: c\n", "a:\n  b:\nc:"})
    EXPECT_TRUE(YamlDocument::Parse(text).ok()) << text;
}

TEST(YamlDocumentTest, ATextWithoutQuotesHasOneLine) {
  constexpr const char* kGoesOn = "a text without quotes that goes on in the next line";
  for (const auto& [text, place] : std::initializer_list<std::pair<const char*, const char*>>{
           {"env: prod\n  version 1\n", "line 1, column 6: "},
           {"env: prod\r\n  site datadoghq.eu\r\n", "line 1, column 6: "},
           {"\xef\xbb\xbf"
            "env: prod\n\n  x\n",
            "line 1, column 6: "},
           {"a:\n  b: c\n  tags: team:data\n    key:1\n", "line 3, column 9: "},
           {"tags:\n- a:b\n  -c:d\n", "line 2, column 3: "},
           {"tags: [a:b\n  c:d]\n", "line 1, column 8: "},
           {"env: &anchor !!str\n  pr\n  od\n", "line 1, column 6: "},
       }) {
    EXPECT_THAT(Refused(text), HasSubstr(absl::StrCat(place, kGoesOn))) << text;
  }
  const YamlDocument document = Parsed(
      "\xef\xbb\xbf"
      "a: b  c   # remark\r\nd: >\r\n  two\r\n  lines\r\ne: &x\r\n  f\r\ng: \xc3\xa4 \xe2\x82\xac\r\nh: [1,\n 2]\n");
  EXPECT_EQ(*document.Text("a"), "b  c");
  EXPECT_EQ(*document.Text("d"), "two lines\n");
  EXPECT_EQ(*document.Text("e"), "f");
  EXPECT_EQ(*document.Text("g"), "\xc3\xa4 \xe2\x82\xac");
  EXPECT_THAT(*document.List("h"), ElementsAre("1", "2"));
}

TEST(YamlDocumentTest, AnEntryOfAListHasASpaceAfterItsDash) {
  EXPECT_EQ(Refused("tags:\n  -team:data\n"),
            "line 2, column 3: a dash without a space after it, as where a list is meant");
  EXPECT_THAT(Refused("tags:\n  -team:data\n  -env:prod\n"), HasSubstr("goes on in the next line"));
  EXPECT_EQ(*Parsed("a: -5\nb: \"-c\"\nd:\n- -1\n").Text("a"), "-5");
}

TEST(YamlDocumentTest, TabsAndASecondDocumentAreRefused) {
  EXPECT_THAT(Refused("a: b\n\tc: d\n"), HasSubstr("line 2, column 1: illegal tab"));
  EXPECT_EQ(Refused("a: b\n---\nc: d\n"),
            "line 2, column 1: the text that begins here does not belong to the document");
  EXPECT_THAT(Refused("a: b\n...\nc: d\n"), HasSubstr("line 3, column 1: the text that begins here"));
  EXPECT_TRUE(YamlDocument::Parse("--- # one\na: b\n...\n").ok());
  EXPECT_THAT(Refused(std::string_view("a: b\0c\n", 7)), HasSubstr("line 1, column 5: a NUL character"));
}

TEST(YamlDocumentTest, MergeKeysAreMerged) {
  const YamlDocument document = Parsed(
      "x-defaults: &defaults {site: a, env: b}\n"
      "x-more: &more {env: c, version: d}\n"
      "one: {<<: *defaults, env: e}\n"
      "two:\n  <<: [*defaults, *more]\n"
      "three: {env: e, <<: {env: f, service: g}}\n"
      "four: {\"<<\": h}\n");
  EXPECT_EQ(*document.Text("one.site"), "a");
  EXPECT_EQ(*document.Text("one.env"), "e") << "the map's own key wins";
  EXPECT_EQ(*document.Text("two.env"), "b") << "the first map wins";
  EXPECT_EQ(*document.Text("two.version"), "d");
  EXPECT_EQ(*document.Text("three.env"), "e");
  EXPECT_EQ(*document.Text("three.service"), "g");
  EXPECT_EQ(*document.Text("four.<<"), "h") << "in quotes it is a key like others";
  EXPECT_EQ(Refused("a: {<<: b}\n"), "line 1, column 9: the merge key << needs a map or a list of maps");
  EXPECT_EQ(Refused("a: {<<: [{b: c}, d]}\n"),
            "line 1, column 9: the merge key << needs a map or a list of maps");
}

TEST(YamlDocumentTest, MergeKeysFillNoMemory) {
  std::string text = "x-a: &a {";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, i == 0 ? "" : ",", "k", i, ": v");
  absl::StrAppend(&text, "}\n");
  for (int i = 0; i < 10'000; ++i) absl::StrAppend(&text, "m", i, ": {<<: *a}\n");
  EXPECT_THAT(Refused(text), HasSubstr("merge keys copy too many keys"));
}

TEST(YamlDocumentTest, ErrorsShowNothingOfTheDocument) {
  EXPECT_FALSE(absl::StrContains(Refused("a: *secret\n"), "secret"));
  EXPECT_FALSE(absl::StrContains(Refused("secret: 1\nsecret: 2\n"), "secret"));
  EXPECT_FALSE(absl::StrContains(Refused("%YAML secret\n---\na: b\n"), "secret"));
}

TEST(YamlDocumentTest, NestingIsBounded) {
  const auto nested = [](int depth) {
    // The document itself is one level.
    return absl::StrCat("a: ", std::string(depth - 1, '['), std::string(depth - 1, ']'));
  };
  EXPECT_TRUE(YamlDocument::Parse(nested(YamlDocument::kMaxDepth)).ok());
  EXPECT_THAT(Refused(nested(YamlDocument::kMaxDepth + 1)), HasSubstr("nested more than 64 deep"));
  for (const char* level : {"[", "{", "- ", "? ", "a: {", "[a: "}) {
    std::string text;
    while (text.size() < YamlDocument::kMaxBytes - 8) text += level;
    EXPECT_THAT(Refused(text), HasSubstr("line 1, column ")) << level;
  }
}

TEST(YamlDocumentTest, SizeIsBounded) {
  std::string text(YamlDocument::kMaxBytes, '#');
  EXPECT_TRUE(YamlDocument::Parse(text).ok());
  EXPECT_EQ(Refused(text + "#"), "it has 1048577 bytes, more than 1048576");
}

TEST(YamlDocumentTest, AliasesAreTheValueTheyName) {
  const YamlDocument document = Parsed("a: &x [k]\nb: {c: *x, d: &y z}\ne: *y\n*y : key\n");
  EXPECT_THAT(*document.List("b.c"), ElementsAre("k"));
  EXPECT_EQ(*document.Text("e"), "z");
  EXPECT_EQ(*document.Text("z"), "key");
}

TEST(YamlDocumentTest, AnAliasWithinItsOwnValueIsRefused) {
  EXPECT_THAT(Refused("a: &x [*x]\n"), HasSubstr("line 1, column 8: an alias stands within"));
  EXPECT_THAT(Refused("&x a: &y\n  b: {c: *y}\n"), HasSubstr("line 2, column 10: an alias stands within"));
}

TEST(YamlDocumentTest, ListsAndMapsAsJson) {
  const YamlDocument document =
      Parsed("rules:\n  - {name: '*', pattern: \"a\\\"b\"}\n  - ~\ntext: '[1]'\nnone: ~\n");
  EXPECT_EQ(*document.Json("rules"), R"([{"name":"*","pattern":"a\"b"},null])");
  EXPECT_EQ(*document.Json("text"), "[1]") << "it is JSON as it stands";
  EXPECT_EQ(*document.Json("none"), std::nullopt);
  EXPECT_EQ(*document.Json("absent"), std::nullopt);
}

TEST(YamlDocumentTest, AliasesOfAliasesFillNoMemory) {
  // Written out, the last one would have 10^60 items.
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i <= 60; ++i) {
    absl::StrAppend(&text, "a", i, ": &a", i, " [");
    for (int n = 0; n < 10; ++n) absl::StrAppend(&text, n == 0 ? "" : ",", "*a", i - 1);
    absl::StrAppend(&text, "]\n");
  }
  EXPECT_THAT(Parsed(text).List("a60").status().message(), HasSubstr("must be a text"));
  EXPECT_THAT(Parsed(text).Json("a60").status().message(), HasSubstr("too long"));

  // Written out, these lists would have 10^8 texts.
  text = "a: &a [x";
  for (int i = 1; i < 10'000; ++i) absl::StrAppend(&text, ",x");
  absl::StrAppend(&text, "]\nb:\n");
  for (int i = 0; i < 10'000; ++i) absl::StrAppend(&text, "  k", i, ": *a\n");
  EXPECT_THAT(Parsed(text).Lists("b").status().message(), HasSubstr("too long"));
}

TEST(YamlDocumentTest, LinesOfValues) {
  const YamlDocument document = *YamlDocument::Parse("a: 1\n\nb:\n  c: 2\nd: &x 3\ne: *x\nf:\n");
  EXPECT_EQ(document.Line("a"), 1);
  EXPECT_EQ(document.Line("b.c"), 4);
  EXPECT_EQ(document.Line("e"), 5) << "an alias leads to the value that it names";
  EXPECT_EQ(document.Line("f"), 0) << "null";
  EXPECT_EQ(document.Line("g"), 0);
  EXPECT_EQ(document.Line("a.b"), 0) << "a text is on the way";
}

}  // namespace
}  // namespace thaw
