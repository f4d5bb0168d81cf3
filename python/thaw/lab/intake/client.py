"""A Datadog intake on this machine: a TLS server in a process of its own that counts what it gets.

    with Intake() as intake:
        requests.post(intake.url + "/api/v0.2/traces", data=body, verify=intake.ca_file)
        intake.counts()["requests"], intake.spans()

It takes traces, stats, logs, series and sketches of metrics, events and service checks; what it does to
connections and requests is a `Script`. Being another process, it has processor time of its own and goes on
while a client is frozen. Times are seconds.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import Any, Literal

from thaw.lab import helper_process
from thaw.lab.certificates import Authority
from thaw.lab.child_environment import child_environment
from thaw.lab.intake.client_hello import Hello
from thaw.lab.intake.decode_logs import Line
from thaw.lab.intake.decode_metrics import Point, PointKey
from thaw.lab.intake.script import CloseKind, Phase, Script
from thaw.lab.intake.stored_requests import Kind
from thaw.lab.line import Side

_COMMAND_TIMEOUT = 60.0


class IntakeError(RuntimeError):
    """The intake's process refused a command, or is gone."""


class Intake:
    """Starts an intake; usable from one thread at a time. `ca_file` is the PEM file clients must trust.

    Args:
      script: the conduct towards every connection, until `script()` changes it.
      authority: certificates to use; made for this intake if not given.
      port: 0 for one that is free.
      side: the end of a line at which it runs; on the loopback of this machine if there is none.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        authority: Authority | None = None,
        port: int = 0,
        side: Side | None = None,
    ) -> None:
        self._address = "127.0.0.1" if side is None else side.address
        self._folder = tempfile.TemporaryDirectory(prefix="thaw-intake-")
        self.authority = authority or Authority(
            pathlib.Path(self._folder.name), names=(self._address, "localhost")
        )
        self.ca_file = str(self.authority.ca_file)
        self._numbers = itertools.count(1)
        self._replies: dict[int, concurrent.futures.Future[Any]] = {}
        self._lock = threading.Lock()
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        command = [
            *(sys.executable, "-m", "thaw.lab.intake.server"),
            *(str(self.authority.chain_file), str(self.authority.key_file), str(port), self._address),
        ]
        self._process = subprocess.Popen(
            command if side is None else side.command(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.port: int = self.event("ready", timeout=_COMMAND_TIMEOUT)["port"]
            if script is not None:
                self.script(script)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The base URL, without a path."""
        return f"https://{self._address}:{self.port}"

    @property
    def agent_variables(self) -> dict[str, str]:
        """Variables with which an extension delivers here. Logs and the extension's own metrics are off, so
        that requests are those of traces; DD_SERVERLESS_LOGS_ENABLED, DD_ENHANCED_METRICS and
        DD_THAW_METRICS switch them on.
        """
        return {
            "DD_API_KEY": "0123456789abcdef",
            "DD_APM_DD_URL": self.url,
            "DD_DD_URL": self.url,
            "DD_ENHANCED_METRICS": "false",
            "DD_LOGS_CONFIG_LOGS_DD_URL": self.url,
            "DD_SERVERLESS_LOGS_ENABLED": "false",
            "DD_THAW_METRICS": "false",
            "DD_TLS_CERT_FILE": self.ca_file,
        }

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    # -- Conduct

    def script(self, default: Script, following: Sequence[Script] = ()) -> None:
        """Sets what connections meet: `following` the next ones in turn, `default` all others, open ones
        too.
        """
        self._ask(
            "script",
            default=dataclasses.asdict(default),
            following=[dataclasses.asdict(each) for each in following],
        )

    def hold(self, phase: Phase | None) -> None:
        """Holds the next exchange that gets to `phase`; `event("held")` tells when. None: holds none."""
        self._ask("hold", phase=phase)

    def act(self, close: CloseKind | None, *, at: float | None = None) -> None:
        """Ends the connection that is held or was released, now or at a time of the monotonic clock. None: it
        stays as it is, unserved.
        """
        self._ask("act", close=close, at=at)

    def release(self) -> None:
        """Goes on with the exchange that is held. `act` can end its connection later."""
        self._ask("release")

    def close_idle(self, close: CloseKind, *, at: float | None = None) -> int:
        """Ends every connection that is idle now. Returns how many.

        With `at`, a time of the monotonic clock, those are ended then that are still idle.
        """
        return int(self._ask("close_idle", close=close, at=at))

    def timed_closes(self) -> list[float]:
        """Returns the times at which connections were ended by `at` since this was last asked for."""
        return list(self._ask("timed_closes"))

    def wait_until_none_idle(self, timeout: float = _COMMAND_TIMEOUT) -> None:
        """Returns when no connection is open and idle. TimeoutError if that takes longer than `timeout`."""
        self._ask("await_no_idle", timeout=timeout)

    def event(self, name: str, timeout: float = _COMMAND_TIMEOUT) -> dict[str, Any]:
        """Returns the next event of that name. TimeoutError, or IntakeError if the process is gone."""
        while True:
            try:
                event = self._events.get(timeout=timeout)
            except queue.Empty:
                raise TimeoutError(f"the intake had no event {name!r} in {timeout:g} s") from None
            if event["event"] == name:
                return event
            if event["event"] == "gone":
                raise IntakeError(f"the intake's process ended with {self._process.wait()}")

    def poll_event(self, name: str) -> dict[str, Any] | None:
        """Returns the next event of that name if there is one already."""
        with contextlib.suppress(TimeoutError, queue.Empty):
            while True:
                event = self._events.get_nowait()
                if event["event"] == name:
                    return event
        return None

    # -- Observations

    def counts(self) -> dict[str, Any]:
        """Returns counts since the start: accepted, handshakes_full, handshakes_resumed, handshakes_failed,
        requests, body_bytes, statuses, closed_idle; and now: open, idle, states.
        """
        return dict(self._ask("counts"))

    def hellos(self) -> list[Hello]:
        """Returns the first messages of TLS that clients have sent, the last thousand of them."""
        return [Hello(**each) for each in self._ask("hellos")]

    def decode(self) -> int:
        """Decodes the requests that came since the last time, so that they don't pile up. Returns how many
        they were.
        """
        return int(self._ask("decode"))

    def spans(self) -> dict[int, int]:
        """Returns how often each span id was accepted. IntakeError if a request can't be decoded."""
        return {int(span): times for span, times in self._times("spans")}

    def spans_unanswered(self) -> dict[int, int]:
        """Returns how often each span id was accepted without a prompt answer to its sender. Ids that were
        always answered promptly are left out. IntakeError if a request can't be decoded.
        """
        return {int(span): times for span, times in self._times("spans", "unanswered")}

    def lines(self) -> dict[Line, int]:
        """Returns how often each log line was accepted. IntakeError if a request can't be decoded."""
        return {Line(*line): times for line, times in self._times("lines")}

    def lines_unanswered(self) -> dict[Line, int]:
        """Returns how often each log line was accepted without a prompt answer to its sender, as
        `spans_unanswered` does.
        """
        return {Line(*line): times for line, times in self._times("lines", "unanswered")}

    def points(self) -> dict[PointKey, int]:
        """Returns how often a point of each identity was accepted. IntakeError if a request can't be decoded.

        An aggregator that flushes twice in a bucket of time sends two points of one identity; `all_points`
        has the value of each.
        """
        return {_point_key(key): times for key, times in self._times("points")}

    def points_unanswered(self) -> dict[PointKey, int]:
        """Returns how often a point of each identity was accepted without a prompt answer to its sender, as
        `spans_unanswered` does.
        """
        return {_point_key(key): times for key, times in self._times("points", "unanswered")}

    def begin_anew(self) -> None:
        """Ends every connection and forgets all that was counted and stored, for another client that is to
        find the intake as the one before it did. Scripts stay; connections are not counted from 1 again.
        """
        self._ask("begin_anew")
        while not self._events.empty():
            self._events.get_nowait()

    def begin_period(self, number: int) -> None:
        """Says that what comes from now on is of that period; without it everything is of period 0."""
        self._ask("period", number=number)

    def first_periods(self) -> dict[int, int]:
        """Returns the span ids that were accepted, each with the period in which it first was."""
        return {int(span): int(period) for span, period in self._ask("first_periods")}

    def _times(self, kind: Kind, which: Literal["times", "unanswered"] = "times") -> list[list[Any]]:
        answer = self._ask("times", kind=kind)
        if answer["undecodable"]:
            raise IntakeError(f"requests that can't be decoded: {answer['undecodable'][:3]}")
        return list(answer[which])

    def requests(self) -> list[dict[str, Any]]:
        """Returns a dictionary of every request that was read whole: connection (counted from 1), target,
        headers, bytes, spans, items (spans, lines, points or whatever it brought), accepted. After `weigh`,
        for zstd bodies, also frames, content_bytes (before compression) and one_frame_bytes.
        """
        return list(self._ask("requests"))

    def weigh(self) -> None:
        """Has zstd bodies that come from now on compared with one frame of level 3 of the same content."""
        self._ask("weigh")

    def take_lines(self) -> dict[Line, int]:
        """Returns what `lines` does, and has the intake forget these lines, so that a long run does not fill
        its memory.
        """
        return {Line(*line): times for line, times in self._ask("take_lines")}

    def take_points(self) -> list[Point]:
        """Returns what `all_points` does, and has the intake forget these points."""
        return [_point(**given) for given in self._ask("take_points")]

    def stats(self) -> list[dict[str, Any]]:
        """Returns every StatsPayload, with its msgpack keys; binary values as hexadecimal text."""
        return list(self._ask("stats"))

    def logs(self) -> list[dict[str, Any]]:
        """Returns every log entry that was accepted, as many times as it was."""
        return list(self._ask("logs"))

    def all_points(self) -> list[Point]:
        """Returns every point of a metric that was accepted, as many times as it was."""
        return [_point(**given) for given in self._ask("all_points")]

    def events(self) -> list[dict[str, Any]]:
        """Returns every event that was accepted, with the members that /api/v1/events gives them."""
        return list(self._ask("events"))

    def checks(self) -> list[dict[str, Any]]:
        """Returns every service check that was accepted."""
        return list(self._ask("checks"))

    # -- The process

    def close(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(IntakeError, OSError, TimeoutError):
                self._ask("stop", timeout=5.0)
            helper_process.end(self._process, 5.0)
        self._reader.join(timeout=5.0)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    def __enter__(self) -> Intake:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                message = json.loads(line)
                if "event" in message:
                    self._events.put(message)
                    continue
                with self._lock:
                    reply = self._replies.pop(message["id"], None)
                if reply is None:
                    continue
                if "error" in message:
                    reply.set_exception(IntakeError(message["error"]))
                else:
                    reply.set_result(message["ok"])
        with self._lock:
            pending, self._replies = list(self._replies.values()), {}
        for reply in pending:
            reply.set_exception(IntakeError("the intake's process is gone"))
        self._events.put({"event": "gone"})

    def _ask(self, op: str, *, timeout: float = _COMMAND_TIMEOUT, **arguments: Any) -> Any:
        reply: concurrent.futures.Future[Any] = concurrent.futures.Future()
        number = next(self._numbers)
        with self._lock:
            self._replies[number] = reply
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"id": number, "op": op, **arguments}) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise IntakeError("the intake's process is gone") from None
        try:
            return reply.result(timeout)
        except concurrent.futures.TimeoutError:
            raise TimeoutError(f"the intake did not answer {op!r} in {timeout:g} s") from None


def _point_key(given: list[Any]) -> PointKey:
    metric, kind, tags, timestamp = given
    return PointKey(metric, kind, tuple(tags), timestamp)


def _point(
    key: list[Any],
    bins: dict[str, int] | None,
    origin: list[int] | None,
    extremes: list[float] | None,
    **plain: Any,
) -> Point:
    """Returns the Point of its fields as JSON has them."""
    return Point(
        key=_point_key(key),
        bins=None if bins is None else {int(each): times for each, times in bins.items()},
        origin=None if origin is None else (origin[0], origin[1], origin[2]),
        extremes=None if extremes is None else (extremes[0], extremes[1]),
        **plain,
    )
