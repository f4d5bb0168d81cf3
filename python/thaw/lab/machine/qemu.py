"""World W3b's machine: QEMU, whose monitor stops the machine with its clocks.

    with Qemu(modules) as machine:
        process = subprocess.Popen(machine.command(line), stdin=subprocess.PIPE, pass_fds=machine.descriptors)
        machine.freezer.freeze(); machine.freezer.resume()

Debian's packages `qemu-system-x86` and `linux-image-cloud-amd64` have what it takes. It emulates the
processor and needs no KVM, so that a boot takes seconds of processor time. The guest's root is an initramfs,
which QEMU reads from memory: no file is written.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import sys
from typing import Any

from thaw.lab import workload
from thaw.lab.freezer import FreezerError
from thaw.lab.line import Line
from thaw.lab.machine import initramfs, network
from thaw.lab.polling import poll

EXECUTABLE = "qemu-system-x86_64"
_GUEST = str(pathlib.Path(__file__).with_name("guest.py"))
_PACKAGES = str(pathlib.Path(__file__).resolve().parents[3])
CLIENT = ("thaw.lab.machine.guest", "thaw.lab.machine.network", "thaw.lab.worlds.child")
_MEMORY = "512M"
_LIMIT = 60.0  # seconds for an answer of the monitor
_SNAPSHOT_LIMIT, _SNAPSHOT_POLL = 120.0, 0.02
# In the order in which they are loaded.
_MODULES = (
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "drivers/net/virtio_net.ko",
)


def missing_program() -> str | None:
    """Returns None, or what is not installed."""
    if shutil.which(EXECUTABLE) is None:
        return f"{EXECUTABLE} is not installed (Debian's package qemu-system-x86 has it)"
    if _kernel() is None:
        return (
            "a kernel with its modules, of Debian's package linux-image-cloud-amd64, is in none of"
            f" {', '.join(map(str, _roots()))}"
        )
    return None


def _kernel() -> tuple[pathlib.Path, pathlib.Path] | None:
    """Returns the newest kernel, and the folder of its modules."""
    for root in _roots():
        for kernel in sorted(root.glob("boot/vmlinuz-*-cloud-amd64"), reverse=True):
            modules = root / "lib/modules" / kernel.name.removeprefix("vmlinuz-") / "kernel"
            if os.access(kernel, os.R_OK) and all((modules / each).exists() for each in _MODULES):
                return kernel, modules
    return None


def _roots() -> list[pathlib.Path]:
    """Returns the folders in which the kernel's package can be: installed, or unpacked by `tools/setup
    --all`.
    """
    if given := os.environ.get("THAW_LAB_KERNEL_ROOT"):
        return [pathlib.Path(given)]
    return [pathlib.Path("/"), workload.cache_folder() / "thaw-lab" / "kernel"]


class Qemu:
    """A machine that is started once.

    Args:
      modules: the modules that its client imports, besides the laboratory's own.
      files: the paths of other files that its client reads.
      snapshot: a file that another machine was saved to, of which this one goes on. It does not boot; when
        it is loaded, it stands still until it is resumed.
    """

    def __init__(
        self, modules: tuple[str, ...] = (), files: tuple[str, ...] = (), snapshot: int | None = None
    ) -> None:
        found = _kernel()
        assert found is not None  # `missing_program` says so
        self._kernel, folder = found
        self._modules = [str(folder / each) for each in _MODULES]
        wanted = [*initramfs.client_files((*CLIENT, *modules)), "/etc/ld.so.cache", _GUEST]
        archive = initramfs.pack([*wanted, *self._modules, *files])
        self._archive = os.memfd_create("initramfs")
        with os.fdopen(self._archive, "wb", closefd=False) as file:
            file.write(archive)
        # A file of its own, which is read from its beginning.
        self._snapshot = None if snapshot is None else os.open(f"/proc/self/fd/{snapshot}", os.O_RDONLY)
        own, self._machines = socket.socketpair()
        self.freezer = Monitor(own)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors that the machine's process inherits."""
        snapshot = () if self._snapshot is None else (self._snapshot,)
        return self._archive, self._machines.fileno(), *snapshot

    def command(self, line: Line) -> list[str]:
        """Returns the command of the machine at the client's end of a line. `launch` says what it reads
        first.
        """
        executable = shutil.which(EXECUTABLE)
        assert executable is not None  # `missing_program` says so
        guest = ["-P", "-B", _GUEST, "eth0", "/dev/ttyS0", _PACKAGES, *self._modules]
        kernel = ["quiet", "console=ttyS1", "panic=-1", "mitigations=off", "random.trust_cpu=on"]
        machine = [
            *(executable, "-machine", "pc,accel=tcg", "-cpu", "max", "-m", _MEMORY),
            *("-nodefaults", "-no-reboot", "-display", "none"),
            *("-kernel", str(self._kernel), "-initrd", f"/proc/self/fd/{self._archive}"),
            *("-append", " ".join([*kernel, f"rdinit={sys.executable}", "--", *guest])),
            *("-serial", "stdio"),
            *("-chardev", "file,id=said,path=/proc/self/fd/2", "-serial", "chardev:said"),
            *("-chardev", f"socket,id=monitor,fd={self._machines.fileno()}"),
            *("-mon", "chardev=monitor,mode=control"),
            *("-netdev", f"tap,id=line,ifname={network.DEVICE},script=no,downscript=no"),
            *("-device", "virtio-net-pci,netdev=line,romfile="),
        ]
        if self._snapshot is not None:
            machine += ["-incoming", f"fd:{self._snapshot}"]
        return line.client.command([sys.executable, "-m", "thaw.lab.machine.launch", *machine])

    def close(self) -> None:
        os.close(self._archive)
        if self._snapshot is not None:
            os.close(self._snapshot)
        self._machines.close()
        self.freezer.disconnect()

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


class Monitor:
    """Stops and continues a machine by QEMU's monitor (QMP). A freezer."""

    name = "monitor"

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(_LIMIT)
        self._text = b""
        self._ready = False

    def freeze(self) -> None:
        self._ask("stop")

    def resume(self) -> None:
        self._ask("cont")

    def save(self, file: int) -> None:
        """Writes the state of a machine that stands still, its memory included, into an open file."""
        # The descriptor goes with the first byte of the command that names it.
        self._ask("getfd", descriptor=file, fdname="snapshot")
        self._ask("migrate", uri="fd:snapshot")
        self._await("query-migrate", {"completed"}, failed={"failed", "cancelled"})

    def await_loaded(self) -> None:
        """Waits until the machine has read its snapshot."""
        self._await("query-status", {"paused"}, failed={"internal-error", "guest-panicked", "shutdown"})

    def _await(self, command: str, done: set[str], *, failed: set[str]) -> None:
        def outcome() -> str | None:
            status = self._ask(command).get("status")
            return status if status in done | failed else None

        status = poll(outcome, _SNAPSHOT_LIMIT, every=_SNAPSHOT_POLL)
        if status not in done:
            said = f"says {status}" if status else f"does not end within {_SNAPSHOT_LIMIT:g} s"
            raise FreezerError(f"the machine's snapshot: {command} {said}")

    def close(self) -> None:
        """Does nothing: the machine's process is ended as a running one is."""

    def disconnect(self) -> None:
        self._connection.close()

    def _ask(self, command: str, descriptor: int | None = None, **arguments: str) -> Any:
        if not self._ready:
            self._ready = True
            self._message()  # the greeting
            self._ask("qmp_capabilities")
        asked = {"execute": command, **({"arguments": arguments} if arguments else {})}
        try:
            text = json.dumps(asked).encode() + b"\n"
            socket.send_fds(self._connection, [text], [] if descriptor is None else [descriptor])
        except OSError as error:
            raise FreezerError(f"the machine's monitor is gone: {error}") from error
        while True:
            message = self._message()
            if "error" in message:
                raise FreezerError(f"the machine's monitor refused {command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]

    def _message(self) -> dict[str, Any]:
        try:
            while b"\n" not in self._text:
                data = self._connection.recv(1 << 16)
                if not data:
                    raise FreezerError("the machine's monitor is gone")
                self._text += data
        except OSError as error:
            raise FreezerError(f"the machine's monitor gave no answer: {error}") from error
        line, _, self._text = self._text.partition(b"\n")
        return dict(json.loads(line))
