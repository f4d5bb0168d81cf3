"""An experiment in words: its world, its freezes, how its peer closed, and under which conditions."""

from __future__ import annotations

import dataclasses

from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiment_result import ExperimentResult

WORLDS = {
    "W0": "simulated: client, clock and network are stepped in one process, and a freeze falls between any"
    " two steps. Exact and fast; says nothing about a kernel. Payloads are made by the simulation, TLS 1.3 is"
    " scripted, a round trip takes 1 ms at least and a freeze 61 to 89 s of virtual time, unless a"
    " distribution was asked for.",
    "W1": "SIGSTOP stops the client's whole process and SIGCONT lets it go on. Sockets and TLS are real, but"
    " the kernel goes on while the client is frozen: it acknowledges data and takes note of closed"
    " connections. On Lambda the kernel is frozen too, so this is not claimed for Lambda.",
    "W2": "W1's stopped process, and a network between two namespaces that is cut for the span: what the peer"
    " sends meanwhile is lost, as it is where a frozen machine's network loses it. Handshakes, slow start and"
    " retransmissions are a kernel's. The kernel of the client is not frozen.",
    "W3a": "a machine with a kernel of its own (user-mode Linux) is stopped from outside, and its clocks go"
    " on, as they were measured to do on Lambda. What is sent to it meanwhile waits in its network device."
    " The network is the one of W2.",
    "W3b": "W3a with an emulated machine (QEMU) that its monitor stops together with its clocks, as a"
    " hypervisor's pause does. The client can't tell how long it was stopped.",
}
SCENARIOS = {
    "idle": "between two flushes, with whatever connections the client keeps; meanwhile the server gives up"
    " those that are idle",
    "inflight": "in the middle of an exchange, at each of its phases in turn (connecting, TLS, head, body,"
    " written, half an answer; in W2 and W3 also with the request, or its answer, lost on its way); meanwhile"
    " the server gives that connection up",
}
CLOSES = {
    "fin": "the connection is ended properly (FIN)",
    "rst": "the connection is reset (RST)",
    "silent": "the connection is forgotten without a packet; the first byte sent on it is met by a reset",
    "race": "the connection is ended properly (FIN) unless it is serving a request, at a time drawn from 1 ms"
    " before to 1 ms after the planned resume",
    "blackhole": "a firewall forgets all connections: their packets are lost, new connections pass",
    "nat": "a NAT gateway forgets all connections: the client's next packet on one is answered by a reset",
    "address": "the client gets another address: connections from the old one carry nothing",
    "none": "the connection stays as it is: what an arm costs where nothing goes wrong",
}


UNKNOWN = "not described here"


def title(result: ExperimentResult) -> str:
    return (
        f"World {result.world}, frozen {result.scenario}, peer's close: {result.close};"
        f" {result.cycles} cycles{blocks(result)}"
    )


def conditions(result: ExperimentResult) -> str:
    """Names the conditions of the experiment, as far as the result has them and its world uses them."""
    simulated = result.world == "W0"
    said = []
    if result.payloads is not None:
        said.append(f"{result.payloads} payload{'s' * (result.payloads != 1)} a flush")
    if result.workload is not None:
        real = result.workload == "real"
        said.append(f"{'simulated' if simulated and real else result.workload} workload")
    if result.round_trip is not None:
        said.append(f"round trip {duration(max(result.round_trip, 0.001 if simulated else 0))}")
    if result.tls_version is not None:
        said.append(f"TLS {result.tls_version}")
    if result.freeze is not None:
        said.append(f"freeze {freeze(result)}")
    if result.idle_limit is not None:
        said.append(f"idle limit {duration(result.idle_limit)}")
    if result.filler_bytes is not None and not simulated:
        said += _size(result)
    if result.flush_every is not None:
        said.append(f"a flush planned every {duration(result.flush_every)}, times from the planned start")
    if result.cpu_share is not None and result.cpu_share < 1:
        said.append(f"{result.cpu_share:.3g} of a processor")
    return ", ".join([*said, *network(result), *clocks(result)])


def network(result: ExperimentResult) -> list[str]:
    """Says how the round trip was made and what was measured; empty if the result does not know."""
    networks = [arm.network for arm in result.arms.values() if arm.network is not None]
    measured = [each.measured for each in networks if each.measured is not None]
    if not networks:
        return []
    if any(each.made_by == "proxy" for each in networks):
        return [
            "through a proxy in user space that stands for a line (none can be made here): it loses no"
            " packet, and the intake makes the round trip"
        ]
    if not measured:
        return ["the round trip is made by the intake, which holds bytes back (no line can be made here)"]
    least, most = f"{min(measured) * 1e3:.2f}", f"{max(measured) * 1e3:.2f}"
    control = ", ".join(sorted({str(each.congestion_control) for each in networks}))
    return [f"over a line, TCP handshake {least} to {most} ms as measured, {control}"]


def clocks(result: ExperimentResult) -> list[str]:
    """Says what the clocks of a machine that was stopped did; empty in other worlds."""
    if not result.world.startswith("W3"):
        return []
    return [
        f"{name} was frozen for {each.frozen:.2f} s, in which its wall clock lost {each.wall:.2f} s, the"
        f" monotonic one {each.monotonic:.2f} s, the boot clock {each.boot:.2f} s"
        for name, arm in result.arms.items()
        if (each := arm.clocks) is not None
    ]


def freeze(result: ExperimentResult) -> str:
    """Says how long the freezes last, with the world's own bounds where it does not take a number."""
    if isinstance(result.freeze, str):
        return f"{result.freeze} s"
    return "61 to 89 s" if result.world == "W0" else f"{duration(result.freeze or 0)} at least"


def blocks(result: ExperimentResult) -> str:
    """Says in how many blocks the cycles are repeated; empty for one."""
    return f" in each of {result.blocks} blocks" if (result.blocks or 1) > 1 else ""


def _size(result: ExperimentResult) -> list[str]:
    """Names the size of payloads where it is not the usual one."""
    usual = {each.name: each.default for each in dataclasses.fields(ExperimentSettings)}
    said = []
    if result.spans != usual["spans"] and result.workload != "real":
        said.append(f"{result.spans} spans a payload")
    if result.filler_bytes != usual["filler_bytes"]:
        said.append(f"filler {result.filler_bytes} bytes")
    return said


def race(result: ExperimentResult) -> str:
    """Says when racing closes came beside each arm's flushes; empty where none raced."""
    said = [
        f"{name} p5 {times.p5_ms:.1f}, p50 {times.p50_ms:.1f}, p95 {times.p95_ms:.1f} ms"
        f" (beside {times.closes} of {times.flushes} flushes)"
        for name, arm in result.arms.items()
        if (times := arm.race) is not None
    ]
    return f"closes after the start of the flush, before it if negative: {'; '.join(said)}" if said else ""


def what_is_missing(result: ExperimentResult) -> str:
    """Says how far an experiment came that was stopped early; empty for a whole one."""
    if result.complete:
        return ""
    done = ", ".join(f"{name} {result.cycles_of(arm)}" for name, arm in result.arms.items())
    return f"STOPPED EARLY: of {result.all_cycles} cycles of each arm these were done: {done}"


def busy(result: ExperimentResult) -> str:
    """Says that other work on the machine disturbed the run; empty if none did."""
    return f"BUSY MACHINE, times mean little: {result.busy}" if result.busy else ""


def duration(seconds: float) -> str:
    return f"{seconds * 1e3:g} ms" if seconds < 1 else f"{seconds:g} s"
