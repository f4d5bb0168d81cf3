"""Threads, asyncio, signals, forks and the end of the interpreter."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import thaw

from . import peer, polling
from .peer import Connection, Peer, Received, answer


def test_many_threads_one_client(client: thaw.Client, tls_peer: Peer):
    lock = threading.Lock()
    under_way = 0
    most_at_once = 0

    def count(connection: Connection, request: Received) -> bytes:
        nonlocal under_way, most_at_once
        with lock:
            under_way += 1
            most_at_once = max(most_at_once, under_way)
        time.sleep(0.005)  # so that several threads want a connection
        with lock:
            under_way -= 1
        return answer()

    tls_peer.handler = count
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda n: client.send(tls_peer.url, b"%d" % n), range(64)))
    assert all(result.accepted for result in results)
    assert sorted(int(r.body) for r in tls_peer.received) == list(range(64))
    # Over time there may be more connections than at once, since no more than four are kept idle.
    assert 1 < most_at_once <= client.options.max_connections_per_host


def test_gil_is_released_while_waiting(client: thaw.Client):
    # The answer is held back until another thread of this process has run.
    progressed = threading.Event()

    def hold(connection: Connection, request: Received) -> bytes:
        assert progressed.wait(30)
        return answer()

    with peer.peer(hold) as server:
        thread = threading.Thread(target=progressed.set)
        asked = threading.Timer(0, thread.start)
        asked.start()
        assert client.send(server.url, budget=30.0).accepted
        asked.join()
        thread.join()


def test_close_ends_a_blocked_call(options: thaw.ClientOptions):
    arrived = threading.Event()

    def hang(connection: Connection, request: Received) -> None:
        arrived.set()
        server.ended.wait(60)

    with peer.peer(hang) as server, thaw.Client(options) as client, ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(client.send, server.url, b"x")
        assert arrived.wait(10)
        client.close()
        result = blocked.result(10)
        server.ended.set()
    assert not result.accepted
    assert result.may_have_been_accepted
    assert client.exchanges.cancelled + client.exchanges.ambiguous == 1


# -- asyncio -------------------------------------------------------------------------------------------


async def test_async_sends_run_side_by_side(options: thaw.ClientOptions):
    # The server answers when all three requests are here.
    together = threading.Barrier(3)

    def meet(connection: Connection, request: Received) -> bytes:
        together.wait(30)
        return answer(200, request.body)

    with peer.peer(meet) as server:
        with thaw.Client(options.replace(max_connections_per_host=3, share_patience=0.0)) as client:
            results = await asyncio.gather(*(client.send_async(server.url, b"%d" % n) for n in range(3)))
    assert [result.body for result in results] == [b"0", b"1", b"2"]


async def test_cancelling_the_future_ends_the_exchange(options: thaw.ClientOptions):
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(connection: Connection, request: Received) -> None:
        loop.call_soon_threadsafe(arrived.set)
        server.ended.wait(60)

    with peer.peer(hang) as server, thaw.Client(options) as client:
        sending = asyncio.ensure_future(client.send_async(server.url, b"x"))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await polling.until(lambda: client.exchanges.open == 0, every=0)
        server.ended.set()


async def test_timeout_of_asyncio(options: thaw.ClientOptions):
    with peer.peer(lambda connection, request: server.ended.wait(60) and None) as server:
        with thaw.Client(options) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.send_async(server.url, b"x")
            server.ended.set()


def test_async_needs_a_running_loop(client: thaw.Client):
    with pytest.raises(RuntimeError, match="no running event loop"):
        client.send_async("http://127.0.0.1:1/")


def test_event_loop_may_go_first(options: thaw.ClientOptions):
    async def leave_it(url: str) -> None:
        client.send_async(url, b"x")

    released = threading.Event()

    def hold(connection: Connection, request: Received) -> bytes:
        released.wait(30)
        return answer()

    with peer.peer(hold) as server, thaw.Client(options) as client:
        asyncio.run(leave_it(server.url))
        released.set()
        assert client.send(server.url, b"y").accepted


# -- Processes ------------------------------------------------------------------------------------------


def run_python(program: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_interrupt_ends_a_blocked_send():
    arrived = threading.Event()

    def hang(connection: Connection, request: Received) -> None:
        arrived.set()
        server.ended.wait(60)

    with peer.peer(hang) as server:
        child = run_python(
            "import sys, thaw\n"
            "client = thaw.Client(thaw.ClientOptions())\n"
            "try:\n"
            "    client.send(sys.argv[1], b'x')\n"
            "except KeyboardInterrupt:\n"
            "    print('interrupted', client.exchanges.open, flush=True)\n",
            server.url,
        )
        assert arrived.wait(30)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (out.strip(), child.returncode) == ("interrupted 0", 0), err


@pytest.mark.parametrize(
    "end",
    [
        "",
        "client.close()",
        "del client",
        "sys.exit(0)",
        "threading.Thread(target=client.send, args=(url,)).start()",
    ],
)
def test_the_interpreter_ends(end: str):
    with peer.peer() as server:
        child = run_python(
            f"import sys, threading, thaw\nurl = sys.argv[1]\nclient = thaw.Client()\n"
            f"assert client.send(url).accepted\n{end}\n",
            server.url,
        )
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, "", "")


def test_the_interpreter_ends_with_a_future_unresolved():
    with peer.peer(lambda connection, request: server.ended.wait(60) and None) as server:
        child = run_python(
            "import asyncio, sys, thaw\n"
            "client = thaw.Client()\n"
            "async def main():\n"
            "    global future\n"
            "    future = client.send_async(sys.argv[1])\n"
            "asyncio.run(main())\n",
            server.url,
        )
        _, err = child.communicate(timeout=30)
        server.ended.set()
    assert (child.returncode, err) == (0, "")


def test_use_after_fork(client: thaw.Client, tls_peer: Peer):
    assert client.send(tls_peer.url).accepted
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        said = []
        for call in (lambda: client.send(tls_peer.url), client.resume, lambda: client.connections):
            try:
                call()
                said.append("no error")
            except BaseException as error:
                said.append(type(error).__name__)
        client.close()
        os.write(write, ",".join(said).encode())
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    os.close(write)
    assert os.waitstatus_to_exitcode(status) == 0
    assert os.read(read, 1000) == b"Forked,Forked,Forked"
    os.close(read)
    # The parent goes on over the connection that it had.
    assert client.send(tls_peer.url).accepted
    assert tls_peer.accepted == 1


def test_a_client_of_the_child_works(client: thaw.Client, tls_peer: Peer):
    assert client.send(tls_peer.url).accepted
    if (pid := os.fork()) == 0:
        code = 1
        try:
            with thaw.Client(client.options) as own:
                code = 0 if own.send(tls_peer.url).accepted else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
