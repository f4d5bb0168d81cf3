"""The machine's load from /proc/stat, its limits, and what a run says of its progress."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys
import time

import pytest

from thaw.lab import host_load, provenance
from thaw.lab.experiment import NetworkFigures
from thaw.lab.host_load import Load
from thaw.lab.progress import Progress


def stat(busy: int, steal: int = 0) -> str:
    return f"cpu  {busy} 0 0 1000 7 0 0 {steal} 0 0\ncpu0 1 0\ncpu1 1 0\nintr 5\n"


def between(first: str, last: str, *, seconds: float = 2.0, own: float = 0.0) -> Load:
    readings = host_load._parse(first, 10.0, 1.0), host_load._parse(last, 10.0 + seconds, 1.0 + own)
    assert readings[0] is not None
    assert readings[1] is not None
    found = host_load._between(*readings)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("load", "busy"),
    [
        (between(stat(0), stat(0)), ""),
        (between(stat(0), stat(30)), ""),  # 0.3 s in 2 s of 2 processors
        (between(stat(0), stat(300)), "other processes used 1.5 of 2 processors"),
        (between(stat(0), stat(300), own=2.9), ""),  # the work was this process's
        (between(stat(0), stat(0), own=2.9), ""),
        (between(stat(0), stat(0, steal=100)), "the hypervisor took 25 % of their time"),
        (
            between(stat(0), stat(100, steal=100)),
            "other processes used 0.5 of 2 processors and the hypervisor took 25 % of their time",
        ),
    ],
)
def test_load(load: Load, busy: str) -> None:
    assert load.busy == busy


@pytest.mark.parametrize("text", ["", "cpu 1 2 3\n", "intr 5\n"])
def test_a_machine_that_does_not_tell(text: str) -> None:
    assert host_load._parse(text, 0.0, 0.0) is None


@pytest.mark.alone
def test_another_process_counts_and_this_one_does_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            disturbed = host_load.measure(1.0)
        finally:
            other.kill()
    assert disturbed is not None
    assert disturbed.others > 0.3
    since = host_load.Since()
    own = time.process_time() + 0.3
    while time.process_time() < own:
        pass
    load = since.load()
    assert load is not None
    assert load.processors >= 1


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu.max": "max 100000"}, None),
        ({}, None),
        ({"inner/cpu.max": "25000 100000", "cpu.max": "200000 100000"}, 0.25),
    ],
)
def test_the_quota_of_control_groups(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], quota: float | None
) -> None:
    (tmp_path / "inner").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(host_load.cgroups, "mounts", lambda: (tmp_path, {}))
    monkeypatch.setattr(host_load.cgroups, "groups_of", lambda: {"": "inner"})
    assert host_load.processor_quota() == quota


def test_the_quota_of_version_1(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_load.cgroups, "mounts", lambda: (None, {"cpu": tmp_path}))
    monkeypatch.setattr(host_load.cgroups, "groups_of", lambda: {"cpu": ""})
    (tmp_path / "cpu.cfs_period_us").write_text("100000")
    (tmp_path / "cpu.cfs_quota_us").write_text("-1")
    assert host_load.processor_quota() is None
    (tmp_path / "cpu.cfs_quota_us").write_text("150000")
    assert host_load.processor_quota() == 1.5


def test_provenance_says_all_that_is_known() -> None:
    before = Load(others=1.5, steal=0.01, average=3.0, processors=2, seconds=1.0)
    during = Load(others=0.0, steal=0.5, average=3.0, processors=2, seconds=9.0)
    line = NetworkFigures("line", measured=0.0207, congestion_control="cubic")
    made = provenance.provenance(world="W1", seed=1, cycles=2, load=before, load_during=during, network=line)
    assert (made.others_before, made.steal_during, made.load_average) == (1.5, 0.5, 3.0)
    assert (made.congestion_control, made.connect_ms) == ("cubic", pytest.approx(20.7))
    assert made.busy == (
        "before the run other processes used 1.5 of 2 processors; during the run the hypervisor took 50 % of"
        " their time"
    )
    assert {"numpy", "scipy"} <= made.libraries.keys()
    assert made.argv
    quiet = provenance.provenance(world="W0", seed=1, cycles=2)
    assert (quiet.busy, quiet.others_before, quiet.connect_ms) == ("", None, None)
    assert bool(made.dirty) == made.commit.endswith("-dirty")


# -- Progress --------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_no_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr("thaw.lab.progress._PLAIN_EVERY", 0.0)
    with Progress() as progress:
        progress.begin("idle", 400)
        progress.step(0)
        progress.step(100, "idle v93")
        progress.say("v93: 0 lost [all]")
    first, second, third = shown.getvalue().splitlines()
    assert first == "idle: 0/400, time left unknown"
    assert second.startswith("idle v93: 100/400, ")
    assert second.endswith(" s left")
    assert third == "v93: 0 lost [all]"


def test_lines_come_every_ten_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    progress = Progress()
    progress.begin("idle", 400)
    for done in range(400):
        progress.step(done)
    assert shown.getvalue() == ""


def test_a_terminal_gets_a_bar_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr("thaw.lab.progress._LIVE_EVERY", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    with Progress() as progress:
        assert progress.live
        progress.begin("idle [v93]", 400)
        progress.step(100, "idle [v93] (1/2)")
        progress.say("v93: [0] lost")
        print("the result goes to standard output")
    text = shown.getvalue()
    assert "idle [v93] (1/2)" in text
    assert "100/400" in text
    assert "v93: [0] lost\n" in text
    assert "left" in text
    assert capsys.readouterr().out == "the result goes to standard output\n"


def test_a_silent_progress_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with Progress(silent=True) as progress:
        progress.begin("idle", 4)
        progress.step(1)
        progress.say("nothing")
    assert shown.getvalue() == ""
