"""World W3c: machines that go on from one snapshot, and what is seen of their TLS handshakes."""

from __future__ import annotations

import json
import pathlib
import ssl

import pytest

from thaw.lab import arms
from thaw.lab.command_line import main
from thaw.lab.intake.client_hello import Hello, HelloReader
from thaw.lab.machine import qemu
from thaw.lab.worlds import availability, w3c_clones
from thaw.lab.worlds.w3c_clones import Clone, Clones

REASON = availability.why_not("W3b")
needs_machine = pytest.mark.skipif(REASON is not None, reason=f"no emulated machine here: {REASON}")


@needs_machine
@pytest.mark.slow
def test_clones_of_thaw_share_no_session_and_no_connection_and_deliver_all() -> None:
    arm = arms.parse("thaw")
    found = w3c_clones.run(arm, w3c_clones.settings_of(arm))
    assert found.shared == ()
    assert not found.kernel_repeats
    assert [(each.delivered, each.lost, each.duplicated) for each in found.machines] == [(2, 0, 0)] * 3
    # Each clone makes a full handshake: the session from before the snapshot is forgotten.
    assert [[bool(hello.ticket) for hello in each.hellos] for each in found.machines[1:]] == [
        [False],
        [False],
    ]


@needs_machine
@pytest.mark.slow
def test_clones_of_a_client_that_keeps_its_connection_share_it() -> None:
    arm = arms.parse("v93")
    found = w3c_clones.run(arm, w3c_clones.settings_of(arm))
    assert "connection" in found.shared
    assert sum(each.lost for each in found.machines) > 0


# -- What is shared ------------------------------------------------------------------------------------------


def machine(number: int, *hellos: Hello, random: str = "", connections: int = 1, requests: int = 1) -> Clone:
    return Clone(number, random, hellos, connections, requests, 2, 0, 0, ())


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (Hello("a1", "b1", ""), Hello("a2", "b2", ""), ()),
        (Hello("a0", "b1", ""), Hello("a0", "b2", ""), ("random numbers of TLS",)),
        (Hello("a1", "b1", ""), Hello("a2", "b1", ""), ("keys of TLS",)),
        (Hello("a1", "b1", "c"), Hello("a2", "b2", "c"), ("TLS session",)),
        (Hello("a1", "b1", "c"), Hello("a2", "b2", "d"), ()),
    ],
)
def test_state_that_two_clones_share_is_named(first: Hello, second: Hello, shared: tuple[str, ...]) -> None:
    saved = machine(0, Hello("a", "b", ""))
    found = Clones("thaw", (saved, machine(1, first, random="1"), machine(2, second, random="2")))
    assert found.shared == shared
    assert not found.kernel_repeats
    assert found.to_json()["shared"] == shared


def test_a_request_over_a_connection_that_a_clone_did_not_open_is_shared() -> None:
    clones = [machine(number, connections=0, random="1") for number in (1, 2)]
    found = Clones("v93", (machine(0), *clones))
    assert found.shared == ("connection",)
    assert found.kernel_repeats


# -- The first message of TLS --------------------------------------------------------------------------------


def messages(*, resumed: bool = False, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """The first bytes that OpenSSL's client sends."""
    import trustme

    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("h").configure_cert(server_side)
    client_side = ssl.create_default_context()
    client_side.minimum_version = client_side.maximum_version = version
    authority.configure_trust(client_side)
    session = None
    for _ in range(2 if resumed else 1):
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_side.wrap_bio(to_client, to_server, server_hostname="h", session=session)
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        first = to_server.read()
        to_server.write(first)
        server = server_side.wrap_bio(to_server, to_client, server_side=True)
        for end in (server, client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
        if resumed:
            server.write(b"x")
            client.read(1)
            session = client.session
    return first


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("resumed", [False, True])
def test_a_client_hello_is_read_byte_by_byte(version: ssl.TLSVersion, resumed: bool) -> None:
    data = messages(resumed=resumed, version=version)
    reader = HelloReader()
    found = [hello for byte in data if (hello := reader.feed(bytes([byte]))) is not None]
    assert found == [HelloReader().feed(data)]
    assert found[0].random == data[11:43].hex()
    assert bool(found[0].ticket) == resumed
    assert bool(found[0].key_share) == (version is ssl.TLSVersion.TLSv1_3)


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x04\x02\0\0\0", bytes(70_000)]
)
def test_bytes_that_are_no_client_hello_give_nothing(data: bytes) -> None:
    reader = HelloReader()
    assert reader.feed(data) is None
    assert reader.feed(data) is None


# -- The command ---------------------------------------------------------------------------------------------


def test_the_command_says_what_is_shared_and_fails_where_it_must_not_be(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(arm: arms.Arm, settings: object, *, reseeded: bool) -> Clones:
        assert reseeded
        old = [machine(number, connections=0, random=str(number)) for number in (1, 2)]
        return Clones(arm.name, (machine(0, Hello("a", "b", "")), *old))

    monkeypatch.setattr(w3c_clones, "run", run)
    file = tmp_path / "clones.json"
    assert main(["clones", "--arms=v93", f"--json={file}"]) == 0
    said = capsys.readouterr().out
    assert "gave each clone its own random numbers" in said
    assert said.splitlines()[1].split()[:2] == ["v93", "saved"]
    assert said.splitlines()[1].endswith("connection")
    assert json.loads(file.read_text())[0]["shared"] == ["connection"]
    assert main(["clones", "--arms=thaw"]) == 1


def test_without_qemu_clones_are_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(qemu, "EXECUTABLE", "no-such-qemu")
    assert main(["clones", "--arms=thaw"]) == 2
    assert capsys.readouterr().err == (
        "thaw.lab: world W3c can't be run here: no-such-qemu is not installed"
        " (Debian's package qemu-system-x86 has it)\n"
    )
    with pytest.raises(SystemExit):
        main(["clones", "--arms=requests"])
    assert "is not thaw's own client" in capsys.readouterr().err
