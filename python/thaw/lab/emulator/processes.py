"""The processes of an environment: started, listened to, waited for, and ended without trace.

Each one leads a process group of its own. Whatever it has left when it ends is ended, too, and all of them
end with the emulator.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import mmap
import os
import pathlib
import signal
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from thaw.lab.emulator.errors import EmulatorError
from thaw.lab.emulator.opt_folder import OptFolder
from thaw.lab.emulator.timestamps import now_ns

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LONGEST_LINE = 256 << 10  # Lambda cuts what is longer
_OUTPUT_LIMIT = 1.0  # seconds that output is awaited after the end

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Usage:
    """What a process has used up to now, its threads together."""

    cpu_ns: int
    resident_bytes: int
    peak_resident_bytes: int
    threads: int


class Process:
    """One program of the environment. Made by `start`, in the loop's thread.

    Attributes:
      name: an extension's file name, or "runtime".
      exec_ns: when it became the program, told by the process itself.
      exit_ns, exit_code: of its end; a negative code is a signal's number, as in subprocess.
    """

    def __init__(
        self,
        name: str,
        popen: subprocess.Popen[bytes],
        exec_ns: int,
        on_line: Callable[[str], None],
        on_exit: Callable[[Process], None],
    ) -> None:
        self.name = name
        self.pid = popen.pid
        self.exec_ns = exec_ns
        self.exit_ns = 0
        self.exit_code: int | None = None
        self._popen = popen
        self._on_exit = on_exit
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.pidfd_open(popen.pid)
        self._loop.add_reader(self._descriptor, self._on_end)
        assert popen.stdout is not None
        self._output = _Lines(popen.stdout.fileno(), on_line)

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: pathlib.Path,
        joins: Sequence[str],
        opt: OptFolder | None,
        on_line: Callable[[str], None],
        on_exit: Callable[[Process], None],
    ) -> Process:
        """Starts a program. `joins` are the files of cgroups that take it in (cgroups.Groups.joined_by).

        Raises EmulatorError: it can't be started.
        """
        emulator = os.getpid()
        with mmap.mmap(-1, 8) as begun:

            def prepare() -> None:
                # A stopped process doesn't see that its emulator is gone: the kernel is to kill it.
                _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != emulator:
                    os._exit(1)
                for file in joins:
                    descriptor = os.open(file, os.O_WRONLY)
                    os.write(descriptor, b"0")
                    os.close(descriptor)
                if opt is not None:
                    opt.enter()
                begun[:] = struct.pack("q", now_ns())

            try:
                popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=dict(environment),
                    process_group=0,
                    preexec_fn=prepare,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise EmulatorError(f"{name} can't be started ({command[0]}): {error}") from error
            (exec_ns,) = struct.unpack("q", begun[:])
        return cls(name, popen, exec_ns, on_line, on_exit)

    @property
    def alive(self) -> bool:
        return self.exit_code is None

    def terminate(self) -> None:
        """SIGTERM, to the program alone."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, to its whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def usage(self) -> Usage | None:
        """None if it has ended."""
        with contextlib.suppress(OSError, KeyError, ValueError):
            proc = pathlib.Path(f"/proc/{self.pid}")
            fields = dict(
                line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
            )
            tasks = os.listdir(proc / "task")
            cpu = [int((proc / "task" / task / "schedstat").read_text().split()[0]) for task in tasks]
            resident, peak = (int(fields[name].split()[0]) << 10 for name in ("VmRSS", "VmHWM"))
            return Usage(sum(cpu), resident, peak, len(tasks))
        return None

    async def gone(self) -> None:
        """Returns when it has ended and what it wrote was read."""
        await self._gone.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._output.ended.wait(), _OUTPUT_LIMIT)
        self._output.close()
        assert self._popen.stdout is not None
        self._popen.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            self._popen.send_signal(number)

    def _on_end(self) -> None:
        self.exit_ns = now_ns()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.exit_code = self._popen.wait()
        self.kill()
        self._gone.set()
        self._on_exit(self)


class _Lines:
    """Reads a pipe as lines of bounded length."""

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self.ended = asyncio.Event()
        self._descriptor = descriptor
        self._on_line = on_line
        self._rest = b""
        self._open = True
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            if self._rest:
                self._say(self._rest)
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
            self._say(line)
        if len(self._rest) >= _LONGEST_LINE:
            self._say(self._rest)
            self._rest = b""

    def _say(self, line: bytes) -> None:
        for begin in range(0, len(line), _LONGEST_LINE):
            self._on_line(line[begin : begin + _LONGEST_LINE].decode("utf-8", "replace"))
