"""Memory of an idle client and of an open connection, measured in a process of its own."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
from multiprocessing.connection import Connection

import psutil

import thaw
from thaw.lab.benchmarks.intake import Figures, benchmark_intake


def _own_memory() -> int:
    """Returns this process's unique set size in bytes, after the allocator gave free memory back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_full_info().uss)


def _memory_main(pipe: Connection, url: str, ca_file: str, clients: int, connections: int) -> None:
    def send(client: thaw.Client, number: int) -> None:
        for result in client.send_many([thaw.Request(url, b"x")] * number, concurrent=True):
            if not result.accepted:
                raise RuntimeError(f"not accepted: {result}")

    def options(limit: int) -> thaw.ClientOptions:
        return thaw.ClientOptions(
            tls_cert_file=ca_file,
            use_public_roots=False,
            no_proxy=["*"],
            max_idle_per_host=limit,
            max_connections_per_host=limit,
            idle_timeout=600.0,
            dial_eagerly=True,
        )

    # A first client takes up what all of them share: trust, tables, code that is paged in.
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
    """Measures the bytes of an idle Client and of an open, idle connection: unique set size over many."""
    with benchmark_intake(tickets=True, delay=1.0) as intake:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_memory_main, args=(theirs, intake.url, intake.ca_file, clients, connections), daemon=True
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
