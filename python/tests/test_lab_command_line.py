"""The laboratory's command line: what a command writes, and what it says when it can't."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from typing import Any

import pyarrow.parquet
import pytest

from thaw.lab import executables, needs, report
from thaw.lab.__main__ import main
from thaw.lab.arguments import MOST_INPUT_BYTES, help_only, output_file
from thaw.lab.arms import Arm
from thaw.lab.child_environment import child_environment
from thaw.lab.experiment import ExperimentError, ExperimentSettings, Stopped
from thaw.lab.experiments import compare, function_experiment, main_experiment, sweep
from thaw.lab.experiments.chaos import run as chaos
from thaw.lab.report import dataset, measure
from thaw.lab.results import ArmResult
from thaw.lab.stop import Stop
from thaw.lab.worlds import w0_simulated

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_compare_keeps_what_a_report_is_made_of(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, page = tmp_path / "rows", tmp_path / "page.html"
    assert main(["compare", "--arms=v93,thaw", "--cycles=4", "--workload=generated", f"--rows={rows}"]) == 0
    run = report.read_run(rows)
    assert report.terminal_table(run.result) in capsys.readouterr().out
    assert run.measurements is not None
    assert [(row.arm, row.cycle) for row in run.measurements.cycles] == [
        (arm, cycle) for arm in ("v93", "thaw") for cycle in range(4)
    ]
    for arm, figures in run.result.arms.items():
        outcomes = [row.outcome for row in run.measurements.payloads if row.arm == arm]
        assert len(outcomes) == figures.payloads == 4 * 3
        assert outcomes.count("lost") == figures.lost
        assert outcomes.count("once") == figures.delivered - figures.duplicated
    assert run.result.arms["v93"].lost > run.result.arms["thaw"].lost == 0

    assert main(["report", str(rows), f"--out={page}"]) == 0
    assert str(page) in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == report.page([run])


def test_sweep(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "sweep"
    assert main(["sweep", "--world=W0", "--cycles=5", "--arms=thaw", "--close=fin,rst", f"--out={path}"]) == 0
    assert {row.close for row in dataset.read_points(path)} == {"fin", "rst"}


@pytest.mark.slow
def test_the_main_job_ends_with_tables_and_the_path_of_a_report(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["main", "--cycles=6", "--blocks=1", "--payloads=1", f"--out={tmp_path}"]) == 0
    said = capsys.readouterr().out
    page = tmp_path / "report.html"
    assert said.splitlines()[-1] == f"report: {page}"
    html = page.read_text(encoding="utf-8")
    for part in main_experiment.parts():
        run = report.read_run(tmp_path / part.name)
        assert report.terminal_table(run.result) in said
        assert list(run.result.arms) == list(main_experiment.ARMS)
        assert all(f"<th scope=row>{arm}" in html for arm in main_experiment.ARMS)
        for arm in ("thaw", "thaw-unshared", "thaw-pooled"):
            figures = run.result.arms[arm]
            assert (figures.delivered, figures.lost) == (figures.payloads, 0) == (6, 0)
    assert report.read_run(tmp_path / "W1-idle-silent").result.arms["v93"].lost == 3


def code_of(arguments: list[str]) -> object:
    """Runs a command. Returns its exit code, also where it raises SystemExit."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "nowhere"], "nowhere does not exist"),
        (["report", "--out=/nowhere/page.html", "."], "/nowhere does not exist"),
        (["compare", "--arms=v1"], "there is no arm 'v1'"),
        (["compare", "--arms="], "no arm is named"),
        (["compare", "--arms=thaw(tls_cert_file=/dev/zero)"], "tls_cert_file: certificate file /dev/zero"),
        (["sweep", "--arms=thaw(tls_cert_file=/nowhere)"], "tls_cert_file: certificate file /nowhere"),
        (["compare", "--freeze", "inf"], "--freeze: inf is not from 0 to 3600 seconds"),
        (["compare", "--freeze=-0.1"], "--freeze: -0.1 is not from 0"),
        (
            ["compare", "--freeze=zipf(1)"],
            "--freeze: there is no distribution 'zipf'; there are uniform, exp",
        ),
        (["compare", "--freeze=zipf"], "--freeze: there is no distribution 'zipf'; there are uniform, exp"),
        (["compare", "--freeze=unifrom(1,2)"], "the nearest is uniform"),
        (["compare", "--freeze=uniform(1,2)"], "uniform is written as uniform(least=S,most=S)"),
        (["compare", "--freeze=exponential"], "--freeze: exponential needs mean"),
        (["compare", "--freeze=()"], "--freeze: there is no distribution ''"),
        (["sweep", "--freeze=0.1,zipf(1)"], "--freeze: there is no distribution 'zipf'"),
        (["compare", "--close=none", "--idle-limit=5"], "idle_limit is 5 and close is none: "),
        (["sweep", "--close=fin,none", "--idle-limit=5"], "idle_limit is 5 and close is none: "),
        (["compare", "--freeze=1e9"], "--freeze: 1e9 is not from 0"),
        (["compare", "--round-trip", "-1"], "--round-trip: -1 is not from 0"),
        (["compare", "--round-trip", "nan"], "--round-trip: nan is not from 0"),
        (["compare", "--round-trip", "2"], "no exchange could end"),
        (
            ["compare", "--world=W0", "--close=none"],
            "close none) is for scenario idle of world W1, and for W2",
        ),
        (
            ["compare", "--scenario=inflight", "--close=none"],
            "close none) is for scenario idle of world W1, and for W2",
        ),
        (
            ["sweep", "--scenario=idle,inflight", "--close=none"],
            "close none) is for scenario idle of world W1, and for W2",
        ),
        (["compare", "--exchange-timeout=0"], "--exchange-timeout: 0 is not from"),
        (["compare", "--exchange-timeout=soon"], "--exchange-timeout: 'soon' is not a number of seconds"),
        (["compare", "--flush-deadline=-inf"], "--flush-deadline: -inf is not from"),
        (["compare", "--cycles=0"], "--cycles: 0 is not from 1"),
        (["compare", "--cycles=1.5"], "--cycles: '1.5' is not a whole number"),
        (["compare", "--cycles=99999999999"], "--cycles: 99999999999 is not from 1"),
        (["compare", "--payloads=70000"], "--payloads: 70000 is not from 1 to 65536"),
        (["compare", "--seed=-1"], "--seed: -1 is not from 0"),
        (["compare", "--json=/nowhere/result.json"], "the folder /nowhere does not exist"),
        (["compare", "--json=/proc/result.json"], "nothing can be written in /proc"),
        (["compare", "--json=/etc/passwd/result.json"], "/etc/passwd is not a folder"),
        (["compare", "--json=/tmp"], "--json: /tmp is a folder"),
        (["compare", "--report=/nowhere/page.html"], "the folder /nowhere does not exist"),
        (["compare", "--rows=/etc/passwd/rows"], "/etc/passwd is not a folder"),
        (["compare", "--json=/tmp/one", "--report=/tmp/../tmp/one"], "are the same file"),
        (["sweep", "--tls=1.1"], "there is no version of TLS '1.1'"),
        (["sweep", "--freeze=0.1,nan"], "--freeze: nan is not from 0"),
        (["sweep", "--payloads=1,0"], "--payloads: 0 is not from 1"),
        (["sweep", "--round-trip=0,"], "--round-trip: '' is not a number"),
        (["sweep", "--round-trip=0,30"], "no exchange could end"),
        (["sweep", "--cycles=0"], "--cycles: 0 is not from 1"),
        (["sweep", "--workers=0"], "--workers: 0 is not from 1"),
        (["sweep", "--out=/proc/sweep"], "nothing can be written in /proc"),
        (["main", "--cycles=0"], "--cycles: 0 is not from 1"),
        (["main", "--payloads=-2"], "--payloads: -2 is not from 1"),
        (["main", "--invocations=0"], "--invocations: 0 is not from 1"),
        (["main", "--out=/etc/passwd"], "/etc/passwd is not a folder"),
        (["main", "--extension=/nowhere"], "/nowhere does not exist"),
        (["main", "--extension=/etc/passwd"], "/etc/passwd is not a program"),
        (["chaos", "--seconds", "nan"], "--seconds: nan is not above 0"),
        (["chaos", "--seconds=0"], "--seconds: 0 is not above 0"),
        (["chaos", "--environments=-1"], "--environments: -1 is not from 0"),
        (["chaos", "--only=x"], "--only: 'x' is not a whole number"),
        (["chaos", "--seed=-1"], "--seed: -1 is not from 0"),
        (["chaos", "--extension=/nowhere"], "/nowhere does not exist"),
        (["answer", "--out=/proc/x"], "nothing can be written in /proc"),
        (["answer", "--out=/etc/passwd/x"], "/etc/passwd is not a folder"),
        (["answer", "--out="], "no file is named"),
        (["fleet", "--out=/proc/x"], "nothing can be written in /proc"),
        (["fleet", "--out=a\0b"], "'a\\x00b' has a NUL character"),
        (["fleet", "--results=/nowhere"], "/nowhere is not a folder that exists"),
        (["function", "--extension=a=/nowhere"], "/nowhere does not exist"),
        (["function", "--extension=a=/bin/ls", "--extension=a=/bin/cat"], "two extensions are called a"),
        (["function", "--extension=none=/bin/ls"], "can't be called none"),
        (["main", "--extension=/bin/ls", "--extension=/bin/ls"], "two extensions are called thaw"),
    ],
)
def test_wrong_arguments_are_named_in_a_line_before_anything_runs(
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in ((compare, "run"), (main_experiment, "run"), (chaos, "run"), (sweep, "run")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("it was run"))
    assert code_of(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


LONG = "n" * 300


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "/dev/zero"], "RUN: /dev/zero is not a regular file"),
        (["report", "FIFO"], "pipe is not a regular file"),
        (["report", "LARGE"], "more than"),
        (["report", "FOLDER"], "result.json does not exist"),
        (["report", "FOLDER_OF_PIPE"], "result.json is not a regular file"),
        (["report", LONG], "File name too long"),
        (["report", "a\0b"], "'a\\x00b' has a NUL character"),
        (["report", ""], "no file is named"),
        (["report", "--out=FIFO", "RESULT"], "--out: "),
        (["lambda", "--events=FIFO"], "pipe is not a regular file"),
        (["lambda", "--events=/dev/zero"], "--events: /dev/zero is not a regular file"),
        (["lambda", "--events=a\0b"], "has a NUL character"),
        (["lambda", "--extension=FIFO"], "pipe is not a regular file"),
        (["lambda", f"--folder={LONG}"], "File name too long"),
        (["lambda", "--json=FIFO"], "pipe is not a regular file"),
        (["compare", "--json=FIFO"], "pipe is not a regular file"),
        (["compare", "--json=/dev/full"], "--json: /dev/full is not a regular file"),
        (["compare", "--report=/dev/full"], "--report: /dev/full is not a regular file"),
        (["compare", f"--json={LONG}"], "File name too long"),
        (["compare", "--json=a\0b"], "--json: 'a\\x00b' has a NUL character"),
        (["compare", "--json="], "--json: no file is named"),
        (["compare", "--json=DANGLING"], "nothing-there does not exist"),
        (["compare", f"--rows={LONG}"], "File name too long"),
        (["compare", "--rows=a\0b"], "has a NUL character"),
        (["sweep", "--out=FIFO"], "pipe is not a folder"),
        (["sweep", f"--out={LONG}/x"], "File name too long"),
        (["main", f"--extension={LONG}"], "File name too long"),
        (["main", "--out=a\0b"], "has a NUL character"),
    ],
)
def test_a_path_that_is_no_file_is_named_before_anything_runs(
    arguments: list[str],
    says: str,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in ((compare, "run"), (main_experiment, "run"), (sweep, "run")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("it was run"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "of-pipe").mkdir()
    os.mkfifo(tmp_path / "of-pipe" / report.RESULT_FILE)
    (tmp_path / "empty").mkdir()
    (tmp_path / "result").touch()
    (tmp_path / "link").symlink_to("nothing-there/result")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(MOST_INPUT_BYTES + 1)
    names = {"FIFO": "pipe", "LARGE": "large", "FOLDER_OF_PIPE": "of-pipe", "FOLDER": "empty"}
    for placeholder, name in {**names, "RESULT": "result", "DANGLING": "link"}.items():
        arguments = [each.replace(placeholder, str(tmp_path / name)) for each in arguments]
    assert code_of(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_an_output_that_is_there_is_not_changed_by_asking(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("before")
    assert output_file(str(path)) == path
    link = tmp_path / "link"
    link.symlink_to("made-later")
    assert output_file(str(link)) == link
    assert path.read_text() == "before"
    assert {each.name for each in tmp_path.iterdir()} == {"result.json", "link"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "--help"],
        ["compare", "--cycles=0", "--help"],
        ["compare", "--json", "/nowhere/x", "-h"],
        ["sweep", "--tls=9", "--help"],
        ["lambda", "--events", "nowhere", "--help"],
        ["nothing", "--help"],
        ["--help", "main"],
    ],
)
def test_help_is_given_wherever_it_is_asked_for(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(arguments) == 0
    assert "usage: python -m thaw.lab" in capsys.readouterr().out


def test_help_after_two_dashes_is_for_the_function() -> None:
    given = ["lambda", "--", "function", "--help"]
    assert help_only(given, ["lambda"]) == given


CONDITIONS = {
    "payloads": 2,
    "workload": "generated",
    "freeze": 0.004,
    "round_trip": 0.01,
    "tls_version": "1.2",
}
SAID = ("2 payloads a flush", "generated workload", "freeze 4 ms", "round trip 10 ms", "TLS 1.2")


def test_every_output_says_under_which_conditions_and_how_to_repeat_it(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--arms=thaw", "--cycles=2", "--payloads=2", "--workload=generated", "--freeze=0.004"]
    given += ["--round-trip=0.01", "--tls=1.2", "--close=fin", "--exchange-timeout=2"]
    outputs = [
        f"--json={tmp_path / 'a.json'}",
        f"--rows={tmp_path / 'rows'}",
        f"--report={tmp_path / 'page'}",
    ]
    assert main(["compare", *given, *outputs]) == 0
    console, page = capsys.readouterr().out, (tmp_path / "page").read_text()
    result = json.loads((tmp_path / "a.json").read_text())
    assert {name: result[name] for name in CONDITIONS} == CONDITIONS
    for text in (console, page):
        assert all(each in text for each in SAID)
        assert result["command"] in text
    run = report.read_run(tmp_path / "rows")
    assert run.measurements is not None
    assert run.measurements.provenance.command == result["command"]
    for table in (measure.PAYLOADS_FILE, measure.CYCLES_FILE):
        read = pyarrow.parquet.read_table(tmp_path / "rows" / table)
        columns = {**CONDITIONS, "payloads_per_flush": CONDITIONS["payloads"]}
        del columns["payloads"]
        for name, value in columns.items():
            assert set(read[name].to_pylist()) == {value}, name
        assert result["command"] in measure.read_where_from(tmp_path / "rows" / table)

    # The command, given to a shell, is the same experiment.
    again = shlex.split(result["command"])
    assert again[:3] == ["python", "-m", "thaw.lab"]
    assert main([*again[3:], f"--json={tmp_path / 'b.json'}"]) == 0
    repeated = json.loads((tmp_path / "b.json").read_text())
    for changes in ("arms", "busy", "commit", "comparisons"):
        result.pop(changes, None)
        repeated.pop(changes, None)
    assert repeated == result


# A program whose third cycle is interrupted as by a terminal, which tells the whole group.
INTERRUPTED = """
import os, signal, sys
from thaw.lab.__main__ import main
from thaw.lab.progress import Progress
step = Progress.step
def interrupting(self, done, label):
    step(self, done, label)
    if done == 5 + 3 and "v94" in label:
        os.killpg(0, signal.SIGINT)
Progress.step = interrupting
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_keeps_what_is_finished_and_says_that_it_is_not_all(tmp_path: pathlib.Path) -> None:
    outputs = [
        f"--json={tmp_path / 'a.json'}",
        f"--rows={tmp_path / 'rows'}",
        f"--report={tmp_path / 'page'}",
    ]
    given = ["compare", "--arms=thaw,v94,v98", "--cycles=5", "--payloads=1", "--workload=generated", *outputs]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *given],
        env=child_environment(),
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["complete"] is False
    assert {name: arm["cycles"] for name, arm in result["arms"].items()} == {"thaw": 5, "v94": 3}
    assert [result["arms"][arm]["delivered"] for arm in ("thaw", "v94")] == [5, 3]
    assert result["command"].count("thaw,v94,v98") == 1
    for text in (done.stdout, (tmp_path / "page").read_text()):
        assert "STOPPED EARLY: of 5 cycles of each arm these were done: thaw 5, v94 3" in text
    run = report.read_run(tmp_path / "rows")
    assert run.measurements is not None
    assert not run.measurements.provenance.complete
    assert [(row.arm, row.cycle) for row in run.measurements.cycles] == [
        *(("thaw", cycle) for cycle in range(5)),
        *(("v94", cycle) for cycle in range(3)),
    ]


# A program that is interrupted within the import of its command line, by a module that swallows exceptions.
INTERRUPTED_IMPORT = """
import importlib.abc, os, signal, sys
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "thaw.lab.experiments.compare":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                for _ in range(1000): pass
            except KeyboardInterrupt:
                if "swallowed" in sys.argv: return None
                raise
        return None
sys.meta_path.insert(0, Interrupting())
from thaw.lab.__main__ import main
sys.exit(main(["compare", "--help"]))
"""

# A module that the interpreter imports at its start: Ctrl-C comes when one of thaw's modules is looked for.
INTERRUPTED_LOOKUP = """
import importlib.abc, os, signal, sys
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == os.environ["INTERRUPTED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
        return None
sys.meta_path.insert(0, Interrupting())
"""


@pytest.mark.parametrize("module", ["thaw._native", "thaw._calls", "thaw.lab", "thaw.lab.needs"])
def test_ctrl_c_while_the_package_is_imported_ends_it_in_a_line(tmp_path: pathlib.Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_LOOKUP)
    environment = child_environment()
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *([before] if before else [])])
    done = subprocess.run(
        [sys.executable, "-m", "thaw.lab", "compare", "--help"],
        env={**environment, "INTERRUPTED_AT": module},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr, done.stdout) == (130, "thaw.lab: stopped\n", "")


@pytest.mark.parametrize("given", [[], ["swallowed"]])
def test_ctrl_c_within_an_import_ends_it_in_a_line(given: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT, *given],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr, done.stdout) == (130, "thaw.lab: stopped\n", "")


def test_help_imports_nothing_that_takes_long() -> None:
    heavy = ("matplotlib", "numpy", "pyarrow", "aiohttp", "trustme", "cryptography")
    program = (
        "import sys\nfrom thaw.lab.__main__ import main\n"
        "try: main(['compare', '--help'])\n"
        f"except SystemExit: print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_an_arm_that_fails_loses_none_before_it(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = w0_simulated.run

    def run(arm: Arm, *others: Any) -> ArmResult:
        if arm.name == "v93":
            raise ExperimentError("arm v93 broke")
        return simulated(arm, *others)

    monkeypatch.setattr(w0_simulated, "run", run)
    path = tmp_path / "result.json"
    assert main(["compare", "--world=W0", "--arms=thaw,v93", "--cycles=5", f"--json={path}"]) == 1
    result = json.loads(path.read_text())
    assert (list(result["arms"]), result["complete"]) == (["thaw"], False)
    assert "arm v93 broke" in capsys.readouterr().err


def test_a_stop_before_anything_is_finished_writes_nothing(tmp_path: pathlib.Path) -> None:
    stopping = Stop()
    stopping.request()
    with pytest.raises(Stopped):
        compare.run(ExperimentSettings(arms=("thaw",), world="W0"), stop=stopping)
    path = tmp_path / "result.json"
    assert output_file(str(path)) == path
    assert list(tmp_path.iterdir()) == []  # asking leaves nothing behind


def test_a_simulation_that_is_stopped_keeps_the_arms_before() -> None:
    stopping = Stop()
    made: list[report.Run] = []

    def after_arm(run: report.Run) -> None:
        made.append(run)
        stopping.request()

    run = compare.run(
        ExperimentSettings(arms=("thaw", "v93"), world="W0", cycles=2000), stop=stopping, after_arm=after_arm
    )
    assert list(run.result.arms) == ["thaw"]
    assert run.result.complete is False


# -- What is needed ----------------------------------------------------------------------------------------


def test_the_extra_brings_every_package_that_is_needed() -> None:
    text = (ROOT / "python" / "BUILD.bazel").read_text()
    (extra,) = re.findall(r'"lab": \[(.*?)\]', text, re.DOTALL)
    assert set(needs.EVERYTHING.values()) <= set(re.findall(r'"(\w+)"', extra))


def test_a_package_without_its_extra_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(needs.ALWAYS, "no_such_module", "no-such-package")
    assert main(["main"]) == 2
    said = capsys.readouterr().err
    assert "needs packages that are not installed: no-such-package" in said
    assert "'thaw-lambda[lab]'" in said
    assert said.count("\n") == 1
    assert main(["compare", "--help"]) == 0
    said = capsys.readouterr().out
    assert "usage: python -m thaw.lab" in said
    assert "no-such-package" in said


def test_main_says_what_it_needs_before_it_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(main_experiment, "run", lambda *_, **__: pytest.fail("it was run"))
    # As from a wheel: no checkout above the package.
    monkeypatch.setattr(executables, "EXTENSION", tmp_path / "datadog-agent")
    monkeypatch.setattr(executables, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(executables, "_IN_CHECKOUT", False)
    monkeypatch.setattr(function_experiment, "EXTENSION", tmp_path / "datadog-agent")
    assert main(["main"]) == 2
    said = capsys.readouterr().err
    assert "name one with --extension FILE" in said
    assert "--without-function" in said
    assert said.count("\n") == 1

    monkeypatch.setitem(needs.DEMONSTRATION, "no_such_module", "no-such-package")
    assert main(["main"]) == 2
    said = capsys.readouterr().err
    assert "the real function needs packages that are not installed: no-such-package" in said
    monkeypatch.setitem(needs.ARMS, "requests", {"no_such_module": "no-such-client"})
    assert main(["compare", "--arms=thaw,requests"]) == 2
    assert "this comparison needs packages that are not installed: no-such-client" in capsys.readouterr().err
