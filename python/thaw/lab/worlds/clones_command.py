"""The command `clones`: what machines that go on from one snapshot share (world W3c)."""

from __future__ import annotations

import argparse
import json
import sys

from thaw.lab import arguments, arms, needs
from thaw.lab.aligned import aligned
from thaw.lab.arms import Arm
from thaw.lab.worlds import w3c_clones
from thaw.lab.worlds.w3c_clones import Clones

HELP = "loads two machines from one snapshot, and says what their clients share"
DESCRIPTION = (
    "Runs world W3c. A client flushes in an emulated machine, which is saved. Two machines go on from that\n"
    "snapshot, as environments of SnapStart do, and flush. Prints what the clones of each arm had in common\n"
    "and must not have: random numbers and keys of TLS, a TLS session, a connection; and what arrived."
)
EPILOG = (
    "example:\n  python -m thaw.lab clones --arms v93,thaw --json clones.json\n\n"
    "Needs QEMU and a kernel, as W3b does. An arm takes a minute or two."
)


_HEAD = (
    *("arm", "machine", "handshakes", "resumable", "connections"),
    *("delivered", "lost", "duplicated", "shared"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    option = parser.add_argument
    option(
        "--arms",
        type=arguments.checked(_arms),
        default=_arms("v93,thaw"),
        metavar="A,B",
        help="arms of thaw's own client, with options or without (default: v93,thaw)",
    )
    option(
        "--payloads",
        type=arguments.integer(1, 100),
        default=2,
        metavar="K",
        help="payloads of each flush (default: %(default)s)",
    )
    option("--seed", type=arguments.seed, default=1, help="the seed of the payloads (default: %(default)s)")
    option(
        "--kernel-not-told",
        action="store_true",
        help="leaves the state of the kernels' random numbers as it was saved, as QEMU does; without it they"
        " are reseeded, as managers of machines do",
    )
    option(
        "--json", type=arguments.output_file, metavar="FILE", help="writes all observations into this file"
    )
    parser.set_defaults(run=run_command)


def _arms(text: str) -> list[Arm]:
    found = arms.find(text)
    for arm in found:
        if arm.maker != "native":
            raise ValueError(f"arm {arm.name} is not thaw's own client, which W3c needs")
    return found


def run_command(given: argparse.Namespace) -> int:
    """Runs the command. Returns 1 if the clones of an arm that is told of restores shared something."""
    needs.require(needs.of_arms([arm.name for arm in given.arms]), "this command")
    found = []
    for arm in given.arms:
        settings = w3c_clones.settings_of(arm, payloads=given.payloads, seed=given.seed)
        found.append(w3c_clones.run(arm, settings, reseeded=not given.kernel_not_told))
        print(f"clones: {arm.name}: done", file=sys.stderr, flush=True)
    print(table(found))
    if given.json is not None:
        given.json.write_text(json.dumps([each.to_json() for each in found], indent=1) + "\n")
    told = {arm.name for arm in given.arms if arm.tells_resume}
    return int(any(each.shared for each in found if each.arm in told))


def table(found: list[Clones]) -> str:
    """Returns a line for each machine of each arm, and what was shared."""
    rows = [_HEAD]
    for clones in found:
        for each in clones.machines:
            resumable = sum(bool(hello.ticket) for hello in each.hellos)
            what = ", ".join(clones.shared) or "nothing"
            rows.append(
                (
                    clones.arm,
                    f"clone {each.number}" if each.number else "saved",
                    str(len(each.hellos)),
                    str(resumable),
                    str(each.connections),
                    str(each.delivered),
                    str(each.lost),
                    str(each.duplicated),
                    "" if each.number else what,
                )
            )
    repeats = any(clones.kernel_repeats for clones in found)
    said = (
        "gave the same random numbers to both clones" if repeats else "gave each clone its own random numbers"
    )
    return "\n".join([*aligned(rows, words=2), "", f"The guest's kernel {said}."])
