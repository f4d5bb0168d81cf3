"""TraceFlusher and StatsFlusher against the laboratory's intake, whose decoders are not ours."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest

import thaw
from thaw.lab import workload
from thaw.lab.child_environment import child_environment
from thaw.lab.intake import Intake, decode
from thaw.lab.intake.script import Answer, Script

from . import peer, polling


@pytest.fixture(scope="module")
def shared_intake() -> Iterator[Intake]:
    with Intake() as intake:
        yield intake


@pytest.fixture
def intake(shared_intake: Intake) -> Intake:
    shared_intake.script(Script())
    return shared_intake


def options(intake: Intake, **fields: Any) -> thaw.ClientOptions:
    return thaw.ClientOptions(
        **{"tls_cert_file": intake.ca_file, "use_public_roots": False, "max_idle_per_host": 0, **fields}
    )


@pytest.fixture
def client(intake: Intake) -> Iterator[thaw.Client]:
    with thaw.Client(options(intake)) as client:
        yield client


_next_cycle = iter(range(1, 1 << 20))


def bodies(count: int, **fields: Any) -> list[workload.Body]:
    """Returns bodies with span ids of their own."""
    source = workload.Workload("generated", **fields)
    cycle = next(_next_cycle)
    return [source.body(cycle, number) for number in range(count)]


def payload(body: workload.Body) -> thaw.TracePayload:
    return thaw.TracePayload.from_msgpack(body.data, body.headers)


def ids_of(body: workload.Body) -> set[int]:
    return {span["span_id"] for trace in msgpack.unpackb(body.data) for span in trace}


def arrived(intake: Intake, sent: list[workload.Body]) -> list[int]:
    """Returns how often each body came: 0 if a span of it is missing."""
    spans = intake.spans()
    return [min(spans.get(each, 0) for each in ids_of(body)) for body in sent]


def test_every_payload_arrives_once(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    sent = bodies(5)
    assert [flusher.add(payload(body)) for body in sent] == [1, 2, 3, 4, 5]
    assert flusher.retained == 5
    report = flusher.flush(deadline=5.0)
    assert (report.delivered, report.retained, report.requests, report.errors) == (5, 0, 1, [])
    assert arrived(intake, sent) == [1] * 5
    flusher.check_invariant()


def test_the_intake_gets_the_traced_fields() -> None:
    """Field by field, by PyPI's protobuf and msgpack."""
    received: list[bytes] = []
    span = {
        "service": "s",
        "name": "n",
        "resource": "r",
        "type": "web",
        "trace_id": 2**64 - 1,
        "span_id": 5,
        "parent_id": 0,
        "start": 10**18,
        "duration": 3,
        "error": 1,
        "meta": {"k": "v", "env": "Prod", "runtime-id": "rid", "version": "1.2", "_dd.origin": "rum"},
        "metrics": {"m": 0.5, "_sampling_priority_v1": 2},
        "meta_struct": {"appsec": b"\x00\xff"},
        "span_links": [
            {
                "trace_id": 1,
                "trace_id_high": 2,
                "span_id": 3,
                "tracestate": "t",
                "flags": 1 << 31,
                "attributes": {"a": "b"},
            }
        ],
        "span_events": [
            {
                "time_unix_nano": 7,
                "name": "e",
                "attributes": {
                    "text": {"type": 0, "string_value": "x"},
                    "list": {"type": 4, "array_value": {"values": [{"type": 2, "int_value": -4}]}},
                },
            }
        ],
    }
    from . import peer

    def keep(connection: peer.Connection, request: peer.Received) -> bytes:
        received.append(request.body)
        return peer.answer(202)

    with peer.peer(keep) as server, thaw.Client() as client:
        flusher = thaw.TraceFlusher(client, server.url, "key")
        headers = {"Datadog-Meta-Lang": "python", "Datadog-Container-ID": "c"}
        flusher.add(thaw.TracePayload.from_msgpack(msgpack.packb([[span]]), headers))
        assert flusher.flush(deadline=5.0).delivered == 1
    agent = decode.agent_payload(received[0], "zstd")
    assert (agent.targetTPS, agent.errorTPS) == (60.0, 60.0)
    (tracer,) = agent.tracerPayloads
    assert (tracer.languageName, tracer.containerID, tracer.env) == ("python", "c", "prod")
    assert (tracer.runtimeID, tracer.appVersion) == ("rid", "1.2")
    (chunk,) = tracer.chunks
    assert (chunk.priority, chunk.origin) == (2, "rum")
    (got,) = chunk.spans
    for key, name in (
        *((each, each) for each in ("service", "name", "resource", "type", "start", "duration", "error")),
        *(("trace_id", "traceID"), ("span_id", "spanID"), ("parent_id", "parentID")),
    ):
        assert getattr(got, name) == span[key], key
    assert dict(got.meta) == span["meta"]
    assert dict(got.metrics) == span["metrics"]
    assert dict(got.meta_struct) == span["meta_struct"]
    (link,) = got.spanLinks
    assert (link.traceID, link.traceID_high, link.spanID) == (1, 2, 3)
    assert (link.tracestate, link.flags, dict(link.attributes)) == ("t", 1 << 31, {"a": "b"})
    (event,) = got.spanEvents
    assert (event.time_unix_nano, event.name) == (7, "e")
    assert event.attributes["text"].string_value == "x"
    assert event.attributes["list"].array_value.values[0].int_value == -4


def test_twelve_megabytes_are_cut_into_requests(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(
        client, intake.url, "key", options=thaw.FlusherOptions(max_batch_bytes=1_000_000)
    )
    body = bodies(1, spans=3000, filler_bytes=3000)[0]
    flusher.add(payload(body))
    report = flusher.flush(deadline=30.0)
    assert report.delivered == 1
    assert report.requests >= 9
    assert arrived(intake, [body]) == [1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\nContent-Length: 2\n\n{}",
        b"HTTP/1.0 202\nContent-Length: 0\n\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 1, 2\r\n\r\n{}",
        b"HTTP/1.1 202 Accepted\r\nno header at all\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nX: " + b"x" * (65 << 10) + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_lenient_forms_of_answers_are_accepted_once(intake: Intake, answer: bytes) -> None:
    with peer.peer(lambda connection, request: answer) as server, thaw.Client(options(intake)) as client:
        flusher = thaw.TraceFlusher(client, server.url, "key")
        for _ in range(2):
            flusher.add(payload(bodies(1)[0]))
            report = flusher.flush(deadline=10.0)
            assert (report.delivered, report.requests, report.attempts) == (1, 1, 1), report.failures
        assert len(server.received) == 2
        assert client.exchanges.possible_duplicates == 0


@pytest.mark.parametrize(
    "head", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"]
)
def test_a_body_that_never_ends_is_no_outage(intake: Intake, head: bytes) -> None:
    def handle(connection: peer.Connection, request: peer.Received) -> None:
        connection.send(b"HTTP/1.1 202 Accepted\r\n" + head)
        server.ended.wait()

    with peer.peer(handle) as server, thaw.Client(options(intake)) as client:
        flusher = thaw.TraceFlusher(client, server.url, "key")
        for _ in range(3):
            flusher.add(payload(bodies(1)[0]))
            report = flusher.flush(deadline=10.0)
            assert (report.delivered, report.requests, report.stalled) == (1, 1, False), report.failures
            assert report.elapsed < 1.5
        assert len(server.received) == 3


def test_a_failed_flush_keeps_and_the_next_delivers(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    intake.script(Script(answer=Answer(status=503)))
    first = bodies(2)
    for body in first:
        flusher.add(payload(body))
    report = flusher.flush(deadline=0.5)
    assert (report.delivered, report.retained) == (0, 2)
    assert flusher.retained_payloads == [1, 2]
    intake.script(Script())
    second = bodies(1)
    flusher.add(payload(second[0]))
    assert flusher.flush(deadline=5.0).delivered == 3
    assert arrived(intake, first + second) == [1, 1, 1]


def test_a_flush_raises_what_was_not_delivered(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    flusher.add(payload(bodies(1)[0]))
    delivered = flusher.flush(deadline=5.0)
    delivered.raise_for_failure()
    assert (delivered.out_of_reach, delivered.additional_retained, delivered.held) == ([], 0, 0)

    intake.script(Script(answer=Answer(status=503)))
    flusher.add(payload(bodies(1)[0]))
    kept = flusher.flush(deadline=5.0)
    (reason,) = kept.out_of_reach
    assert intake.url in reason
    with pytest.raises(thaw.Refused, match="not everything was delivered: 0 delivered, 1 kept") as caught:
        kept.raise_for_failure()
    assert caught.value.failure is not None
    assert caught.value.failure.status == 503
    assert reason in str(caught.value)

    intake.script(Script(answer=Answer(status=403)))
    dropped = flusher.shutdown(deadline=5.0)
    with pytest.raises(thaw.Refused, match=r"1 dropped \(refused\)"):
        dropped.raise_for_failure()


def test_a_flush_raises_what_kept_it_from_its_destination(client: thaw.Client, intake: Intake) -> None:
    def flush(url: str, *, deadline: float = 5.0) -> thaw.FlushReport:
        flusher = thaw.TraceFlusher(client, url, "key")
        flusher.add(payload(bodies(1)[0]))
        return flusher.flush(deadline=deadline)

    with pytest.raises(thaw.Unreachable, match="can't be reached since"):
        flush("http://127.0.0.1:1").raise_for_failure()
    intake.script(Script(answer=Answer(action="black_hole")))
    with pytest.raises(thaw.DeadlineExceeded, match="1 kept"):
        flush(intake.url, deadline=0.3).raise_for_failure()


def test_what_the_core_logs_is_a_line_without_control_characters() -> None:
    """Texts of a proxy are escaped, and failures in a simulation are not logged."""
    program = textwrap.dedent(r"""
        import socket, sys, threading, thaw
        proxy = socket.create_server(("127.0.0.1", 0))
        def refuse():
            while True:
                connection = proxy.accept()[0]
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 502 \x1b[31mBad\rGateway\r\n\r\n")
                connection.close()
        threading.Thread(target=refuse, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        with thaw.Client(thaw.ClientOptions(proxy_url=url, max_attempts=1)) as client:
            flusher = thaw.TraceFlusher(client, "https://intake.test", "key")
            flusher.add(thaw.TracePayload.from_msgpack(b"\x91\x91\x81\xa7span_id\x01"))
            flusher.flush(deadline=5.0)
        discards = thaw.FlusherOptions(on_failure="discard")
        for rate in (0.5, 1.0):
            errors = thaw.simulate(cycles=30, fault_rate=rate, flusher=discards, check=False)["errors"]
        assert errors, errors
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], env=child_environment(), capture_output=True, timeout=60, check=True
    )
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("thaw: WARNING: https://intake.test can't be reached since ")
    assert "502" in line
    assert line.isprintable()


def test_a_flush_that_sends_nothing_raises_too(client: thaw.Client) -> None:
    flusher = thaw.TraceFlusher(client, "http://127.0.0.1:1", "key")
    flusher.add(payload(bodies(1)[0]))
    reports = [flusher.flush(deadline=5.0) for _ in range(3)]
    assert reports[2].skipped
    assert reports[2].attempts == 0
    with pytest.raises(thaw.Unreachable, match="can't be reached since"):
        reports[2].raise_for_failure()


def test_an_additional_endpoint_that_got_nothing_raises(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(
        client, intake.url, "key", additional_endpoints=[("http://127.0.0.1:1", "other key")]
    )
    flusher.add(payload(bodies(1)[0]))
    report = flusher.flush(deadline=5.0)
    assert (report.delivered, report.retained, report.additional_retained) == (1, 0, 1)
    with pytest.raises(thaw.Unreachable, match="1 for additional endpoints kept"):
        report.raise_for_failure()


def test_payloads_refused_for_good_are_dropped_by_name(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    intake.script(Script(answer=Answer(status=400)))
    flusher.add(payload(bodies(1)[0]))
    report = flusher.flush(deadline=5.0)
    assert (report.dropped, report.refused_by_status) == ({"refused": 1}, {400: 1})
    assert flusher.dropped == {"refused": 1}
    assert flusher.dropped_payloads == {1: "refused"}
    assert flusher.retained == 0


def test_the_outbox_is_bounded(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key", options=thaw.FlusherOptions(outbox_bytes=30_000))
    body = payload(bodies(1)[0])
    while flusher.bytes + 2 * body.size < 30_000:
        flusher.add(body)
    taken = flusher.retained
    assert taken > 1
    huge = payload(bodies(1, filler_bytes=10_000)[0])
    with pytest.raises(thaw.OutboxFull, match="no room"):
        flusher.add(huge)
    assert flusher.retained == taken
    assert flusher.bytes <= 30_000
    assert flusher.turned_away == 1
    assert flusher.flush(deadline=5.0).delivered == taken


def test_additional_endpoints_get_the_same(client: thaw.Client, intake: Intake) -> None:
    with Intake(authority=intake.authority) as other:
        flusher = thaw.TraceFlusher(
            client, intake.url, "key", additional_endpoints=[(other.url + "/", "other key")]
        )
        sent = bodies(2)
        for body in sent:
            flusher.add(payload(body))
        report = flusher.flush(deadline=5.0)
        assert (report.delivered, report.additional_delivered) == (2, 1)
        assert arrived(intake, sent) == arrived(other, sent) == [1, 1]
        (request,) = other.requests()
        assert (request["headers"]["dd-api-key"], request["headers"]["content-encoding"]) == (
            "other key",
            "zstd",
        )


def test_stats_arrive(client: thaw.Client, intake: Intake) -> None:
    group = {
        "Service": "s",
        "Name": "n",
        "Resource": "r",
        "HTTPStatusCode": 200,
        "Hits": 2,
        "Errors": 0,
        "Duration": 5,
        "OkSummary": b"\x01",
        "ErrorSummary": b"",
        "Synthetics": False,
        "TopLevelHits": 2,
    }
    bucket = {"Start": 123456789, "Duration": 10**10, "Stats": [group]}
    stats = thaw.StatsPayload.from_msgpack(
        msgpack.packb({"Hostname": "h", "Env": "e", "Lang": "python", "Stats": [bucket]})
    )
    assert (stats.buckets, stats.groups) == (1, 1)
    flusher = thaw.StatsFlusher(client, intake.url, "key")
    flusher.add(stats)
    assert flusher.flush(deadline=5.0).delivered == 1
    got = intake.stats()[-1]
    assert (got["ClientComputed"], got["SplitPayload"]) == (True, False)
    (client_stats,) = got["Stats"]
    assert (client_stats["Hostname"], client_stats["Env"], client_stats["Lang"]) == ("", "e", "python")
    assert client_stats["Stats"] == [{**bucket, "Stats": [{**group, "OkSummary": "01", "ErrorSummary": ""}]}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("intake.test", "key"), "URL .intake.test.: it has no scheme"),
        (("https://127.0.0.1:1", ""), "API key"),
    ],
)
def test_bad_arguments(client: thaw.Client, arguments: tuple[str, str], says: str) -> None:
    with pytest.raises(thaw.InvalidArgument, match=says):
        thaw.TraceFlusher(client, *arguments)


def test_many_threads_one_flusher(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    sent = bodies(40)

    def work(body: workload.Body) -> int:
        flusher.add(payload(body))
        return flusher.flush(deadline=10.0).delivered

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, sent))
    flusher.flush(deadline=10.0)
    assert flusher.total.delivered == 40
    assert arrived(intake, sent) == [1] * 40
    flusher.check_invariant()


async def test_asyncio(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    flusher.add(payload(bodies(1)[0]))
    assert (await flusher.flush_async(deadline=5.0)).delivered == 1


async def test_a_cancelled_flush_loses_nothing(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    intake.script(Script(answer=Answer(action="black_hole")))
    body = bodies(1)[0]
    flusher.add(payload(body))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await flusher.flush_async(deadline=30.0)
    intake.script(Script())
    deadline = time.monotonic() + 10
    while flusher.total.delivered == 0 and time.monotonic() < deadline:
        await flusher.flush_async(deadline=5.0)
    assert flusher.total.delivered == 1
    assert flusher.possible_duplicates == [1]


def test_interrupt_ends_a_blocked_flush_and_loses_nothing(intake: Intake) -> None:
    program = textwrap.dedent(
        """
        import sys, thaw
        from thaw.lab.workload import generated_bodies
        url, ca_file = sys.argv[1:]
        options = thaw.ClientOptions(tls_cert_file=ca_file, use_public_roots=False, max_idle_per_host=0)
        with thaw.Client(options) as client:
            flusher = thaw.TraceFlusher(client, url, "key")
            flusher.add(thaw.TracePayload.from_msgpack(generated_bodies(1)[0]))
            try:
                flusher.flush(deadline=60.0)
            except KeyboardInterrupt:
                print("interrupted", flusher.retained, flush=True)
            sys.stdin.readline()
            print("delivered", flusher.flush(deadline=10.0).delivered, flush=True)
        """
    )
    intake.script(Script(hold="written"))
    with subprocess.Popen(
        [sys.executable, "-c", program, intake.url, intake.ca_file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    ) as child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            intake.event("held", timeout=30)
            os.kill(child.pid, signal.SIGINT)
            assert child.stdout.readline().split() == ["interrupted", "1"]
            intake.act(None)
            intake.script(Script())
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline().split() == ["delivered", "1"]
            assert child.wait(30) == 0
        finally:
            child.kill()


def test_a_flush_ends_with_its_client(intake: Intake) -> None:
    intake.script(Script(answer=Answer(action="black_hole")))
    client = thaw.Client(options(intake))
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    flusher.add(payload(bodies(1)[0]))
    retained: list[int] = []
    flushing = threading.Thread(target=lambda: retained.append(flusher.flush(deadline=60.0).retained))
    flushing.start()
    polling.wait_until(lambda: client.exchanges.requests > 0)
    client.close()
    flushing.join(10)
    assert retained == [1]
    with pytest.raises(thaw.Closed):
        flusher.flush()


def test_repr_names_where_it_sends(client: thaw.Client, intake: Intake) -> None:
    flusher = thaw.TraceFlusher(client, intake.url, "key")
    assert repr(flusher) == f"<thaw.TraceFlusher to {intake.url}/api/v0.2/traces, 0 retained>"
    assert flusher.endpoints == [f"{intake.url}/api/v0.2/traces"]


def test_the_options_of_a_flusher_are_a_copy(client: thaw.Client) -> None:
    flusher = thaw.TraceFlusher(client, "http://127.0.0.1:1", "key")
    flusher.options.sequential = True
    assert not flusher.options.sequential
    kept = flusher.options
    del flusher
    assert not kept.sequential
