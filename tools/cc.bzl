"""Units, libraries, tests, binaries, benchmarks and fuzz tests of C++ with this project's compiler warnings, in one place."""

load("//toolchains/zig:targets.bzl", "LAMBDA_TARGETS")

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-sign-compare",
    "-Wno-missing-field-initializers",
]

def lambda_only(values):
    """Returns compiler options, or sources, of what is built for Lambda (by //toolchains/zig), and of nothing else."""
    targets = [("@thaw//toolchains/zig:is_" + target, values) for target in LAMBDA_TARGETS]
    return select(dict(targets, **{"//conditions:default": []}))

# The toolchain for Lambda optimizes for size (-Oz), since a function's environment starts with reading the
# executable. Code that every span or every request runs through is optimized for speed instead.
OPTIMIZE_FOR_SPEED_ON_LAMBDA = lambda_only(["-O2"])

# Rooms that every span or every request runs through.
_PACKAGES_OPTIMIZED_FOR_SPEED = [
    "cc/agent",
    "cc/base",
    "cc/logs",
    "cc/metrics",
    "cc/sketch",
    "cc/stats",
    "cc/trace",
    "cc/trace/obfuscate",
    "cc/trace/process",
]

def thaw_cc_library(name, copts = [], fast = None, **kwargs):
    """A library. `fast`: whether it is optimized for speed on Lambda; by default its package decides."""
    if fast == None:
        fast = native.package_name() in _PACKAGES_OPTIMIZED_FOR_SPEED
    native.cc_library(
        name = name,
        copts = _WARNINGS + copts + (OPTIMIZE_FOR_SPEED_ON_LAMBDA if fast else []),
        **kwargs
    )

def thaw_cc_unit(name, deps = [], test_deps = None, **kwargs):
    """A library of NAME.h and NAME.cc, either of which may be missing, and the test NAME_test.cc.

    Args:
      name: the library's name.
      deps: what the library includes.
      test_deps: what the test includes besides NAME.h and `deps`; None if there is no such test.
      **kwargs: further attributes of the library. A test with attributes of its own is a thaw_cc_test.
    """
    thaw_cc_library(
        name = name,
        srcs = native.glob([name + ".cc"], allow_empty = True),
        hdrs = native.glob([name + ".h"], allow_empty = True),
        deps = deps,
        **kwargs
    )
    if test_deps != None:
        thaw_cc_test(
            name = name + "_test",
            srcs = [name + "_test.cc"],
            deps = [":" + name] + deps + test_deps,
        )

def thaw_header_examples(deps, hdrs = []):
    """Compiles the examples in a room's headers, as tools/header_examples.py explains.

    Args:
      deps: what header_examples.cc includes.
      hdrs: headers of the room's subfolders that have examples; those of its own folder are found.
    """
    native.genrule(
        name = "header_examples_source",
        testonly = True,
        srcs = ["header_examples.cc"] + native.glob(["*.h"]) + hdrs,
        outs = ["header_examples_with_code.cc"],
        cmd = "$(location //tools:header_examples) $(location header_examples.cc) > $@",
        tools = ["//tools:header_examples"],
    )
    native.cc_library(
        name = "header_examples",
        testonly = True,
        srcs = [":header_examples_source"],
        # An example uses few of its results, and is not run.
        copts = [
            "-w",
            "-O0",
        ],
        linkstatic = True,
        deps = deps,
    )

def thaw_cc_binary(name, copts = [], **kwargs):
    native.cc_binary(name = name, copts = _WARNINGS + copts, **kwargs)

# A test's own file is compiled with fewer optimizations than what it tests: it runs once. Coroutines that resume each
# other need sibling calls, or they grow the stack.
_FOR_TESTS = [
    "-O1",
    "-foptimize-sibling-calls",
]

def thaw_cc_test(name, copts = [], size = "small", deps = [], **kwargs):
    native.cc_test(
        name = name,
        size = size,
        copts = _WARNINGS + _FOR_TESTS + copts,
        deps = deps + ["@com_google_googletest//:gtest_main"],
        **kwargs
    )

def thaw_cc_benchmark(name, srcs, copts = [], deps = [], data = [], **kwargs):
    """A Google Benchmark program, and a test that runs it once with a tiny minimum time so that it can't rot."""
    native.cc_library(
        name = name + "_code",
        testonly = True,
        srcs = srcs,
        copts = _WARNINGS + copts,
        deps = deps + ["@com_github_google_benchmark//:benchmark_main"],
        alwayslink = True,
        **kwargs
    )
    native.cc_binary(
        name = name,
        testonly = True,
        data = data,
        tags = ["benchmark"],
        deps = [":%s_code" % name],
    )
    native.cc_test(
        name = name + "_test",
        size = "medium",
        args = ["--benchmark_min_time=1x"],
        data = data,
        tags = ["benchmark"],
        deps = [":%s_code" % name],
    )

def thaw_cc_fuzz_test(name, srcs, copts = [], deps = [], **kwargs):
    """A libFuzzer target: NAME runs under --config=fuzz; NAME_replay_test runs the seeds in the plain build.

    The source defines LLVMFuzzerTestOneInput. Seeds, where it has any, lie beside it in a folder NAME_seeds.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        copts = _WARNINGS + copts,
        tags = ["fuzz", "manual"],
        deps = deps,
        linkopts = select({
            "@thaw//toolchains/clang:is_clang": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        **kwargs
    )
    native.cc_test(
        name = name + "_replay_test",
        size = "small",
        srcs = srcs + ["//tools:fuzz_replay_main.cc"],
        copts = _WARNINGS + copts,
        deps = deps,
        **kwargs
    )
