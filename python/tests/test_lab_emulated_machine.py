"""World W3b: an emulated machine is stopped together with its clocks; and the files that it boots with."""

from __future__ import annotations

import os
import pathlib
import socket
import stat
import subprocess
import sys
import threading

import pytest

from thaw.lab import arms, report
from thaw.lab.child_environment import child_environment
from thaw.lab.command_line import main
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import compare
from thaw.lab.freezer import FreezerError
from thaw.lab.intake import Intake
from thaw.lab.machine import initramfs, qemu
from thaw.lab.worlds import availability, w3_machine

REASON = availability.why_not("W3b")
needs_machine = pytest.mark.skipif(REASON is not None, reason=f"no emulated machine here: {REASON}")


@needs_machine
def test_an_emulated_machine_is_stopped_with_its_clocks_and_thaw_delivers_all() -> None:
    settings = ExperimentSettings(
        arms=("thaw",),
        world="W3b",
        close="silent",
        cycles=3,
        payloads=2,
        workload="generated",
        freeze=1.0,
        exchange_timeout=20.0,
    )
    made = compare.run(settings)
    figures = made.result.arms["thaw"]
    assert (figures.delivered, figures.lost, figures.duplicated) == (6, 0, 0)
    clocks = figures.clocks
    assert clocks is not None
    assert clocks.frozen >= 2.0
    for lost in (clocks.wall, clocks.monotonic, clocks.boot):
        assert lost == pytest.approx(clocks.frozen, abs=0.7)
    assert "in which its wall clock lost" in report.terminal_table(made.result)


def test_without_qemu_or_a_kernel_w3b_is_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    given = ["compare", "--world=W3b", "--close=nat", "--arms=thaw", "--cycles=1", "--workload=generated"]
    monkeypatch.setattr(qemu, "EXECUTABLE", "no-such-qemu")
    assert main(given) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "thaw.lab: world W3b can't be run here: no-such-qemu is not installed"
        " (Debian's package qemu-system-x86 has it)"
    )
    monkeypatch.setattr(qemu, "EXECUTABLE", "true")
    monkeypatch.setenv("THAW_LAB_KERNEL_ROOT", str(tmp_path))
    assert main(given) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "thaw.lab: world W3b can't be run here: a kernel with its modules, of Debian's"
        f" package linux-image-cloud-amd64, is in none of {tmp_path}"
    )


# -- The monitor


def monitor(answers: list[bytes]) -> qemu.Monitor:
    """A freezer whose monitor greets, and gives these answers."""
    own, other = socket.socketpair()

    def serve() -> None:
        with other:
            other.sendall(b'{"QMP": {}}\r\n')
            for answer in answers:
                other.recv(1 << 16)
                other.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return qemu.Monitor(own)


def test_events_of_the_monitor_are_passed_over() -> None:
    done = b'{"return": {}}\r\n'
    stopper = monitor([done, b'{"event": "STOP"}\r\n{"return": {}}\r\n', b'{"event": "RESUME"}\r\n' + done])
    stopper.freeze()
    stopper.resume()
    with pytest.raises(FreezerError, match="the machine's monitor"):
        stopper.freeze()  # it has no more answers
    stopper.disconnect()


def test_a_monitor_that_refuses_or_is_gone_is_an_error_of_the_freezer() -> None:
    refusing = monitor(
        [b'{"return": {}}\r\n', b'{"error": {"class": "GenericError", "desc": "not now"}}\r\n']
    )
    with pytest.raises(FreezerError, match="the machine's monitor refused stop: not now"):
        refusing.freeze()
    refusing.disconnect()
    gone = monitor([])
    with pytest.raises(FreezerError, match="the machine's monitor"):
        gone.freeze()
    gone.disconnect()


# -- The archive


def unpack(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """The mode and the content of each member of a cpio archive (newc), in order."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        at += (110 + name_size + 3) // 4 * 4
        content = archive[at : at + size]
        at += (size + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert at == len(archive)
            return found
        assert name not in found
        found[name] = (mode, content)


def test_an_archive_has_folders_before_files_and_links_with_their_targets(tmp_path: pathlib.Path) -> None:
    real = tmp_path / "usr" / "lib"
    real.mkdir(parents=True)
    (real / "libx.so.1.2").write_bytes(b"library")
    (real / "libx.so.1").symlink_to("libx.so.1.2")
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "tool").write_bytes(b"#!")
    (tmp_path / "tool").chmod(0o755)
    packed = initramfs.pack(
        [f"{tmp_path}/lib/libx.so.1", f"{tmp_path}/lib/libx.so.1.2", f"{tmp_path}/tool"],
        {"/etc/told": b"so"},
    )
    found = unpack(packed)
    top = str(tmp_path).lstrip("/")
    assert found[f"{top}/lib"] == (stat.S_IFLNK | 0o777, b"usr/lib")
    assert found[f"{top}/usr/lib/libx.so.1"] == (stat.S_IFLNK | 0o777, b"libx.so.1.2")
    assert found[f"{top}/usr/lib/libx.so.1.2"][1] == b"library"
    assert found[f"{top}/tool"] == (stat.S_IFREG | 0o755, b"#!")
    assert found["etc/told"] == (stat.S_IFREG | 0o644, b"so")
    names = list(found)
    for name in names:
        parent = os.path.dirname(name)
        assert not parent or names.index(parent) < names.index(name)


def test_a_client_takes_python_the_loader_and_the_native_module_with_it() -> None:
    files = initramfs.client_files(("thaw.lab.worlds.child",))
    assert any(each.endswith("thaw/_native.so") or "_native" in each for each in files)
    assert any(each.endswith("/encodings/__init__.py") for each in files)
    assert "/lib64/ld-linux-x86-64.so.2" in files
    assert all(pathlib.Path(each).exists() for each in files)


_SENDS = """
import importlib, sys
name, url, ca_file, *modules = sys.argv[1:]
for module in modules:
    importlib.import_module(module)
from thaw.lab import arms
from thaw.lab.worlds import child
from thaw.lab.workload import Workload
before = set(sys.modules)
client = child.make(arms.parse(name), url, ca_file, "idle", 20.0)
client.prepare((0, 0), Workload(spans=1).body(0, 0))
assert client.flush(20.0) == {"delivered": 1, "errors": []}
print(sorted(each for each in set(sys.modules) - before if getattr(sys.modules[each], "__file__", None)))
"""


@pytest.mark.parametrize("name", ["requests", "urllib3", "aiohttp", "httpx", "pycurl", "pycurl-http2"])
def test_a_machine_has_each_module_that_an_arm_imports(name: str) -> None:
    with Intake() as intake:
        modules = (*qemu.CLIENT, *w3_machine.modules_of(arms.parse(name)))
        done = subprocess.run(
            [sys.executable, "-c", _SENDS, name, intake.url, intake.ca_file, *modules],
            env=child_environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    assert done.stdout == "[]\n"
