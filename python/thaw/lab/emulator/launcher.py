"""The process that starts an environment's processes: small, so that a fork of it takes no time.

    python -SE launcher.py DESCRIPTOR

The emulator is large and in the middle of serving when a runtime has to be started; were it to fork itself,
an extension that asks for its first event meanwhile would seem slow. `processes.Launcher` is the other end
of the socket. Each message is JSON. A request names the program and comes with the descriptor for its
output; the answer has the pid, the time of the exec and the processor time used before it, or the error. A
further message tells of the end of each process.

This program imports nothing of the laboratory. It ends when its socket closes, and the kernel ends the
processes that it started.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any

MOST_MESSAGE_BYTES = 1 << 20

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CLONE_NEWNS = 0x00020000  # linux/sched.h
_MS_RDONLY, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 0x1000, 0x4000, 1 << 18  # linux/mount.h

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    emulator = socket.socket(fileno=int(sys.argv[1]))
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the emulator
    while True:
        ready, _, _ = select.select([emulator, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell_ends(emulator)
        if emulator in ready:
            message, descriptors, _, _ = socket.recv_fds(emulator, MOST_MESSAGE_BYTES, 1)
            if not message:
                return
            asked = json.loads(message)
            _send(emulator, {"id": asked["id"], **_start(asked, descriptors[0])})
            os.close(descriptors[0])


def _send(emulator: socket.socket, message: dict[str, Any]) -> None:
    try:
        emulator.send(json.dumps(message).encode())
    except OSError:
        sys.exit(0)


def _tell_ends(emulator: socket.socket) -> None:
    while True:
        try:
            end = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if end is None:
            return
        when = time.monotonic_ns()
        # Ends the rest of its process group. The kernel gives the number to no other process before the wait.
        with contextlib.suppress(OSError):
            os.killpg(end.si_pid, signal.SIGKILL)
        _, status = os.waitpid(end.si_pid, 0)
        _send(emulator, {"pid": end.si_pid, "code": os.waitstatus_to_exitcode(status), "exit_ns": when})


def _start(asked: dict[str, Any], output: int) -> dict[str, Any]:
    """Starts a program. Returns the answer to the emulator: pid, exec_ns and cpu_before_ns, or error."""
    told, tells = os.pipe()
    launcher = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(asked, output, tells, launcher)
        except OSError as error:
            os.write(tells, f"!{error.strerror} ({error.filename or asked['command'][0]})".encode())
        finally:
            os._exit(127)
    os.close(tells)
    said = b""
    while piece := os.read(told, 4096):
        said += piece
    os.close(told)
    when, _, why_not = said.decode().partition("!")
    if why_not or not when:
        return {"error": why_not or "it ended before it was a program"}
    exec_ns, cpu_before_ns = map(int, when.split())
    return {"pid": pid, "exec_ns": exec_ns, "cpu_before_ns": cpu_before_ns}


def _become(asked: dict[str, Any], output: int, tells: int, launcher: int) -> None:
    """Becomes the program, in the new process. Returns only by OSError."""
    os.setpgid(0, 0)
    # A stopped process doesn't see that the emulator is gone, so the kernel is told to kill it.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:
        return
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for file in asked["joins"]:
        descriptor = os.open(file, os.O_WRONLY)
        os.write(descriptor, b"0")
        os.close(descriptor)
    if asked["opt"] or asked["files_over"]:
        _see_other_files(asked["opt"].encode(), asked["files_over"])
    os.chdir(asked["folder"])
    command, environment = asked["command"], asked["environment"]
    os.write(tells, f"{time.monotonic_ns()} {time.process_time_ns()}".encode())
    os.execvpe(command[0], command, environment)


def _see_other_files(opt: bytes, files_over: dict[str, str]) -> None:
    """Lays the overlay over /opt, if there is one, and these files over others, for this process alone."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _check(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "mount /")
    if opt:
        _check(_libc.mount(b"overlay", b"/opt", b"overlay", _MS_RDONLY, opt), "mount /opt")
    for path, file in files_over.items():
        _check(_libc.mount(file.encode(), path.encode(), None, _MS_BIND, None), f"mount {path}")


def _check(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main()
