"""Every test of the project, step by step, and one count at the end: run by tools/test.

Each test is run once. `bazel test //...` leaves out the tests of the tools (tag `pytest`), which plain
pytest runs after it with those of the Python package, against the native module of
`bazel build //cc:extension`, and what is tagged `manual`. `bazel test //...` by hand runs the tests of the
tools, too.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from collections.abc import Callable, Iterable, Mapping, Sequence

from tools import checks

ROOT = pathlib.Path(__file__).resolve().parent.parent

BAZEL = os.environ.get("BAZEL", "bazel")
# Bazel writes what it waits for now and then; run() shows the newest such line.
PLAIN = ("--color=no", "--curses=no", "--show_progress_rate_limit=10")
PROGRESS = re.compile(r"\[[\d,]+ / [\d,]+\]|Loading:|Analyzing:|Computing main repo")
HEARTBEAT_SECONDS = 30
LINES_OF_A_FAILURE = 150


@dataclasses.dataclass(frozen=True)
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.failures + other.failures,
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count_bazel(events: Iterable[str], exit_code: int) -> Count:
    """Counts the tests of a build event file (JSON, one event a line)."""
    passed, failures = 0, []
    for line in events:
        event = json.loads(line)
        label = event.get("id", {}).get("testSummary", {}).get("label")
        if label is None or "testSummary" not in event:
            continue
        status = event["testSummary"]["overallStatus"]
        if status in ("PASSED", "FLAKY"):
            passed += 1
        else:
            failures.append(f"{label} ({status.lower()})")
    # 4: bazel found no test to run. Any other failure without a failed test is one of building.
    if exit_code not in (0, 4) and not failures:
        failures.append("bazel could not build the tests")
    return Count(passed, len(failures), 0, tuple(failures))


def count_pytest(report: str, exit_code: int) -> Count:
    """Counts the tests of a JUnit XML report; an empty text stands for no report."""
    passed = skipped = 0
    failures = []
    for case in xml.etree.ElementTree.fromstring(report).iter("testcase") if report else ():
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(f"{case.get('classname')}.{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    # 5: pytest found no test.
    if exit_code not in (0, 5) and not failures:
        failures.append(f"pytest ended with exit code {exit_code}")
    return Count(passed, len(failures), skipped, tuple(failures))


def run(*command: str | pathlib.Path, name: str = "", environment: Mapping[str, str] | None = None) -> int:
    """Runs a command; its output is shown if it fails, and its newest line while it takes long.

    `name` stands before that line, to tell commands apart that run at the same time. `environment` is added
    to this process's own.
    """
    with tempfile.TemporaryFile("w+") as log:
        begun = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            while True:
                try:
                    code = process.wait(HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    log.seek(0)
                    last = next((line.strip() for line in reversed(log.readlines()) if line.strip()), "")
                    print(f"  ... {time.monotonic() - begun:.0f} s  {name}{last[:90]}", flush=True)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code:
            log.seek(0)
            lines = [line for line in log.readlines() if not PROGRESS.match(line)]
            if len(lines) > LINES_OF_A_FAILURE:
                print(f"  ({len(lines) - LINES_OF_A_FAILURE} lines before these are left out)")
            print("".join(f"  {line}" for line in lines[-LINES_OF_A_FAILURE:]), flush=True)
        return code


def step_check(options: argparse.Namespace) -> Count:
    """formatting, lints, house rules (tools/check)"""
    return Count(*checks.run(list(checks.CHECKS)))


def step_build(options: argparse.Namespace) -> Count:
    """the native code for the Python tests and for use (//cc:extension)"""
    return build("//cc:extension")


def step_layer(options: argparse.Namespace) -> Count:
    """the layers for both of Lambda's processors, which pytest examines"""
    return build("//cc:layer", "//cc:layer_arm64")


def step_wheels(options: argparse.Namespace) -> Count:
    """the wheels for this machine's processor, which pytest examines if they are there"""
    return build("//python:wheels_x86_64")


def build(*labels: str) -> Count:
    if run(BAZEL, "build", *PLAIN, *labels):
        return Count(failed=1, failures=(f"bazel build {' '.join(labels)}",))
    return Count(passed=1)


def step_bazel(options: argparse.Namespace) -> Count:
    """bazel test //... (C++ unit tests, benchmarks once, fuzz targets on fixed inputs)"""
    filters = ["--test_tag_filters=-pytest,-manual"]
    if options.quick:
        filters.append("--test_size_filters=small")
    with tempfile.TemporaryDirectory() as scratch:
        events = pathlib.Path(scratch) / "events.json"
        code = run(
            BAZEL, "test", *PLAIN, "--keep_going", *filters, f"--build_event_json_file={events}", "//..."
        )
        return count_bazel(events.read_text().splitlines() if events.exists() else (), code)


def step_fuzz(options: argparse.Namespace) -> Count:
    """each fuzzer for some seconds, by libFuzzer with AddressSanitizer, as many at once as there are cores"""
    query = subprocess.run(
        [BAZEL, "query", *PLAIN, "attr(tags, '\\bfuzz\\b', kind(cc_binary, //cc/...))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if query.returncode:
        print(query.stderr)
        return Count(failed=1, failures=("bazel query for the fuzz targets",))
    labels = query.stdout.split()
    if not labels:
        print("  there is no fuzzer")
        return Count()
    if run(BAZEL, "build", *PLAIN, "--config=fuzz", *labels):
        return Count(failed=1, failures=("bazel build --config=fuzz",))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(lambda label: fuzz(label, options.fuzz_seconds), labels), Count())


def fuzz(label: str, seconds: int) -> Count:
    """Runs one fuzzer that is built already."""
    path = re.sub("^//", "", label).replace(":", "/")
    program = ROOT / "bazel-fuzz-bin" / path
    with tempfile.TemporaryDirectory() as scratch:
        # Seeds, where a fuzzer has any, lie beside it in a folder of its name.
        seeds = (ROOT / path).with_name(f"{program.name}_seeds")
        code = run(
            program,
            f"-max_total_time={seconds}",
            "-rss_limit_mb=2048",
            "-timeout=10",
            "-print_final_stats=1",
            f"-artifact_prefix={ROOT}/{program.name}.",
            scratch,
            *([seeds] if seeds.is_dir() else []),
            # Undefined behaviour is a failure, and not only a line in the log.
            environment={"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"},
        )
    if code:
        print(f"  the input that fails is kept here, as {program.name}.<kind>-<sha1>", flush=True)
        return Count(failed=1, failures=(f"{label} --config=fuzz",))
    print(f"  {seconds} s of {label}", flush=True)
    return Count(passed=1)


def run_pytest(*arguments: str, name: str = "", environment: Mapping[str, str] | None = None) -> Count:
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch) / "report.xml"
        code = run(
            sys.executable,
            "-m",
            "pytest",
            "-q",
            f"--junitxml={report}",
            *arguments,
            name=name,
            environment=environment,
        )
        return count_pytest(report.read_text() if report.exists() else "", code)


# Groups of test files, which workers take from a queue in this order, the longest first; "others" is all
# files that no pattern names. The named groups run in a network namespace of their own, since tests of the
# executable need its fixed ports.
PYTEST_GROUPS = {
    "others": (),
    "executable": ("test_extension.py", "test_extension_[bc]*.py"),
    "extension": ("test_extension_[!bc]*.py",),
    "line": ("test_exchange_times.py", "test_lab_cut_line.py", "test_lab_line*.py"),
    "experiments": ("test_lab_c[!u]*.py",),
    "emulator": ("test_lab_emulator*.py", "test_lab_function*.py"),
    "client": (
        "test_calls.py",
        "test_client*.py",
        "test_*flusher.py",
        "test_interpreter_end.py",
        "test_threads.py",
    ),
    "worlds": (
        "test_lab_emulated_machine.py",
        "test_lab_freezer.py",
        "test_lab_machine.py",
        "test_lab_main_experiment.py",
        "test_lab_measure.py",
        "test_lab_nothing_left.py",
        "test_lab_own_*.py",
    ),
}
# More workers would keep two processors busier, and tests that bound times would fail for want of one.
PYTEST_WORKERS = 2


def pytest_groups(root: pathlib.Path) -> dict[str, list[str]]:
    """Returns each group's arguments for pytest: its files, or for "others" the files to ignore."""
    tests = root / "python" / "tests"
    files = {
        name: sorted(str(path.relative_to(root)) for pattern in patterns for path in tests.glob(pattern))
        for name, patterns in PYTEST_GROUPS.items()
    }
    named = [f"--ignore={path}" for paths in files.values() for path in paths]
    return {
        name: ["--own-network", *files[name]] if patterns else named
        for name, patterns in PYTEST_GROUPS.items()
    }


def why_no_own_network() -> str | None:
    """Returns None if a process may make a network namespace here, or else the reason why it may not."""
    try:
        tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    except OSError as error:
        return f"unshare: {error.strerror}"
    return (tried.stderr.strip() or f"exit code {tried.returncode}") if tried.returncode else None


def run_pytest_groups(
    groups: Mapping[str, Sequence[str]], *arguments: str, environment: Mapping[str, str] | None = None
) -> Count:
    """Runs groups of tests side by side, each with its own arguments after those of all."""

    def group(name: str, own: Sequence[str]) -> Count:
        begun = time.monotonic()
        count = run_pytest(*arguments, *own, name=f"{name}: ", environment=environment)
        print(f"  {name}: {count} in {time.monotonic() - begun:.0f} s", flush=True)
        return count

    with concurrent.futures.ThreadPoolExecutor(PYTEST_WORKERS) as pool:
        return sum(pool.map(group, groups, groups.values()), Count())


def step_pytest(options: argparse.Namespace) -> Count:
    """pytest: the Python package, the laboratory, the notebook, the tools"""
    if (reason := why_no_own_network()) is not None:
        print(f"  one test after another, since there are no network namespaces here: {reason}", flush=True)
        return run_pytest(*(["-m", "not slow"] if options.quick else []))
    quick = " and not slow" if options.quick else ""
    count = run_pytest_groups(pytest_groups(ROOT), "-m", f"not alone{quick}")
    return count + run_pytest("-m", f"alone{quick}", name="alone: ")


# Tests of faults around the executable. Faults in its input are the fuzzers' part.
ASAN_TESTS = {
    "api_faults": "python/tests/test_extension_api_faults.py",
    "hostile_start": "python/tests/test_extension_hostile_start.py",
}


def step_asan(options: argparse.Namespace) -> Count:
    """the executable with AddressSanitizer under the faults of Lambda's interface (--config=fuzz)"""
    if run(BAZEL, "build", *PLAIN, "--config=fuzz", "//cc/extension:datadog-agent"):
        return Count(failed=1, failures=("bazel build --config=fuzz //cc/extension:datadog-agent",))
    executable = ROOT / "bazel-fuzz-bin" / "cc" / "extension" / "datadog-agent"
    environment = {"THAW_EXTENSION": str(executable)}
    if why_no_own_network() is not None:
        return run_pytest(*ASAN_TESTS.values(), environment=environment)
    groups = {name: ("--own-network", path) for name, path in ASAN_TESTS.items()}
    return run_pytest_groups(groups, environment=environment)


CYCLES = 10_000_000


def step_cycles(options: argparse.Namespace) -> Count:
    """ten million random cycles of the client in the simulated world: four minutes on two processors"""
    # Lives have the seeds from this one on, so that each day has others; a life that breaks an invariant is
    # printed with its own.
    seed = int(time.strftime("%Y%m%d")) * 10_000
    command = ["explore", "--without-histories", f"--cycles={CYCLES}", f"--seed={seed}"]
    if run(sys.executable, "-m", "thaw.lab", *command):
        return Count(failed=1, failures=(f"python -m thaw.lab {' '.join(command)}",))
    return Count(passed=1)


STEPS: dict[str, Callable[[argparse.Namespace], Count]] = {
    "check": step_check,
    "build": step_build,
    "layer": step_layer,
    "wheels": step_wheels,
    "bazel": step_bazel,
    "fuzz": step_fuzz,
    "asan": step_asan,
    "pytest": step_pytest,
    "cycles": step_cycles,
}
# Wheels take the compiler as long as all other steps together: another compiler makes each Python's module.
ONLY_IF_NAMED = ("wheels",)
# Steps that take minutes by themselves, or the compiler as long as everything else does.
LEFT_OUT_IF_QUICK = ("layer", "fuzz", "asan", "cycles")


def _seconds(text: str) -> int:
    """Reads a number of seconds; 0, which libFuzzer takes for no limit, is refused."""
    if not text.isdecimal() or not 1 <= int(text) <= 7 * 24 * 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds, from 1 to a week's")
    return int(text)


def main() -> int:
    listing = "\n".join(f"  {name:7} {step.__doc__}" for name, step in STEPS.items())
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description="Sets the machine up (tools/setup) and runs every test of the project.",
        epilog=f"steps:\n{listing}\n\nRun only if --step names it: {', '.join(ONLY_IF_NAMED)}. The "
        "sanitizers' other runs are apart: tools/sanitize.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leaves out layers, fuzzers, AddressSanitizer, random cycles, and large or slow tests",
    )
    parser.add_argument(
        "--step",
        action="append",
        choices=STEPS,
        metavar="STEP",
        help="runs only this step; may be given again",
    )
    parser.add_argument(
        "--fuzz-seconds",
        type=_seconds,
        default=10,
        metavar="N",
        help="the seconds that each fuzzer runs (default: %(default)s)",
    )
    options = parser.parse_args()
    if options.step:
        names = [name for name in STEPS if name in options.step]
    else:
        left_out = ONLY_IF_NAMED + (LEFT_OUT_IF_QUICK if options.quick else ())
        names = [name for name in STEPS if name not in left_out]

    total = Count()
    begun = time.monotonic()
    results = []
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}: {STEPS[name].__doc__}", flush=True)
        step_begun = time.monotonic()
        count = STEPS[name](options)
        results.append(f"  {name:7} {time.monotonic() - step_begun:6.0f} s  {count}")
        print(results[-1], flush=True)
        total += count
    print(f"\nin {time.monotonic() - begun:.0f} s:")
    print("\n".join(results))
    for failure in total.failures:
        print(f"  FAILED {failure}")
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
