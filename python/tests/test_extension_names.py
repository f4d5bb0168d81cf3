"""Nameservers that fail, met by the executable in the emulated Lambda: what a function sends arrives.

Each test runs in a process with a network and a mount table of its own, where the intake has a name and
/etc/resolv.conf names the nameservers.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from thaw.lab.child_environment import child_environment

from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

PROGRAM = """
import asyncio, contextlib, json, pathlib, socket, sys, tempfile
from thaw.lab import own_network
from thaw.lab.certificates import Authority
from thaw.lab.emulator import Lambda, Settings, functions
from thaw.lab.intake import Intake
from thaw.lab.nameserver import Nameserver
from thaw.lab.workload.numbered_request import NumberedRequest

INVOCATIONS = 3
extension, aaaa, resolv_conf = sys.argv[1:]

async def live(intake, folder, request):
    environment = {
        **intake.agent_variables,
        "DD_SERVERLESS_FLUSH_STRATEGY": "end",
        "DD_APM_DD_URL": f"https://intake.lab:{intake.port}",
    }
    over = {pathlib.Path("/etc/resolv.conf"): folder / "resolv.conf"}
    command = functions.poster_command(*map(str, request.write(folder)))
    settings = Settings(environment=environment, files_over=over)
    async with Lambda(command, extension=pathlib.Path(extension), settings=settings) as sandbox:
        arrived = []
        for number in range(INVOCATIONS):
            await sandbox.invoke({"payloads": 1})
            spans = intake.spans()
            arrived.append(min(spans.get(span, 0) for span in request.ids(number)))
        await sandbox.shutdown("spindown")
    return arrived

def main():
    if (note := own_network.enter(65536)) is not None:
        sys.exit(f"skip: {note}")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        intake = stack.enter_context(Intake(authority=Authority(folder, ("127.0.0.1", "intake.lab"))))
        stack.enter_context(Nameserver({"intake.lab": "127.0.0.1"}, aaaa))
        # A nameserver that takes questions and says nothing.
        dead = stack.enter_context(contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        dead.bind(("127.0.0.53", 53))
        (folder / "resolv.conf").write_text(resolv_conf)
        print(json.dumps(asyncio.run(live(intake, folder, NumberedRequest.of_spans(5)))))

main()
"""


def live(aaaa: str, resolv_conf: str) -> list[int]:
    """Returns how often the payload of each invocation had arrived at the invocation's end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(EXTENSION), aaaa, resolv_conf],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "skip: " in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("aaaa", ["silent", "servfail", "refused"])
def test_a_nameserver_without_a_word_on_ipv6_delays_nothing(aaaa: str) -> None:
    assert live(aaaa, "nameserver 127.0.0.1\n") == [1, 1, 1]


def test_a_dead_nameserver_in_front_of_a_live_one_loses_nothing() -> None:
    assert live("empty", "nameserver 127.0.0.53\nnameserver 127.0.0.1\n") == [1, 1, 1]
    assert live("silent", "nameserver 127.0.0.53\nnameserver 127.0.0.1\noptions rotate\n") == [
        1,
        1,
        1,
    ]
