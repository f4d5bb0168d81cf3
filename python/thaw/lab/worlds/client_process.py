"""The process of a client that is frozen, as a world's runner sees it: commands to it, answers, freezes.

    child = Child(command, lambda pid: freezer.make("sigstop", pid))
    child.tell(op="flush", cycle=3, deadline=10.0)
    child.freeze(); child.resume()
    child.answer(timeout=30.0)

`child` is the program that runs there; lines of JSON go each way.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thaw.lab.arms import Arm
from thaw.lab.child_environment import child_environment
from thaw.lab.emulator.environment_groups import EnvironmentGroups
from thaw.lab.emulator.settings import MEMORY_MB_PER_CPU
from thaw.lab.experiment import ExperimentError, ExperimentSettings
from thaw.lab.freezer import Freezer
from thaw.lab.line import Line

_END_LIMIT = 10.0  # seconds
_LOOK_EVERY = 0.5  # seconds between looks whether line and process are there, while there is no answer
_PIPE_BYTES = 1 << 16  # a pipe holds no more


def arguments(arm: Arm, url: str, ca_file: str, settings: ExperimentSettings) -> list[str]:
    """Returns the arguments of `child` for an arm that delivers to `url`."""
    return [
        *(arm.name, url, ca_file, settings.scenario, settings.workload, str(settings.seed)),
        *(str(settings.exchange_timeout), str(settings.spans), str(settings.filler_bytes)),
    ]


def command(given: Sequence[str]) -> list[str]:
    """Returns the command that runs `child`."""
    return [sys.executable, "-m", "thaw.lab.worlds.child", *given]


class Child:
    """The client's process, which is killed at the end, stopped or not.

    Args:
      command: the command that runs `child`.
      make_freezer: makes the freezer of the process with that id.
      first: the text that is written to the process before any other, once it can be frozen.
      once_listening: the text that is written when the process says that it listens.
      ending: the signal that ends it.
      descriptors: the file descriptors that it inherits.
      line: the line at whose end it runs; a wait for an answer ends when the line is gone.
    """

    def __init__(
        self,
        command: Sequence[str],
        make_freezer: Callable[[int], Freezer],
        first: str = "",
        once_listening: str = "",
        ending: signal.Signals = signal.SIGKILL,
        descriptors: Sequence[int] = (),
        line: Line | None = None,
    ) -> None:
        self._line = line
        self._once_listening = once_listening
        self._groups: EnvironmentGroups | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._ending = ending
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._quiesced: queue.Queue[None] = queue.Queue()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
            pass_fds=descriptors,
        )
        try:
            self._freezer = make_freezer(self._process.pid)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        if first:
            self._write(first)
        self._said: list[str] = []
        self._ended = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def limit_processor(self, share: float) -> None:
        """Limits the process to a share of one processor from now on, as Lambda does with little memory.

        ExperimentError: this machine does not allow that.
        """
        groups = EnvironmentGroups.make(
            freezer=False, limits={"cpu"}, memory_mb=round(share * MEMORY_MB_PER_CPU), guarded=True
        )
        self._guard = groups.guard
        try:
            if groups.notes:
                raise ExperimentError(f"cpu_share is {share:g}: {'; '.join(groups.notes)}")
            for file in groups.joined_by:
                pathlib.Path(file).write_text(str(self._process.pid))
        except OSError as error:
            groups.remove()
            raise ExperimentError(f"cpu_share is {share:g}: {error.strerror} ({error.filename})") from None
        except BaseException:
            groups.remove()
            raise
        self._groups = groups

    def tell(self, **command: Any) -> None:
        self._write(json.dumps(command) + "\n")

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise ExperimentError(f"the client's process is gone: {self._last_errors()}") from None

    def answer(self, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                answer = self._answers.get(timeout=max(0.0, min(left, _LOOK_EVERY)))
                break
            except queue.Empty:
                if left <= _LOOK_EVERY:
                    raise ExperimentError(f"the client gave no answer in {timeout:g} s") from None
                if self._process.poll() is not None:
                    self._ended.set()  # a process that it has forked may keep its output open
            if self._line is not None:
                self._line.require_alive()
        if self._line is not None:
            self._line.require_alive()  # what did not arrive says nothing about the client then
        if answer is None:
            raise ExperimentError(f"the client's process is gone: {self._last_errors()}")
        return answer

    def quiesce(self, timeout: float) -> None:
        """Tells the client that a freeze comes, also during a flush, and waits until the client knows."""
        self.tell(op="quiesce")
        try:
            self._quiesced.get(timeout=timeout)
        except queue.Empty:
            raise ExperimentError(f"the client did not quiesce in {timeout:g} s") from None

    @property
    def has_answered(self) -> bool:
        return not self._answers.empty()

    def freeze(self) -> None:
        """Returns when no thread of the process runs."""
        self._freezer.freeze()

    def resume(self) -> None:
        self._freezer.resume()

    def close(self) -> None:
        self._process.send_signal(self._ending)
        self._freezer.close()
        try:
            self._process.wait(timeout=_END_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._groups is not None:
            self._groups.remove()
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
        self._ended.set()
        for reader in self._readers:
            reader.join(timeout=_END_LIMIT)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in _lines(self._process.stdout.fileno(), self._ended):
                if not line.strip():
                    continue  # a terminal's echo, before the guest has made it a plain line
                message = json.loads(line)
                if "quiesced" in message:
                    self._quiesced.put(None)
                elif "listening" in message:
                    self._write(self._once_listening)
                else:
                    self._answers.put(message)
        self._answers.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError, OSError):
            for line in _lines(self._process.stderr.fileno(), self._ended):
                self._said = [*self._said[-20:], line.rstrip()]

    def _last_errors(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        return " / ".join(self._said[-5:]) or f"it ended with {self._process.poll()}"


def _lines(descriptor: int, ended: threading.Event) -> Iterator[str]:
    """Gives the lines that a pipe has, until its end or, if another process keeps it open, until `ended` is
    set and what was written before is read.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    text = b""
    while True:
        last = ended.is_set()
        ready = bool(poll.poll(0 if last else _LOOK_EVERY * 1e3))
        data = os.read(descriptor, _PIPE_BYTES) if ready else b""
        *lines, text = (text + data).split(b"\n")
        for line in lines:
            yield f"{line.decode(errors='replace')}\n"
        if last or (ready and not data):
            break
    if text:
        yield text.decode(errors="replace")
