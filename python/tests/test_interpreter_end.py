"""Clients at the interpreter's end and in forked children, and interpreters that can't import the package."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

import thaw

from . import peer

FOLDER = pathlib.Path(__file__).resolve().parent


def run(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
        check=False,
    )


def run_program(program: str, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return run("-c", textwrap.dedent(program), *arguments, timeout=timeout)


# -- The end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "thaw.Client()",
        "thaw.Client().close()",
        "thaw.Client(thaw.ClientOptions(skip_ssl_validation=True))",
        "thaw.Client(clock=clock).close(); clock.advance(1)",
        "client.send(url)",
        "client.send_many((request for _ in range(3)), concurrent=True)",
        "asyncio.run(send_once(client, url))",
        "client.connections",
        "client.quiesce(); client.resume()",
        "flusher.add(payload); flusher.flush(deadline=1.0)",
        "flusher.retained",
        "logs.add(thaw.LogsPayload.from_lines(['line'], timestamp=1.5)); logs.flush(deadline=1.0)",
        "metrics.add(thaw.MetricsPayload.from_dogstatsd(b'a:1|c', timestamp=1)); metrics.flush(deadline=1.0)",
        "thaw.parse_dogstatsd(b'a:1|c|#b:c')",
        "thaw.DDSketch([1.0, 2.0]).merge(thaw.DDSketch([3.0]))",
        "thaw.explore(flushes=[1], freezes=1)",
        "thaw.TracePayload.from_msgpack(body)",
        "thaw.simulate(cycles=600, progress=lambda cycle: True)",
        "thaw.ClientOptions(on_resume='keep').to_dict(); client.options.on_resume",
    ],
)
def test_daemon_threads_do_not_disturb_the_end(call: str) -> None:
    with peer.peer() as server:
        done = run(str(FOLDER / "interpreter_end.py"), server.url, call)
    assert (done.returncode, done.stdout.split()) == (0, ["0"] * 20), done.stderr
    assert "terminate called" not in done.stderr


def test_an_atexit_handler_from_before_the_import_still_sends() -> None:
    """Handlers run last in, first out: this one runs after all that the package could have registered."""
    with peer.peer() as server:
        done = run_program(
            """
            import asyncio, atexit, sys

            @atexit.register
            def last_words():
                assert client.send(sys.argv[1], b"sent").accepted
                flusher.add(thaw.TracePayload.from_msgpack(b"\\x91\\x91\\x81\\xa7span_id\\x01"))
                print("delivered", flusher.flush(deadline=10.0).delivered)

                async def send():
                    return await client.send_async(sys.argv[1], b"sent by asyncio")

                print("accepted", asyncio.run(send()).accepted)

            import thaw
            client = thaw.Client()
            flusher = thaw.TraceFlusher(client, sys.argv[1], "key")
            """,
            server.url,
        )
    assert (done.returncode, done.stdout.split("\n")[:2]) == (0, ["delivered 1", "accepted True"]), (
        done.stderr
    )
    assert [received.body for received in server.received if received.target == "/"] == [
        b"sent",
        b"sent by asyncio",
    ]


def test_a_client_that_is_referred_to_is_closed_at_the_end() -> None:
    """A call of a daemon thread that waits for an answer holds the end up by no more than a moment."""
    with peer.peer(lambda connection, request: server.ended.wait(60) and None) as server:
        done = run_program(
            """
            import sys, threading, thaw
            client = thaw.Client()
            threading.Thread(target=client.send, args=(sys.argv[1],), daemon=True).start()
            while client.exchanges.open == 0:
                pass
            """,
            server.url,
            timeout=20,
        )
        server.ended.set()
    assert (done.returncode, done.stderr) == (0, "")


def test_a_finalizer_may_still_use_a_client() -> None:
    """Objects of modules go when atexit handlers are done: the main thread may still call."""
    with peer.peer() as server:
        done = run_program(
            """
            import sys, thaw
            class Owner:
                def __init__(self):
                    self.client, self.url = thaw.Client(), sys.argv[1]
                def __del__(self):
                    self.client.send(self.url, b"late")
                    self.client.close()
            owner = Owner()
            """,
            server.url,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert [received.body for received in server.received] == [b"late"]


# -- Forks -----------------------------------------------------------------------------------------------


# Four threads are busy all the time, and each child has 20 s.
@pytest.mark.alone
@pytest.mark.parametrize(
    "busy",
    [
        "thaw.Client()",
        "thaw.Client().close()",
        "thaw.Client(thaw.ClientOptions(skip_ssl_validation=True))",
        "asyncio.run(send_once())",
    ],
)
def test_a_child_of_a_busy_process_has_clients_of_its_own(busy: str) -> None:
    """No lock, and no first use of anything, is caught in the middle by a fork."""
    with peer.peer() as server:
        done = run_program(
            """
            import asyncio, os, signal, sys, threading, thaw
            url, busy = sys.argv[1:]
            async def send_once():
                with thaw.Client() as client:
                    assert (await client.send_async(url)).accepted
            def repeat():
                while True:
                    exec(busy, globals())
            for _ in range(4):
                threading.Thread(target=repeat, daemon=True).start()
            for _ in range(25):
                if child := os.fork():
                    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
                    continue
                signal.alarm(20)  # a child that hangs is ended
                asyncio.run(send_once())
                with thaw.Client(thaw.ClientOptions(skip_ssl_validation=True)) as client:
                    os._exit(0 if client.send(url).accepted else 1)
            os._exit(0)
            """,
            server.url,
            busy,
        )
    assert (done.returncode, done.stdout.split()) == (0, ["0"] * 25), done.stderr


def test_a_fork_in_the_middle_of_the_first_client() -> None:
    """Each process forks while its threads make their first clients, which is when things are made once."""
    program = """
        import os, signal, threading, thaw
        gate = threading.Barrier(5)
        def first():
            gate.wait()
            thaw.Client()
        threads = [threading.Thread(target=first) for _ in range(4)]
        for each in threads:
            each.start()
        gate.wait()
        if (child := os.fork()) == 0:
            signal.alarm(20)
            thaw.Client().close()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for each in threads:
            each.join()
        raise SystemExit(code)
        """
    for _ in range(5):
        done = run_program(program)
        assert done.returncode == 0, done.stderr


# -- Sub-interpreters --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sub-interpreters have other names there")
def test_a_sub_interpreter_is_told_why_it_can_not_import() -> None:
    done = run_program(
        """
        import _xxsubinterpreters, sys
        made = _xxsubinterpreters.create()
        _xxsubinterpreters.run_string(made, f'''
        import sys
        sys.path[:] = {sys.path!r}
        try:
            import thaw
        except ImportError as error:
            print(error)
        '''.replace(chr(10) + "        ", chr(10)))
        _xxsubinterpreters.destroy(made)
        import thaw
        thaw.Client().close()
        """,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "can't be imported in a sub-interpreter" in done.stdout


def test_the_package_imports_nothing_in_the_middle_of_a_call() -> None:
    """An import's lock that another thread holds at a fork is held in the child for ever."""
    with peer.peer() as server:
        done = run_program(
            """
            import asyncio, sys, thaw
            before = set(sys.modules)
            async def main():
                async with thaw.Client(thaw.ClientOptions(skip_ssl_validation=True)) as client:
                    await client.send_async(sys.argv[1], b"x", headers={"A": "b"})
                    client.send_many([thaw.Request(sys.argv[1])])
                    flusher = thaw.TraceFlusher(client, sys.argv[1], "key")
                    flusher.flush(deadline=1.0)
                    client.connections.to_dict(), repr(client), thaw.Config.from_environment({})
            asyncio.run(main())
            print(sorted(each for each in set(sys.modules) - before if each != "encodings.idna"))
            """,
            server.url,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_the_native_module_gives_the_package_its_names() -> None:
    assert thaw._native.Client is thaw.Client
