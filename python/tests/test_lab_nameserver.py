"""The laboratory's nameserver answers, or keeps silent, as it is told to."""

from __future__ import annotations

import pathlib
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from thaw.lab.child_environment import child_environment
from thaw.lab.emulator import EmulatorError, Lambda, Settings
from thaw.lab.nameserver import Aaaa, Nameserver

from .emulated import runtime

A, AAAA, TXT = 1, 28, 16


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver({"intake.lab": "127.0.0.2"}, port=0) as made:
        yield made


@pytest.fixture
def client(nameserver: Nameserver) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect(("127.0.0.1", nameserver.port))
        made.settimeout(10)
        yield made


def question(number: int, name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


def answer(client: socket.socket) -> tuple[int, int, bytes]:
    """Its number, its code, and the record that it ends with."""
    message = client.recv(4096)
    number, flags, questions, records, *_ = struct.unpack_from(">HHHHHH", message)
    assert (flags & 0x8000, questions) == (0x8000, 1)
    return number, flags & 0xF, message[-4:] if records else b""


def test_a_name_has_its_address_whatever_its_case(client: socket.socket, nameserver: Nameserver) -> None:
    for number, name in enumerate(("intake.lab", "InTaKe.LAB")):
        client.send(question(number, name, A))
        assert answer(client) == (number, 0, b"\x7f\x00\x00\x02")
    client.send(question(9, "other.lab", A))
    assert answer(client) == (9, 3, b"")
    client.send(question(10, "intake.lab", TXT))
    assert answer(client) == (10, 0, b"")
    assert nameserver.asked == {"A": 3, "16": 1}


@pytest.mark.parametrize(("aaaa", "code"), [("empty", 0), ("servfail", 2), ("refused", 5)])
def test_a_question_for_ipv6_gets_what_is_set(
    client: socket.socket, nameserver: Nameserver, aaaa: Aaaa, code: int
) -> None:
    nameserver.aaaa = aaaa
    client.send(question(1, "intake.lab", AAAA))
    assert answer(client) == (1, code, b"")
    client.send(question(2, "intake.lab", A))
    assert answer(client) == (2, 0, b"\x7f\x00\x00\x02")


def test_silence_is_no_answer_to_aaaa_and_one_to_a(client: socket.socket, nameserver: Nameserver) -> None:
    nameserver.aaaa = "silent"
    client.send(question(1, "intake.lab", AAAA))
    client.send(question(2, "intake.lab", A))
    # Questions are answered in their order: what comes first says that nothing came before.
    assert answer(client) == (2, 0, b"\x7f\x00\x00\x02")
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(4096)
    assert nameserver.asked == {"AAAA": 1, "A": 1}


def test_bytes_that_are_no_question_end_nothing(client: socket.socket) -> None:
    for data in (
        b"x",
        b"",
        question(1, "intake.lab", A)[:-3],
        b"\xff" * 40,
        question(1, "intake.lab", A)[:14],
    ):
        client.send(data)
    client.send(question(2, "intake.lab", A))
    assert answer(client) == (2, 0, b"\x7f\x00\x00\x02")


# -- Where it is asked ---------------------------------------------------------------------------------------

# A process in a network of its own, whose function's resolver is the C library's.
PROGRAM = """
import asyncio, pathlib, sys, tempfile
from thaw.lab import own_network
from thaw.lab.emulator import Lambda, Settings
from thaw.lab.nameserver import Nameserver

async def main(command):
    with tempfile.TemporaryDirectory() as folder, Nameserver({"intake.lab": "127.0.0.2"}) as nameserver:
        over = {pathlib.Path("/etc/resolv.conf"): nameserver.resolv_conf(pathlib.Path(folder))}
        async with Lambda(command, settings=Settings(files_over=over)) as sandbox:
            print((await sandbox.invoke()).json(), nameserver.asked["A"] > 0)

if (note := own_network.enter(65536)) is not None:
    sys.exit(f"skip: {note}")
asyncio.run(main(sys.argv[1:]))
"""


def test_a_function_asks_it_in_a_network_of_its_own(tmp_path: pathlib.Path) -> None:
    program = """
    import socket
    for request_id, event, headers in invocations():
        respond(request_id, socket.gethostbyname("intake.lab"))
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *runtime(tmp_path, program)],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "skip: " in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout.strip() == "127.0.0.2 True", done.stderr


async def test_files_over_the_machines_are_seen_by_the_environment_alone(tmp_path: pathlib.Path) -> None:
    mine, other = pathlib.Path("/etc/hostname"), tmp_path / "hostname"
    if not mine.exists():
        pytest.skip("this machine has no /etc/hostname")
    before = mine.read_text()
    other.write_text("elsewhere\n")
    program = """
    for request_id, event, headers in invocations():
        respond(request_id, open("/etc/hostname").read())
    """
    async with Lambda(runtime(tmp_path, program), settings=Settings(files_over={mine: other})) as sandbox:
        try:
            assert (await sandbox.invoke()).json() == "elsewhere\n"
        except EmulatorError as error:
            pytest.skip(str(error))
    assert mine.read_text() == before


async def test_a_file_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    over = {pathlib.Path("/etc/no-such-file"): tmp_path / "nothing"}
    async with Lambda(runtime(tmp_path), settings=Settings(files_over=over)) as sandbox:
        with pytest.raises(EmulatorError, match=r"can't be started: .*(/etc/no-such-file|unshare)"):
            await sandbox.invoke()
