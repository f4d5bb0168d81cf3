"""Each rule is shown a tree that keeps it and a tree that breaks it."""

import pytest

from tools import (
    count_rules,
    cpp_code,
    document_rules,
    house_rules,
    length_rules,
    python_import_rules,
    room_rules,
    third_party_rules,
)
from tools.problem import Problem

RETRY = "enum class RetryClass {\n  kStale,  // kept\n  kUnsent,\n};\n"
PICTURE = (
    "```mermaid\n"
    '  a["cc/a<br/>one"]\n  b["cc/b<br/>two"]\n  c[cc/c]\n  x["python/bindings"]\n  y["python/thaw"]\n\n'
    "  a --> b --> c\n  b --> x --> y\n"
    "```\n"
)
INCLUDES = {
    "cc/b/b.h": '#include "cc/a/a.h"\n',
    "cc/c/d/c.cc": '#include "cc/a/a.h"\n#include "cc/b/b.h"\n#include "cc/c/c.h"\n',
    "python/bindings/x.cc": '#include "cc/b/b.h"\n#include "python/bindings/x.h"\n',
    "cc/a/a_test.cc": '#include "cc/b/b.h"\n',
}
GROUPS = """package_group(
    name = "users_of_a",
    includes = [":users_of_b"],
    packages = ["//cc/a/..."],
)

package_group(
    name = "users_of_b",
    includes = [":users_of_c"],
    packages = [
        "//cc/b/...",
        "//python/bindings/...",
        "//tools/load/...",
    ],
)

package_group(
    name = "users_of_c",
    packages = ["//cc/c/..."],
)
"""
COUNTS = """// X(name, what it counts)
#define THAW_EGG_COUNTS(X)       \\
  X(broken, "eggs broken, X(all, ") \\
  X(eaten, "eggs eaten")
struct Other { int sold; };
"""
HISTOGRAMS = """\
#define THAW_OVEN_HISTOGRAMS(X) \\
  X(baking, "time in the oven") \\
  X(cooling, "time on the sill")
"""
REASONS = '#define THAW_DROP_REASONS(X) X(kRotten, rotten, "smelled") X(kCracked, cracked, "leaked")\n'
GUARDED = "#ifndef THAW_CC_NET_POOL_H_\n#define THAW_CC_NET_POOL_H_\n#endif\n"


def found(rule: str, tree: dict[str, str]) -> list[tuple[str, int]]:
    (check,) = (each for each in house_rules.RULES if each.__name__ == rule)
    return [(problem.path, problem.line) for problem in check(tree)]


@pytest.mark.parametrize(
    ("rule", "tree"),
    [
        (
            "examples_compile",
            {
                "cc/net/a.h": "// Does.\n//\n//   Do();\n",
                "cc/net/io/b.h": "// Does.\n//\n//   Do();\n//\n// Then:\n//\n//   Again();\n",
                "cc/net/c.h": "// Has a table.\n//\n//   one    two\n",
                "cc/net/header_examples.cc": '#include "cc/net/a.h.example"\n'
                '#include "cc/net/io/b.h.example"\n'
                '#include "cc/net/io/b.h.2.example"\n',
                "cc/net/BUILD.bazel": "\nthaw_header_examples(\n)\n",
            },
        ),
        ("room_order", {"cc/flush/outbox.cc": '#include "cc/net/client.h"\n#include "cc/flush/outbox.h"\n'}),
        ("room_order", {"cc/sim/world.cc": '#include "cc/flush/trace_flusher.h"\n'}),
        ("room_order", {"cc/net/pool_test.cc": '#include "cc/sim/world.h"\n'}),
        ("environment_in_config", {"cc/config/environment.cc": "auto v = std::getenv(name);\n"}),
        ("environment_in_config", {"cc/net/a.cc": '// getenv is elsewhere\nLog("getenv");\n'}),
        ("clocks_in_clock", {"cc/clock/system_clock.cc": "std::chrono::steady_clock::now();\n"}),
        ("clocks_in_clock", {"cc/net/a.cc": '#include "cc/clock/system_clock.h"\nx.time(0);\nuptime(0);\n'}),
        (
            "randomness_is_injected",
            {"cc/net/a.cc": "SeededRandom& random();\nf = random_();\n"},
        ),
        ("randomness_is_injected", {"cc/net/a_test.cc": "std::mt19937_64 random(seed);\n"}),
        ("randomness_is_injected", {"cc/net/io/system_random.cc": "getrandom(&seed, 8, 0);\n"}),
        ("no_exceptions", {"cc/config/yaml_document.cc": "try { f(); } catch (const E& e) {}\n"}),
        ("no_exceptions", {"cc/net/a.cc": 'x.TryRead(into);\nLog("cannot catch (it)");\n'}),
        *(
            ("awaits_stand_alone", {"cc/net/a.cc": text})
            for text in (
                "auto operator co_await() && noexcept {\n",
                "void F() {\n  if (a && b) co_await F(x);\n  c = a ? b : c;\n  co_await G();\n}\n",
                "if (Status s = co_await F(); a || b) co_return;\n",
                "auto&& x = co_await F(Foo{.a = 1}, Move<T&&>(y));\nreturn a && b;\n",
                "if (x) {\n} else if (a && b) {\n  co_return co_await F();\n}\n",
                "const auto done = [&x](int i) { return i && x; };\nco_await F(done, values[i]);\n",
                "// a ? co_await b : c\nSpawn(loop, [] { return a ? b : c; });\nco_await F();\n",
            )
        ),
        ("files_by_the_reader", {"cc/base/read_file.cc": "open(path, O_RDONLY);\n"}),
        ("files_by_the_reader", {"cc/net/a.cc": "pool.open(key);\nbool open() const;\nis_open();\n"}),
        ("files_by_the_reader", {"cc/net/a_test.cc": "std::ofstream(path) << text;\n"}),
        (
            "encoders_ask_for_memory",
            {"cc/flush/a_flusher.cc": "Status A::Encode(Held h) { return Reserve(body, 9); }\n"},
        ),
        (
            "encoders_ask_for_memory",
            {"cc/flush/pipeline_flusher.cc": "Task<void> PipelineFlusher::Flush() {}\n"},
        ),
        ("socket_libraries", {"cc/net/a.cc": "#include <boost/asio/post.hpp>\n"}),
        ("socket_libraries", {"cc/net/tls/context_internal.h": "#include <openssl/ssl.h>\n"}),
        ("socket_libraries", {"cc/config/a.cc": "#include <boost/json.hpp>\n"}),
        ("no_sleep_in_tests", {"cc/clock/sleep_test.cc": "co_await Sleep(clock, d);\n"}),
        ("no_sleep_in_tests", {"cc/net/load_benchmark.cc": "absl::SleepFor(d);\n"}),
        ("header_guards", {"cc/net/pool.h": "// A pool.\n" + GUARDED}),
        ("tests_beside", {"cc/net/pool.cc": "", "cc/net/pool_test.cc": ""}),
        ("tests_beside", {"cc/net/pool.cc": "", "cc/net/other_test.cc": '#include "cc/net/pool.h"\n'}),
        ("portable", {"docs/a.md": "from PyPI, into /tmp or ~/.cache, /usr/bin; a/work/tree\n"}),
        ("finished", {"cc/net/a.cc": "TodoList todo;\n"}),
        (
            "picture_of_rooms",
            {"docs/design.md": "```mermaid\na[cc/net]\n```\n", "cc/net/a.cc": "", "cc/BUILD": ""},
        ),
        ("picture_of_arrows", {"docs/design.md": PICTURE, **INCLUDES}),
        (
            "visibility_of_rooms",
            {
                "docs/design.md": PICTURE,
                "cc/BUILD.bazel": GROUPS,
                "cc/a/BUILD.bazel": 'package(default_visibility = ["//cc:users_of_a"])\n',
                "cc/b/e/BUILD.bazel": (
                    'package(default_visibility = [\n    "//cc:users_of_b",\n    "//cc/a:__pkg__",\n])\n'
                ),
            },
        ),
        (
            "links",
            {
                "docs/a.md": "[b](b.md#part), [c](../cc/), [w](https://x.org/y), [p](#p)",
                "docs/b.md": "",
                "cc/d/e": "",
            },
        ),
        (
            "paths_in_documents",
            {
                "docs/a.md": "`cc/net`, `cc/net/...`, `cc/net/pool.h`, `tools/NAME`, `cc/b c`, `x/y`, cc/no",
                "cc/net/pool.h": "",
            },
        ),
        (
            "retry_table",
            {"cc/net/exchange_failure.h": RETRY, "docs/design.md": "| `kUnsent` | a |\n| `kStale` | b |\n"},
        ),
        *(
            (
                "counts_are_counted",
                {"cc/net/eggs.h": COUNTS, "cc/net/tls/a.cc": f"++counts_.broken;\n{raised}\n"},
            )
            for raised in (
                "++(fried ? counts_.eaten : counts_.broken);",
                "counts.eaten += n;",
                "counts_.eaten++;",
                "counts_.eaten = report.eaten;",
                "Eat(egg, &EggCounts::eaten);",
                "Eat(egg, counts().eaten);",
            )
        ),
        (
            "counts_are_counted",
            {
                "cc/net/eggs.h": REASONS,
                "cc/net/a.cc": "Drop(DropReason::kRotten); Drop(DropReason::kCracked);\n",
            },
        ),
        (
            "histograms_are_recorded",
            {
                "cc/net/ovens.h": HISTOGRAMS,
                "cc/net/a.cc": "times_.baking.Record(t);\nx->cooling.Record(t);\n",
            },
        ),
        (
            "lock_is_current",
            {
                "third_party/requirements.in": "pytest-xdist==3.8.0\ntypes-requests\n",
                "third_party/requirements.lock": "pytest_xdist==3.8.0 --hash=x\ntypes-requests==2 --hash=y\n",
            },
        ),
    ],
)
def test_a_tree_that_keeps_the_rule_passes(rule: str, tree: dict[str, str]) -> None:
    assert found(rule, tree) == []


@pytest.mark.parametrize(
    ("rule", "tree", "where"),
    [
        ("room_order", {"cc/net/a.cc": '\n#include "cc/flush/outbox.h"\n'}, ("cc/net/a.cc", 2)),
        ("room_order", {"cc/net/tls/a.h": '#include "cc/config/config.h"\n'}, ("cc/net/tls/a.h", 1)),
        ("room_order", {"cc/flush/a.cc": '#include "cc/sim/world.h"\n'}, ("cc/flush/a.cc", 1)),
        ("room_order", {"cc/sim/a.cc": '#include "cc/agent/listener.h"\n'}, ("cc/sim/a.cc", 1)),
        ("room_order", {"cc/cellar/a.cc": ""}, ("cc/cellar/a.cc", 1)),
        ("environment_in_config", {"cc/net/a.cc": "/* a\n*/ f(std::getenv(n));\n"}, ("cc/net/a.cc", 2)),
        (
            "environment_in_config",
            {"python/bindings/a.cc": "extern char** environ;\n"},
            ("python/bindings/a.cc", 1),
        ),
        ("clocks_in_clock", {"cc/net/a.cc": "auto t = absl::Now();\n"}, ("cc/net/a.cc", 1)),
        ("clocks_in_clock", {"cc/net/a.cc": "std::chrono::system_clock::now();\n"}, ("cc/net/a.cc", 1)),
        ("clocks_in_clock", {"cc/net/a.cc": "int i;\nauto t = time(nullptr);\n"}, ("cc/net/a.cc", 2)),
        ("randomness_is_injected", {"cc/net/a.cc": "\nabsl::BitGen gen;\n"}, ("cc/net/a.cc", 2)),
        ("randomness_is_injected", {"cc/net/a.cc": "int i = rand();\n"}, ("cc/net/a.cc", 1)),
        ("randomness_is_injected", {"cc/flush/a.cc": "RAND_bytes(p, 8);\n"}, ("cc/flush/a.cc", 1)),
        ("randomness_is_injected", {"cc/net/a.cc": "std::mt19937_64 g;\n"}, ("cc/net/a.cc", 1)),
        ("no_exceptions", {"cc/net/a.cc": "\nthrow std::runtime_error(t);\n"}, ("cc/net/a.cc", 2)),
        ("no_exceptions", {"cc/net/a.h": "try {\n"}, ("cc/net/a.h", 1)),
        *(
            ("awaits_stand_alone", {"cc/net/a.cc": f"\n{text};\n"}, ("cc/net/a.cc", line))
            for text, line in (
                ("const Status s = began ? co_await F(Move(x)) : G()", 2),
                ("const Status s =\n    began ? F()\n          : co_await G(Move(x))", 4),
                ("all = co_await F() && all", 2),
                ("co_return all || co_await F()", 2),
                ("if (a && co_await F()) G()", 2),
                ("while (!(co_await F()).ok() ||\n       b) G()", 2),
                ("co_await F(a ? Text(b) : Text(c))", 2),
                ("co_await F(Foo{.a = a ? b : c}, [] { return 1; })", 2),
                ("co_await F([text](int i) { G(i); })", 2),
                ("CO_ASSIGN(x, co_await F([&, text] { G(); }))", 2),
                ("H([text] { G(); }, co_await F())", 2),
            )
        ),
        (
            "awaits_stand_alone",
            {"python/bindings/a.cc": "co_await (a ? F() : G());\n"},
            ("python/bindings/a.cc", 1),
        ),
        ("files_by_the_reader", {"cc/net/a.cc": "std::ifstream file(path);\n"}, ("cc/net/a.cc", 1)),
        ("files_by_the_reader", {"cc/net/a.cc": '\nstd::fopen(path, "re");\n'}, ("cc/net/a.cc", 2)),
        ("files_by_the_reader", {"cc/net/a.cc": "int fd = ::open(path, O_RDONLY);\n"}, ("cc/net/a.cc", 1)),
        (
            "encoders_ask_for_memory",
            {"cc/flush/a_flusher.cc": "\nabsl::Status AEncoding::Encode(Held held) { body.append(a); }\n"},
            ("cc/flush/a_flusher.cc", 2),
        ),
        (
            "encoders_ask_for_memory",
            {"cc/flush/a_flusher.cc": "Status A::EncodeAs(Held h) { b = h; }  // Reserve(b)\n"},
            ("cc/flush/a_flusher.cc", 1),
        ),
        ("socket_libraries", {"cc/net/a.h": "#include <openssl/ssl.h>\n"}, ("cc/net/a.h", 1)),
        ("socket_libraries", {"cc/flush/a.cc": "#include <boost/asio.hpp>\n"}, ("cc/flush/a.cc", 1)),
        ("no_sleep_in_tests", {"cc/net/a_test.cc": "absl::SleepFor(d);\n"}, ("cc/net/a_test.cc", 1)),
        (
            "no_sleep_in_tests",
            {"cc/net/a_test.cc": "std::this_thread::sleep_for(d);\n"},
            ("cc/net/a_test.cc", 1),
        ),
        ("header_guards", {"cc/net/idle.h": GUARDED}, ("cc/net/idle.h", 1)),
        ("header_guards", {"cc/net/pool.h": "#pragma once\n"}, ("cc/net/pool.h", 1)),
        ("tests_beside", {"cc/net/pool.cc": ""}, ("cc/net/pool.cc", 1)),
        (
            "examples_compile",
            {
                "cc/net/io/a.h": "// Does.\n//\n//   Do();\n//\n// Then:\n//\n//   Again();\n",
                "cc/net/header_examples.cc": '#include "cc/net/io/a.h.example"\n',
                "cc/net/BUILD.bazel": "\nthaw_header_examples(\n)\n",
            },
            ("cc/net/io/a.h", 7),
        ),
        (
            "examples_compile",
            {
                "cc/net/a.h": "// Does.\n//\n//   Do();\n",
                "cc/net/header_examples.cc": '#include "cc/net/a.h.example"\n',
                "cc/net/BUILD.bazel": "",
            },
            ("cc/net/BUILD.bazel", 1),
        ),
        ("portable", {"docs/a.md": "cd /" + "home/me/thaw\n"}, ("docs/a.md", 1)),
        ("portable", {"a.bzl": "\nurl = 'https://files.python" + "hosted.org/x'\n"}, ("a.bzl", 2)),
        ("finished", {"cc/net/a.cc": "x;\n// TO" + "DO: more\n"}, ("cc/net/a.cc", 2)),
        ("picture_of_rooms", {"docs/design.md": ""}, ("docs/design.md", 1)),
        (
            "picture_of_rooms",
            {"docs/design.md": "\n```mermaid\na[cc/net]\n```\n", "cc/net/a.cc": "", "cc/flush/a.cc": ""},
            ("docs/design.md", 2),
        ),
        ("picture_of_rooms", {"docs/design.md": "```mermaid\na[cc/net]\n```\n"}, ("docs/design.md", 1)),
        *(
            ("picture_of_arrows", {"docs/design.md": picture, **INCLUDES, **more}, ("docs/design.md", 1))
            for picture, more in (
                # An include without its arrow, an arrow without an include, one that others say already.
                (PICTURE.replace("b --> c", "b"), {}),
                (PICTURE.replace("a --> b --> c", "a --> b --> c\n  x --> c"), {}),
                (PICTURE.replace("a --> b --> c", "a --> b --> c\n  a --> c"), {}),
                (PICTURE, {"cc/c/c.h": '#include "cc/d/d.h"\n'}),
            )
        ),
        *(
            (
                "visibility_of_rooms",
                {"docs/design.md": PICTURE, "cc/BUILD.bazel": groups},
                ("cc/BUILD.bazel", 1),
            )
            for groups in (
                GROUPS.replace('    includes = [":users_of_c"],\n', ""),
                GROUPS.replace('        "//python/bindings/...",\n', ""),
                GROUPS.replace('["//cc/c/..."]', '["//cc/c/...", "//cc/a/..."]'),
                GROUPS.replace('["//cc/c/..."]', '["//cc/c/...", "//python/bindings/..."]'),
            )
        ),
        *(
            (
                "visibility_of_rooms",
                {
                    "docs/design.md": PICTURE,
                    "cc/BUILD.bazel": GROUPS,
                    path: f'package(default_visibility = ["{default}"])\n',
                },
                (path, 1),
            )
            for path, default in (
                ("cc/a/BUILD.bazel", "//visibility:public"),
                ("cc/b/e/BUILD.bazel", "//cc:users_of_a"),
                ("cc/d/BUILD.bazel", "//cc:users_of_d"),
            )
        ),
        (
            "retry_table",
            {"cc/net/exchange_failure.h": RETRY, "docs/design.md": "| `kUnsent` | a |\n"},
            ("docs/design.md", 1),
        ),
        *(
            (
                "counts_are_counted",
                {"cc/net/eggs.h": COUNTS, "cc/net/a.cc": "++counts_.broken;\n", **elsewhere},
                ("cc/net/eggs.h", 4),
            )
            for elsewhere in (
                {},
                # Code that only reads it, a comment, a test and another room raise nothing.
                {"cc/net/b.cc": "if (counts_.eaten == 1) Log(copy.eaten);  // ++counts_.eaten;\n"},
                {"cc/net/b_test.cc": "++counts_.eaten;\n"},
                {"cc/flush/b.cc": "++counts_.eaten;\n"},
            )
        ),
        (
            "counts_are_counted",
            {"cc/net/eggs.h": REASONS, "cc/net/a.cc": "Drop(DropReason::kRotten);\n"},
            ("cc/net/eggs.h", 1),
        ),
        *(
            (
                "histograms_are_recorded",
                {"cc/net/ovens.h": HISTOGRAMS, "cc/net/a.cc": "times_.baking.Record(t);\n", **elsewhere},
                ("cc/net/ovens.h", 3),
            )
            for elsewhere in (
                {},
                {"cc/net/b_test.cc": "times_.cooling.Record(t);\n"},
                {"cc/flush/b.cc": "times_.cooling.Record(t);  // another room\n"},
            )
        ),
        ("links", {"docs/a.md": "x\n[b](b.md)\n", "b.md": ""}, ("docs/a.md", 2)),
        ("paths_in_documents", {"docs/a.md": "x\n`cc/a.h`\n", "cc/a.hh": "", "cc/a/h": ""}, ("docs/a.md", 2)),
        ("paths_in_documents", {"docs/a.md": "x\n`cc/net/`\n", "cc/nets/a.h": ""}, ("docs/a.md", 2)),
        (
            "lock_is_current",
            {
                "third_party/requirements.in": "a==1\nb==2\n",
                "third_party/requirements.lock": "a==1 --hash=x\nb==1 --hash=y\n",
            },
            ("third_party/requirements.in", 2),
        ),
    ],
)
def test_a_breach_of_the_rule_is_found_at_its_place(
    rule: str, tree: dict[str, str], where: tuple[str, int]
) -> None:
    assert found(rule, tree) == [where]


def test_blanking_keeps_the_lines() -> None:
    code = 'a; // getenv\nb("x\\"//"); /* 1\n2 */ c(R"x(\n// )x"); d;\n'
    blank = cpp_code.code_only(code)
    assert blank.count("\n") == code.count("\n")
    assert [word for word in blank.split() if word.strip("();")] == ["a;", "b(", "c(", "d;"]


def test_a_problem_prints_as_a_place() -> None:
    assert str(Problem("a.cc", 3, "wrong")) == "a.cc:3: wrong"
    assert str(Problem("a.cc", 3, "perhaps", note=True)) == "a.cc:3: note: perhaps"


def test_every_rule_is_run() -> None:
    rules = {rule.__name__ for rule in house_rules.RULES}
    public = {
        name
        for module in (
            count_rules,
            document_rules,
            house_rules,
            length_rules,
            python_import_rules,
            room_rules,
            third_party_rules,
        )
        for name, value in vars(module).items()
        if getattr(value, "__annotations__", {}) == {"tree": "Tree", "return": "Iterator[Problem]"}
    }
    assert rules == {name for name in public if not name.startswith("_")}
