"""The line: two network namespaces, and what happens to connections over it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

import psutil
import pytest

from thaw.lab import line as lines
from thaw.lab.child_environment import child_environment
from thaw.lab.line import Line, LineError
from thaw.lab.line import __main__ as command

REASON = lines.why_not()
needs_line = pytest.mark.skipif(REASON is not None, reason=f"no line here: {REASON}")

SERVER = r"""
import socket, sys, threading
def serve(connection):
    try:
        while data := connection.recv(1 << 16):
            if data.endswith(b"\n"):
                connection.sendall(b"!")
    except OSError: pass
listener = socket.create_server((sys.argv[1], 7)); print("up", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
# A line in: how many bytes are sent on the connection, or `new` for another one. A line out: what came of it.
CLIENT = r"""
import socket, sys, time
def connect():
    made = socket.create_connection((sys.argv[1], 7), timeout=1.0)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
connection = connect(); print("up", flush=True)
for order in sys.stdin:
    begun = time.monotonic()
    try:
        if order.strip() == "new":
            connection = connect()
        else:
            connection.sendall(b"x" * (int(order) - 1) + b"\n"); assert connection.recv(1) == b"!"
        said = "ok"
    except OSError as error:
        said = type(error).__name__
    print(said, time.monotonic() - begun, connection.getsockopt(6, socket.TCP_MAXSEG), flush=True)
"""


class Talk:
    """A client and an echoing server at the two ends, with one connection between them."""

    def __init__(self, line: Line) -> None:
        self._server = self._start(line.peer.command([sys.executable, "-c", SERVER, line.peer.address]))
        self._client = self._start(line.client.command([sys.executable, "-c", CLIENT, line.peer.address]))
        self.segment_bytes = 0

    def say(self, order: int | str) -> tuple[str, float]:
        """Returns the outcome, and the seconds that it took."""
        assert self._client.stdin is not None
        self._client.stdin.write(f"{order}\n")
        self._client.stdin.flush()
        said, took, segment = _read(self._client.stdout).split()
        self.segment_bytes = int(segment)
        return said, float(took)

    def close(self) -> None:
        for each in (self._client, self._server):
            each.kill()
            each.communicate()

    @staticmethod
    def _start(command: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert _read(process.stdout) == "up\n"
        return process


def _read(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


@pytest.fixture
def line() -> Iterator[Line]:
    with Line(round_trip=0.02) as made:
        yield made


@pytest.fixture
def talk(line: Line) -> Iterator[Talk]:
    with contextlib.closing(Talk(line)) as made:
        yield made


@pytest.mark.alone
@needs_line
def test_the_round_trip_is_what_was_asked_for_and_changes_while_a_connection_lives(
    line: Line, talk: Talk
) -> None:
    for asked in (0.02, 0.08, 0.005):
        line.set(round_trip=asked)
        measured = line.measure(9)
        assert asked <= measured.least <= measured.exchange <= measured.most
        assert measured.least < asked + 0.004
        assert asked <= measured.connect
        said, took = talk.say(1)
        assert said == "ok"
        assert took >= asked


@needs_line
def test_congestion_control_is_set_and_measured() -> None:
    available = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
    for name in available:
        with Line(congestion_control=name) as line:
            assert line.measure(1).congestion_control == name
            line.renumber()
            assert line.measure(1).congestion_control == name
    with pytest.raises(LineError, match=r"congestion control 'dodgy' can't be set: "):
        Line(congestion_control="dodgy")


@needs_line
def test_lost_packets_are_sent_again_and_counted(line: Line, talk: Talk) -> None:
    assert talk.say(500_000)[0] == "ok"
    assert line.counts()["up"]["lost_by_chance"] == 0
    before = line.counts()["up"]["passed"]
    line.set(loss=0.05)
    assert talk.say(200_000)[0] in ("ok", "TimeoutError")
    line.set(loss=0.0)
    counts = line.counts()
    assert counts["up"]["passed"] - before > 50  # with loss each packet is one segment
    assert 1 <= counts["up"]["lost_by_chance"] <= 60


@needs_line
@pytest.mark.parametrize("what", ["cut", "up", "down"])
def test_nothing_passes_a_cut_or_a_hole_until_the_line_is_joined(line: Line, talk: Talk, what: str) -> None:
    assert talk.say(1)[0] == "ok"
    if what == "cut":
        line.cut()
    else:
        line.hole("up" if what == "up" else "down")
    before = line.counts()
    assert talk.say(1)[0] == "TimeoutError"
    counts = line.counts()
    assert (counts["up"]["lost_in_hole"] > before["up"]["lost_in_hole"]) == (what != "down")
    if what != "cut":
        assert (counts["down"]["lost_in_hole"] > before["down"]["lost_in_hole"]) == (what == "down")
    line.join()
    assert talk.say("new")[0] == "ok"
    assert talk.say(1)[0] == "ok"


@needs_line
def test_a_packet_on_its_way_is_lost_by_a_cut_and_retransmitted(line: Line, talk: Talk) -> None:
    line.set(round_trip=0.5)
    assert talk.say(1)[0] == "ok"
    line.set(round_trip=0.02)
    line.cut()
    line.join()
    assert talk.say(1)[0] == "ok"


@needs_line
def test_connections_of_an_address_that_is_gone_carry_nothing(line: Line, talk: Talk) -> None:
    assert talk.say(1)[0] == "ok"
    assert line.renumber() == line.client.address == "192.0.2.3"
    assert talk.say(1)[0] in ("TimeoutError", "OSError")
    assert talk.say("new")[0] == "ok"
    assert talk.say(1)[0] == "ok"
    for _ in range(260):
        line.renumber()
    assert talk.say("new")[0] == "ok"


@needs_line
@pytest.mark.parametrize(("answer", "error"), [("drop", "TimeoutError"), ("reset", "ConnectionResetError")])
def test_a_forgotten_connection_is_silent_or_reset(
    line: Line, talk: Talk, answer: lines.ForgottenAnswer, error: str
) -> None:
    assert talk.say(1)[0] == "ok"
    line.forget_connections(answer)
    said, took = talk.say(1)
    assert said == error
    assert took < 0.9 or answer == "drop"
    counts = line.counts()
    assert (counts["forgotten_resets"] > 0) == (answer == "reset")
    assert talk.say("new")[0] == "ok"
    assert talk.say(100_000)[0] == "ok"
    line.forget_connections(answer)
    assert talk.say(1)[0] == error


@needs_line
def test_the_packet_size_is_set_and_changes(line: Line, talk: Talk) -> None:
    assert talk.say(20_000)[0] == "ok"
    assert talk.segment_bytes == 1500 - 40 - 12
    line.set(mtu=900)
    talk.say("new")
    assert talk.say(20_000)[0] == "ok"
    assert talk.segment_bytes == 900 - 40 - 12


@pytest.mark.alone
@needs_line
def test_packets_leave_on_time_and_cost_little(line: Line, talk: Talk) -> None:
    for _ in range(20):
        assert talk.say(1)[0] == "ok"
    counts = line.counts()
    assert counts["late_p50_us"] < 5_000
    assert counts["refused_by_device"] == 0


@needs_line
def test_a_command_runs_at_its_end_alone_and_its_status_is_given(line: Line) -> None:
    names = [sys.executable, "-c", "import socket; print(sorted(name for _, name in socket.if_nameindex()))"]
    for side, name in ((line.client, "client"), (line.peer, "peer")):
        done = side.run(names, capture_output=True, text=True)
        assert done.stdout == f"{sorted(['lo', name])}\n"
        assert side.run([sys.executable, "-c", "raise SystemExit(3)"]).returncode == 3
    missing = line.client.run(["no-such-program"], capture_output=True, text=True)
    assert (missing.returncode, missing.stderr) == (
        1,
        "no-such-program can't be run: No such file or directory\n",
    )


@pytest.mark.parametrize("wrong", [{"round_trip": -1}, {"round_trip": 61}, {"loss": 1.1}, {"mtu": 100}])
def test_a_number_out_of_bounds_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} is "):
        Line(**wrong)  # type: ignore[arg-type]


@needs_line
def test_wrong_orders_are_refused(line: Line) -> None:
    with pytest.raises(ValueError, match="a hole is up or down, not 'left'"):
        line.hole("left")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="drop or reset, not 'fin'"):
        line.forget_connections("fin")  # type: ignore[arg-type]
    line.close()
    with pytest.raises(LineError, match="gone"):
        line.cut()


# -- Nothing is left behind


def _namespaces_of(process: int) -> set[str]:
    """The network namespaces that a process is in or holds open."""
    found = set()
    with contextlib.suppress(OSError):
        found.add(os.readlink(f"/proc/{process}/ns/net"))
        for each in os.listdir(f"/proc/{process}/fd"):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{process}/fd/{each}"))
    return {each for each in found if each.startswith("net:")}


def _namespaces(older_than: float) -> set[str]:
    """The network namespaces of all processes that were started before a time: a later one's may have got the
    number of one that is gone.
    """
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.create_time() < older_than:
                found |= _namespaces_of(process.pid)
    return found


def _links() -> set[str]:
    """The devices of this process's own namespace."""
    return set(os.listdir("/sys/class/net"))


@needs_line
def test_a_line_whose_process_is_killed_says_so_and_closes(line: Line) -> None:
    line.set(loss=1)
    os.kill(line.pid, signal.SIGKILL)
    psutil.Process(line.pid).wait(timeout=10)
    with pytest.raises(LineError, match="the line's process is gone"), line:
        line.cut()
    with pytest.raises(LineError, match="the line's process is gone"):
        line.measure(1)


@needs_line
@pytest.mark.parametrize("what", ["measure", "carry"])
def test_a_line_that_is_killed_within_a_measurement_says_so_at_once(line: Line, what: str) -> None:
    line.set(round_trip=1.0)
    threading.Timer(0.5, os.kill, (line.pid, signal.SIGKILL)).start()
    begun = time.monotonic()
    with pytest.raises(LineError, match="the line's process is gone"):
        line.measure(20) if what == "measure" else line.carry(1000)
    assert time.monotonic() - begun < 5
    assert not [each for each in psutil.Process().children() if each.name() == "enter.py"]


@needs_line
def test_a_closed_line_leaves_nothing() -> None:
    links, children = _links(), len(psutil.Process().children(recursive=True))
    files = len(os.listdir("/proc/self/fd"))
    with Line() as line:
        assert line.client.run(["true"]).returncode == 0
        made = _namespaces_of(line.pid) - _namespaces_of(os.getpid())
        assert len(made) == 2
        assert made <= _namespaces(time.time())
        ended = time.time()
    assert not made & _namespaces(ended)
    assert (_links(), len(psutil.Process().children(recursive=True))) == (links, children)
    assert len(os.listdir("/proc/self/fd")) == files


@needs_line
def test_a_line_whose_process_is_gone_says_so_and_leaves_nothing() -> None:
    files = len(os.listdir("/proc/self/fd"))
    with Line() as line:
        os.kill(line.pid, signal.SIGKILL)
        os.waitid(os.P_PID, line.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(LineError, match="the line's process is gone"):
            line.cut()
    assert not psutil.pid_exists(line.pid)
    assert len(os.listdir("/proc/self/fd")) == files


OWNER = """
import sys, time, threading
from thaw.lab.line import Line
line = Line()
threading.Thread(target=line.client.run, args=(["sleep", "600"],), daemon=True).start()
print(line.pid, flush=True); time.sleep(600)
"""


@needs_line
def test_a_killed_owner_leaves_nothing() -> None:
    links = _links()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, env=child_environment()
    )
    _read(owner.stdout)
    family: list[psutil.Process] = []
    until = time.monotonic() + 60
    while ["sleep", "600"] not in [each.cmdline() for each in family]:
        assert time.monotonic() < until, family
        time.sleep(0.01)
        family = psutil.Process(owner.pid).children(recursive=True)
    assert len(family) == 2
    made = {each for process in family for each in _namespaces_of(process.pid)} - _namespaces_of(os.getpid())
    assert len(made) == 2
    ended = time.time()
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert (len(gone), alive) == (2, [])
    assert not made & _namespaces(ended)
    assert _links() == links


def test_a_machine_without_lines_gives_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(LineError, match="the line's process is gone"):
        Line()
    assert lines.why_not() == "the line's process is gone"


def test_the_command_prints_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["line"])
    monkeypatch.setattr(command, "_row", lambda asked, loss: [f"{asked * 1e3:g}", *["1"] * 8])
    assert command.main() == 0
    lines_printed = capsys.readouterr().out.splitlines()
    assert lines_printed[0].split()[:2] == ["asked", "connect"]
    assert [line.split()[0].rstrip(",") for line in lines_printed[1:7]] == ["0", "1", "5", "20", "80", "20"]
