"""The processes of an environment: started, listened to, waited for, and ended without trace.

Each process leads a process group of its own, which is killed when the process ends, and all of them end
with the emulator. A process that does nothing else starts them: `launcher`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab.emulator import launcher
from thaw.lab.emulator.errors import EmulatorError
from thaw.lab.emulator.opt_folder import OptFolder
from thaw.lab.emulator.timestamps import now_ns

_LONGEST_LINE = 256 << 10  # bytes; Lambda cuts longer lines
_PIPE, _SMALL_PIPE = 1 << 16, 1 << 12  # bytes; the latter while output is not read
_OUTPUT_LIMIT = 1.0  # seconds for which output is awaited after the end
_START_LIMIT = 30.0


@dataclass(frozen=True)
class Usage:
    """Resources that a program has used, its threads together. Processor time counts from its exec."""

    cpu_ns: int
    resident_bytes: int
    peak_resident_bytes: int
    threads: int


class Launcher:
    """Starts processes, from the loop's thread. Ends them all when it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._processes: dict[int, Process] = {}
        # Processes that ended before the launcher told of their start.
        self._ended: dict[int, dict[str, Any]] = {}
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-SE", launcher.__file__, str(other.fileno())], pass_fds=[other.fileno()]
            )
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._read)

    async def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: pathlib.Path,
        joins: Sequence[str] = (),
        opt: OptFolder | None = None,
        files_over: Mapping[pathlib.Path, pathlib.Path] | None = None,
        on_line: Callable[[str], None],
        on_exit: Callable[[Process], None],
    ) -> Process:
        """Starts a program. `joins` are the files of cgroups that take it in (EnvironmentGroups.joined_by);
        `files_over` are seen in place of the machine's.

        Raises EmulatorError: it can't be started.
        """
        number = next(self._numbers)
        asked = {
            "id": number,
            "command": list(command),
            "environment": dict(environment),
            "folder": str(folder),
            "joins": list(joins),
            "opt": opt.options if opt is not None else "",
            "files_over": {str(path): str(file.resolve()) for path, file in (files_over or {}).items()},
        }
        answer = self._asked[number] = self._loop.create_future()
        output, input_ = os.pipe()
        try:
            socket.send_fds(self._socket, [json.dumps(asked).encode()], [input_])
            told = await asyncio.wait_for(answer, _START_LIMIT)
            if "error" in told:
                raise EmulatorError(f"{name} can't be started: {told['error']}")
        except (OSError, TimeoutError, EmulatorError) as error:
            os.close(output)
            if isinstance(error, EmulatorError):
                raise
            raise EmulatorError(
                f"{name} can't be started: {error or 'the launcher does not answer'}"
            ) from error
        finally:
            os.close(input_)
            del self._asked[number]
        made = Process(name, told["pid"], told["exec_ns"], told["cpu_before_ns"], output, on_line, on_exit)
        self._processes[made.pid] = made
        if (end := self._ended.pop(made.pid, None)) is not None:
            self._loop.call_soon(self._end, made, end)
        return made

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._process.wait()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := self._socket.recv(launcher.MOST_MESSAGE_BYTES):
                self._take(json.loads(data))
            self._lost()

    def _lost(self) -> None:
        """Records that the launcher is gone; the kernel has ended the processes that it started."""
        self._loop.remove_reader(self._socket)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_result({"error": "the launcher is gone"})
        for process in list(self._processes.values()):
            self._end(process, {"code": -signal.SIGKILL, "exit_ns": now_ns()})

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            answer = self._asked.get(message["id"])
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif (process := self._processes.get(message["pid"])) is not None:
            self._end(process, message)
        else:
            self._ended[message["pid"]] = message

    def _end(self, process: Process, message: dict[str, Any]) -> None:
        self._processes.pop(process.pid, None)
        process.end(message["code"], message["exit_ns"])


class Process:
    """One program of the environment. Made by `Launcher.start`.

    Attributes:
      name: an extension's file name, or "runtime".
      exec_ns: the time at which the process became the program, by its own clock reading.
      cpu_before_ns: the processor time that the launcher's child had used until then.
      exit_ns, exit_code: the time and the status of its end; a negative code is a signal's number, as in
        subprocess.
    """

    def __init__(
        self,
        name: str,
        pid: int,
        exec_ns: int,
        cpu_before_ns: int,
        output: int,
        on_line: Callable[[str], None],
        on_exit: Callable[[Process], None],
    ) -> None:
        self.name = name
        self.pid = pid
        self.exec_ns = exec_ns
        self.cpu_before_ns = cpu_before_ns
        self.exit_ns = 0
        self.exit_code: int | None = None
        self._on_exit = on_exit
        self._gone = asyncio.Event()
        self._output = _Lines(output, on_line)

    @property
    def alive(self) -> bool:
        return self.exit_code is None

    def terminate(self) -> None:
        """Sends SIGTERM to the program alone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL to its whole group."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def stop_reading(self) -> None:
        """Stops reading its output: once a small pipe is full, a write blocks or fails."""
        self._output.stop()

    def read_on(self) -> None:
        self._output.go_on()

    def usage(self) -> Usage | None:
        """Returns the resources used until now; None if the program has ended."""
        with contextlib.suppress(OSError, KeyError, ValueError):
            proc = pathlib.Path(f"/proc/{self.pid}")
            fields = dict(
                line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
            )
            tasks = os.listdir(proc / "task")
            cpu = [int((proc / "task" / task / "schedstat").read_text().split()[0]) for task in tasks]
            resident, peak = (int(fields[name].split()[0]) << 10 for name in ("VmRSS", "VmHWM"))
            return Usage(sum(cpu) - self.cpu_before_ns, resident, peak, len(tasks))
        return None

    async def gone(self) -> None:
        """Returns when the process has ended and its output was read."""
        await self._gone.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._output.ended.wait(), _OUTPUT_LIMIT)
        self._output.close()

    def end(self, exit_code: int, exit_ns: int) -> None:
        """Records the end that the launcher has reported."""
        self.exit_code, self.exit_ns = exit_code, exit_ns
        self.read_on()
        self._gone.set()
        self._on_exit(self)


class _Lines:
    """Reads a pipe as lines of bounded length."""

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self.ended = asyncio.Event()
        self._descriptor = descriptor
        self._on_line = on_line
        self._rest = b""
        self._open = self._reads = True
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def stop(self) -> None:
        if self._open and self._reads:
            self._reads = False
            self._loop.remove_reader(self._descriptor)
            with contextlib.suppress(OSError):  # the pipe holds more than that already
                fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _SMALL_PIPE)

    def go_on(self) -> None:
        if self._open and not self._reads:
            self._reads = True
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
            self._loop.add_reader(self._descriptor, self._read)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            if self._rest:
                self._pass_on(self._rest)
            self.ended.set()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._pass_on(line)
        if len(self._rest) >= _LONGEST_LINE:
            self._pass_on(self._rest)
            self._rest = b""

    def _pass_on(self, line: bytes) -> None:
        for begin in range(0, len(line), _LONGEST_LINE):
            self._on_line(line[begin : begin + _LONGEST_LINE].decode("utf-8", "replace"))
