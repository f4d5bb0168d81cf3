"""What a client costs: processor time beside libcurl, connections and time of a flush, memory.

    python -m thaw.lab.benchmarks --json figures.json [cpu|flush|memory|simulation]...

Each benchmark returns plain dictionaries; `tools/benchmarks` runs them all, with the C++ ones, and writes
docs/benchmarks.md. Comparisons are ratios within one run: the two sides take turns, so that what else the
machine does meets both.

The server is a process of its own, so that none of its work is counted as the client's.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import gc
import ipaddress
import json
import math
import multiprocessing
import os
import pathlib
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import msgpack
import psutil
import pycurl
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import thaw
from thaw.lab.arguments import Parser, help_only, output_file
from thaw.lab.proxy import Relay

BODY = bytes(range(256)) * 16  # 4 KB
REQUESTS_PER_CALL = 100

Figures = dict[str, Any]


# -- The server -------------------------------------------------------------------------------------


class Certificate(NamedTuple):
    """A certificate of its own issue for 127.0.0.1, on P-256, and its key: PEM files."""

    certificate: pathlib.Path
    key: pathlib.Path


def make_certificate(folder: pathlib.Path) -> Certificate:
    """Makes the one certificate that both sides of a comparison trust, and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "thaw benchmark")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    result = Certificate(folder / "certificate.pem", folder / "key.pem")
    result.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    result.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return result


def _serve_connection(connection: socket.socket, context: ssl.SSLContext, delay: float) -> None:
    """Answers each request on one connection with an empty 200, `delay` seconds after it has come."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as stream:
        received = b""
        while True:
            while (end := received.find(b"\r\n\r\n")) < 0:
                if not (more := stream.recv(65536)):
                    return
                received += more
            length = 0
            for line in received[:end].split(b"\r\n")[1:]:
                field, _, value = line.partition(b":")
                if field.lower() == b"content-length":
                    length = int(value)
            while len(received) < end + 4 + length:
                if not (more := stream.recv(65536)):
                    return
                received += more
            received = received[end + 4 + length :]
            if delay:
                time.sleep(delay)
            stream.sendall(answer)


def _server_main(
    pipe: Connection, certificate: Certificate, round_trip: float, tickets: int, delay: float
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = tickets
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _serve_connection(connection, context, delay)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    with contextlib.ExitStack() as stack:
        if round_trip:
            port = stack.enter_context(Relay(port, round_trip)).port
        pipe.send(port)
        with contextlib.suppress(EOFError):
            pipe.recv()  # until the other end closes


@contextlib.contextmanager
def server(
    certificate: Certificate, *, round_trip: float = 0.0, tickets: int = 0, delay: float = 0.0
) -> Iterator[str]:
    """Runs the server in a process of its own; gives its address, such as https://127.0.0.1:40000."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_server_main, args=(theirs, certificate, round_trip, tickets, delay), daemon=True
    )
    process.start()
    try:
        theirs.close()
        yield f"https://127.0.0.1:{ours.recv()}"
    finally:
        ours.close()
        process.join(5)
        process.terminate()


def client_options(certificate: Certificate, **fields: Any) -> thaw.ClientOptions:
    """Options that trust the one certificate and nothing else."""
    return thaw.ClientOptions(
        tls_cert_file=str(certificate.certificate), use_public_roots=False, no_proxy=["*"], **fields
    )


# -- Processor time ---------------------------------------------------------------------------------


def _thaw_call(client: thaw.Client, url: str) -> None:
    requests = [thaw.Request(url, BODY) for _ in range(REQUESTS_PER_CALL)]
    for result in client.send_many(requests):
        if not result.accepted:
            raise RuntimeError(f"not accepted: {result}")


def _curl_handle(url: str, certificate: Certificate, *, pooled: bool, resumption: bool) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.CAINFO, str(certificate.certificate))
    handle.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_3)
    handle.setopt(pycurl.SSL_EC_CURVES, "X25519")
    handle.setopt(pycurl.SSL_SESSIONID_CACHE, int(resumption))
    handle.setopt(pycurl.TCP_NODELAY, 1)
    handle.setopt(pycurl.PROXY, "")
    handle.setopt(pycurl.POST, 1)
    # No "Expect: 100-continue", which would cost it a wait.
    handle.setopt(pycurl.HTTPHEADER, ["Expect:", "Content-Type: application/octet-stream"])
    handle.setopt(pycurl.POSTFIELDS, BODY)
    handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    if not pooled:
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
    return handle


def _curl_call(handle: pycurl.Curl) -> None:
    for _ in range(REQUESTS_PER_CALL):
        handle.perform()
        if handle.getinfo(pycurl.RESPONSE_CODE) != 200:
            raise RuntimeError(f"answered {handle.getinfo(pycurl.RESPONSE_CODE)}")


def _processor_time(call: Callable[[], None]) -> float:
    """User and system time of all threads of this process during the call, in µs for each request."""
    gc.collect()
    begun = time.process_time()
    call()
    return (time.process_time() - begun) / REQUESTS_PER_CALL * 1e6


def processor_time(*, pooled: bool, resumption: bool = False, rounds: int = 15) -> Figures:
    """POSTs of 4 KB over TLS 1.3, sequentially, by thaw and by libcurl, 100 requests a call."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as stack,
    ):
        certificate = make_certificate(pathlib.Path(folder))
        url = stack.enter_context(server(certificate, tickets=2 if resumption else 0)) + "/post"
        options = client_options(
            certificate,
            max_idle_per_host=4 if pooled else 0,
            share_within_flush=pooled,
            tls_session_resumption=resumption,
            tcp_nodelay=True,
        )
        client = stack.enter_context(thaw.Client(options))
        handle = _curl_handle(url, certificate, pooled=pooled, resumption=resumption)
        stack.callback(handle.close)
        ours, theirs = [], []
        for number in range(rounds + 1):
            mine = _processor_time(lambda: _thaw_call(client, url))
            other = _processor_time(lambda: _curl_call(handle))
            if number:  # the first of each loads code and opens what is pooled
                ours.append(mine)
                theirs.append(other)
        connections = client.connections
        requests = (rounds + 1) * REQUESTS_PER_CALL
        opened = connections.opened
        if opened != (1 if pooled else requests):
            raise RuntimeError(f"{opened} connections for {requests} requests, pooled: {pooled}")
        return {
            "pooled": pooled,
            "resumption": resumption,
            "rounds": rounds,
            "thaw_us": statistics.median(ours),
            "pycurl_us": statistics.median(theirs),
            "ratio": statistics.median(ours) / statistics.median(theirs),
            "ratios_of_rounds": sorted(mine / other for mine, other in zip(ours, theirs, strict=True)),
            "tls_full": connections.tls_full,
            "tls_resumed": connections.tls_resumed,
            "pycurl": pycurl.version,
        }


# -- A flush of many requests -----------------------------------------------------------------------


def trace_body(seed: int) -> bytes:
    """A v0.4 traces body of one span."""
    span = {
        "service": "benchmark",
        "name": "operation",
        "resource": "resource",
        "trace_id": seed + 1,
        "span_id": seed + 1,
        "parent_id": 0,
        "start": 1_700_000_000_000_000_000,
        "duration": 1_000_000,
        "error": 0,
        "meta": {"env": "test"},
        "metrics": {"_sampling_priority_v1": 1},
        "type": "web",
    }
    encoded: bytes = msgpack.packb([[span]])
    return encoded


def flush_of_many(
    *, round_trip: float, sharing: bool, requests: int = 20, rounds: int = 5, resumption: bool = False
) -> Figures:
    """A flush of payloads with distinct headers, so each its own request, to one host."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        certificate = make_certificate(pathlib.Path(folder))
        url = stack.enter_context(server(certificate, round_trip=round_trip, tickets=2 if resumption else 0))
        connections, elapsed = [], []
        for _ in range(rounds):
            options = client_options(
                certificate,
                max_idle_per_host=0,
                share_within_flush=sharing,
                tls_session_resumption=resumption,
                # With sharing as under on-demand Lambda. Without it a request can do nothing but dial: the
                # limit is not what is measured.
                max_connections_per_host=6 if sharing else requests,
            )
            with thaw.Client(options) as client:
                flusher = thaw.TraceFlusher(client, endpoint=url, api_key="key")
                for number in range(requests):
                    flusher.add(
                        thaw.TracePayload.from_msgpack(
                            trace_body(number), {"datadog-meta-lang": f"lang{number}"}
                        )
                    )
                begun = time.monotonic()
                report = flusher.flush(deadline=60.0)
                elapsed.append(time.monotonic() - begun)
                if report.delivered != requests or report.requests != requests:
                    raise RuntimeError(f"{requests} requests expected: {report.to_dict()}")
                connections.append(client.connections.opened)
        return {
            "round_trip_ms": round_trip * 1e3,
            "sharing": sharing,
            "requests": requests,
            "rounds": rounds,
            "connections": max(connections),
            "wall_ms": statistics.median(elapsed) * 1e3,
        }


# -- Memory -----------------------------------------------------------------------------------------


def _own_memory() -> int:
    """Bytes that are this process's alone, once the allocator has given back what it can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_full_info().uss)


def _memory_main(
    pipe: Connection, url: str, certificate: Certificate, clients: int, connections: int
) -> None:
    def send(client: thaw.Client, number: int) -> None:
        for result in client.send_many([thaw.Request(url, b"x")] * number, concurrent=True):
            if not result.accepted:
                raise RuntimeError(f"not accepted: {result}")

    def options(limit: int) -> thaw.ClientOptions:
        return client_options(
            certificate,
            max_idle_per_host=limit,
            max_connections_per_host=limit,
            idle_timeout=600.0,
            dial_eagerly=True,
        )

    # What all clients have in common (trust, tables, code that is paged in) is not one client's.
    with thaw.Client(options(2)) as client:
        send(client, 1)
    before = _own_memory()
    idle = [thaw.Client(options(2)) for _ in range(clients)]
    per_client = (_own_memory() - before) / clients
    for client in idle:
        client.close()
    del idle

    with thaw.Client(options(2 * connections)) as client:
        send(client, 1)
        before = _own_memory()
        opened = client.connections.open
        send(client, connections)
        opened = client.connections.open - opened
        per_connection = (_own_memory() - before) / opened
    pipe.send(
        {
            "clients": clients,
            "per_client": per_client,
            "connections": opened,
            "per_connection": per_connection,
        }
    )


def memory(*, clients: int = 50, connections: int = 100) -> Figures:
    """Memory of an idle Client and of an open, idle connection: unique set size over many, in bytes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as stack,
    ):
        certificate = make_certificate(pathlib.Path(folder))
        url = stack.enter_context(server(certificate, tickets=2, delay=1.0))
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_memory_main, args=(theirs, url, certificate, clients, connections), daemon=True
        )
        process.start()
        theirs.close()
        try:
            figures: Figures = ours.recv()
        except EOFError:
            raise RuntimeError("the process whose memory is measured ended early") from None
        finally:
            process.join(10)
            process.terminate()
        return figures


# -- Simulation -------------------------------------------------------------------------------------


def simulation(*, cycles: int = 100_000, payloads: int = 2, seed: int = 1) -> Figures:
    """Freeze cycles of world W0 a second, on the one core it uses."""
    rows = {}
    for scenario in ("idle", "inflight"):
        begun = time.process_time()
        thaw.simulate(seed=seed, cycles=cycles, payloads=payloads, close="mixed", scenario=scenario)
        rows[scenario] = cycles / (time.process_time() - begun)
    return {"cycles": cycles, "payloads": payloads, "seed": seed, "cycles_per_second": rows}


def invariants(*, cycles: int = 10_000_000, cycles_each: int = 5_000, seed: int = 1) -> Figures:
    """Cycles of world W0 with faults, the invariants of delivery checked after every step.

    Runs of `cycles_each` cycles, each from a seed of its own and to its end, when everything must have
    arrived: frozen idle and in flight, none kept idle and pooled, with a breaker and without (it spares the
    client most faults of an intake as bad as this one), by turns. InvariantBroken ends it, with
    the seed, the cycle and the step that replay it.
    """
    kinds = [
        (scenario, client, flusher)
        for flusher in (thaw.FlusherOptions(), thaw.FlusherOptions(no_progress_limit=math.inf))
        for scenario in ("idle", "inflight")
        for client in (
            thaw.ClientOptions(max_idle_per_host=0),
            thaw.ClientOptions(max_idle_per_host=4, on_resume="probe"),
        )
    ]
    faults = steps = 0
    begun = time.monotonic()
    runs = cycles // cycles_each
    for number in range(runs):
        scenario, client, flusher = kinds[number % len(kinds)]
        counts = thaw.simulate(
            seed=seed + number,
            cycles=cycles_each,
            close="mixed",
            fault_rate=0.3,
            scenario=scenario,
            client=client,
            flusher=flusher,
            function_time=1.0,
        )
        faults += counts["faults_met"]
        steps += counts["steps"]
        if number % 200 == 199:
            print(f"benchmark: invariants: {number + 1} of {runs} runs", file=sys.stderr, flush=True)
    return {
        "cycles": runs * cycles_each,
        "runs": runs,
        "seed": seed,
        "faults_met": faults,
        "steps": steps,
        "broken": 0,
        "seconds": time.monotonic() - begun,
    }


# -- All of them ------------------------------------------------------------------------------------


def measure(names: list[str], *, quick: bool = False) -> Figures:
    """Runs the named groups; `quick` makes each as short as it can be and still run."""
    rounds = 1 if quick else 15
    figures: Figures = {}

    def run(group: str, label: str, benchmark: Callable[[], Figures]) -> None:
        print(f"benchmark: {group}: {label}", file=sys.stderr, flush=True)
        figures.setdefault(group, []).append(benchmark())

    if "cpu" in names:
        for pooled, resumption in ((False, False), (False, True), (True, False)):
            label = f"{'pooled' if pooled else 'fresh'}, resumption {'on' if resumption else 'off'}"
            run("cpu", label, partial(processor_time, pooled=pooled, resumption=resumption, rounds=rounds))
    if "flush" in names:
        for round_trip in (0.0, 0.02, 0.08):
            for sharing in (True, False):
                label = f"round trip {round_trip * 1e3:.0f} ms, sharing {'on' if sharing else 'off'}"
                flush = partial(flush_of_many, round_trip=round_trip, sharing=sharing)
                run("flush", label, partial(flush, rounds=1 if quick else 5))
    if "memory" in names:
        few = {"clients": 5, "connections": 10} if quick else {}
        run("memory", "idle clients and connections", partial(memory, **few))
    if "simulation" in names:
        run("simulation", "world W0", partial(simulation, cycles=1000 if quick else 100_000))
    if "invariants" in names:
        cycles = 80_000 if quick else 10_000_000
        run("invariants", f"world W0, {cycles:,} cycles", partial(invariants, cycles=cycles))
    return figures


GROUPS = ("cpu", "flush", "memory", "simulation", "invariants")


def main() -> None:
    parser = Parser(prog="python -m thaw.lab.benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--json", type=output_file, help="write the figures here (default: print them)")
    parser.add_argument("--quick", action="store_true", help="one short round of each: a try, no measurement")
    arguments = parser.parse_args(help_only(sys.argv[1:], ()))
    if unknown := sorted(set(arguments.groups) - set(GROUPS)):
        parser.error(f"no such group: {', '.join(unknown)}")
    os.environ.pop("SSLKEYLOGFILE", None)
    text = json.dumps(measure(arguments.groups or list(GROUPS), quick=arguments.quick), indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
