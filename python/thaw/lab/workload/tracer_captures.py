"""Requests of a real tracer, recorded by a server that stands for its agent, and kept between runs."""

from __future__ import annotations

import base64
import contextlib
import http.server
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from thaw.lab.child_environment import child_environment
from thaw.lab.json_handler import JsonHandler


@dataclass(frozen=True)
class Capture:
    """One request of the tracer: its headers in lower case, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes


def capture(requests: int = 24, *, timeout: float = 120.0) -> list[Capture]:
    """Runs `traced_program` under ddtrace and returns what it sent to /v0.4/traces and /v0.6/stats, in its
    order.

    RuntimeError if the program fails or sends nothing within `timeout` seconds.
    """
    program = pathlib.Path(__file__).with_name("traced_program.py")
    with _catcher() as (port, caught):
        environment = child_environment() | {
            "DD_TRACE_AGENT_URL": f"http://127.0.0.1:{port}",
            "DD_TRACE_API_VERSION": "v0.4",
            "DD_TRACE_COMPUTE_STATS": "true",
            "DD_TRACE_STATS_COMPUTATION_ENABLED": "true",
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            "DD_SERVICE": "shop",
            "DD_ENV": "lab",
            "DD_VERSION": "1.0",
        }
        done = subprocess.run(
            [sys.executable, str(program), str(requests)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"the traced program ended with {done.returncode}: {done.stderr[-2000:]}")
    if not any(each.path == "/v0.4/traces" for each in caught):
        raise RuntimeError(f"the tracer sent no traces; it said: {done.stderr[-2000:]}")
    return caught


def cache_folder() -> pathlib.Path:
    """Returns the folder in which captures are kept, as XDG says."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")


def captures() -> list[Capture]:
    """Returns what `capture` gives, kept in a file between runs: one for each version of ddtrace."""
    file = cache_folder() / "thaw-lab" / f"ddtrace-{importlib.metadata.version('ddtrace')}.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        return [
            Capture(each["path"], each["headers"], base64.b64decode(each["body"]))
            for each in json.loads(file.read_text())
        ]
    taken = capture()
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Other processes may do the same: each writes a file of its own and renames it.
        scratch = file.with_suffix(f".{os.getpid()}")
        content = [
            {"path": c.path, "headers": c.headers, "body": base64.b64encode(c.body).decode()} for c in taken
        ]
        scratch.write_text(json.dumps(content))
        scratch.replace(file)
    return taken


class _Agent(http.server.ThreadingHTTPServer):
    """A local HTTP server that stands for an agent and keeps the traces and stats it is sent."""

    def __init__(self) -> None:
        self.caught: list[Capture] = []
        super().__init__(("127.0.0.1", 0), _AgentHandler)


class _AgentHandler(JsonHandler):
    server: _Agent

    def do_GET(self) -> None:  # noqa: N802  http.server's name
        if self.path == "/info":
            endpoints = ["/v0.4/traces", "/v0.6/stats"]
            self.answer(
                {
                    "version": "7.60.0",
                    "endpoints": endpoints,
                    "client_drop_p0s": True,
                    "feature_flags": [],
                }
            )
        else:
            self.answer({}, status=404)

    def do_POST(self) -> None:  # noqa: N802  http.server's name
        self._take(self._body())
        self.answer({"rate_by_service": {"service:,env:": 1.0}})

    do_PUT = do_POST  # noqa: N815  # tracers use either

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _take(self, body: bytes) -> None:
        if self.path in ("/v0.4/traces", "/v0.6/stats"):
            self.server.caught.append(
                Capture(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )


@contextlib.contextmanager
def _catcher() -> Iterator[tuple[int, list[Capture]]]:
    """Runs an agent; gives its port and the list that it fills."""
    server = _Agent()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], server.caught
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
