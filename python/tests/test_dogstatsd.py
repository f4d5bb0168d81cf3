"""thaw.parse_dogstatsd on lines written by hand, and on those of Datadog's own clients."""

from __future__ import annotations

import importlib.util
import pathlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import thaw


def sample(line: bytes, **options: Any) -> dict[str, Any]:
    (only,) = thaw.parse_dogstatsd(line, **options).samples
    return only.to_dict()


def test_a_line_has_all_that_the_client_says() -> None:
    assert sample(b"page.views:1:2.5|c|@0.25|#b:2,a|T1656581400") == {
        "name": "page.views",
        "type": "count",
        "values": [1.0, 2.5],
        "member": "",
        "weight": 4.0,
        "time": 1656581400.0,
        "tags": ["b:2", "a"],
    }
    assert sample(b"users:ann|s", name_prefix="shop.")["name"] == "shop.users"
    assert sample(b"users:ann|s")["member"] == "ann"


@pytest.mark.parametrize("prefix", ["9.", ".", "a b", "a\n", "a\0", "\x1b[31m", "\xe9"])
def test_a_prefix_that_no_name_may_begin_with_is_refused(prefix: str) -> None:
    with pytest.raises(thaw.InvalidArgument, match="name_prefix") as caught:
        thaw.parse_dogstatsd(b"a:1|c", name_prefix=prefix)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("letter", "name"),
    [
        ("c", "count"),
        ("g", "gauge"),
        ("d", "distribution"),
        ("h", "histogram"),
        ("ms", "histogram"),
        ("s", "set"),
    ],
)
def test_every_type_has_a_name(letter: str, name: str) -> None:
    assert sample(b"m:1|" + letter.encode())["type"] == name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"m:nan|c", "value"),
        (b"m:inf|g", "value"),
        (b"m:1|q", "type"),
        (b"m:1|c|@2", "rate"),
        (b"nothing", "form"),
        (b"_e{1,1}:t", "event"),
        (b"_sc|db|9", "service_check"),
    ],
)
def test_a_bad_line_costs_that_line_alone(line: bytes, reason: str) -> None:
    read = thaw.parse_dogstatsd(b"good:1|c\n" + line + b"\nbetter:2|c")
    assert [each.name for each in read.samples] == ["good", "better"]
    assert read.refused == {reason: 1}
    assert reason in read.first_refused
    assert (read.events, read.service_checks) == ([], [])


def test_events_and_service_checks_are_dictionaries() -> None:
    read = thaw.parse_dogstatsd(
        b"_e{8,9}:deployed|version 7|d:5|h:here|k:key|p:low|s:ci|t:warning|#a:b\n"
        b"_sc|db|2|d:6|h:there|#c|m:down"
    )
    assert read.events == [
        {
            "title": "deployed",
            "text": "version 7",
            "time": 5.0,
            "host": "here",
            "aggregation_key": "key",
            "priority": "low",
            "source_type": "ci",
            "alert_type": "warning",
            "tags": ["a:b"],
        }
    ]
    assert read.service_checks == [
        {"name": "db", "status": 2, "time": 6.0, "host": "there", "message": "down", "tags": ["c"]}
    ]


def test_bytes_that_are_not_utf8_are_shown_as_text() -> None:
    read = thaw.parse_dogstatsd(b"_sc|d\xffb|1|m:\xfe\nm:\xff|s")
    assert "\ufffd" in read.service_checks[0]["message"]
    assert read.samples[0].member == "\ufffd"


def test_lines_are_no_text() -> None:
    with pytest.raises(TypeError, match="datagram"):
        thaw.parse_dogstatsd("m:1|c")  # type: ignore[arg-type]


# -- Clients of Datadog


@contextmanager
def received() -> Iterator[tuple[int, Callable[[], thaw.DogStatsdLines]]]:
    """Gives a port, and a function that reads everything that came to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(1.0)

        def lines() -> thaw.DogStatsdLines:
            datagrams = []
            try:
                while True:
                    datagrams.append(receiver.recv(1 << 16))
                    receiver.settimeout(0.05)
            except TimeoutError:
                return thaw.parse_dogstatsd(b"\n".join(datagrams))

        yield receiver.getsockname()[1], lines


def test_the_client_datadog_is_understood() -> None:
    dogstatsd = pytest.importorskip("datadog.dogstatsd", reason="the package datadog is not installed")
    with received() as (port, lines):
        client = dogstatsd.DogStatsd(
            host="127.0.0.1", port=port, namespace="shop", constant_tags=["env:x"], disable_telemetry=True
        )
        client.increment("views", 3, tags=["page:home"])
        client.decrement("stock", 2)
        client.gauge("load", 0.5)
        client.gauge_with_timestamp("size", 7, 1656581400)
        client.count_with_timestamp("sold", 2, 1656581400)
        client.histogram("bytes", 12)
        client.timing("wait", 250)
        client.distribution("time", 1.25)
        client.set("users", "ann")
        client.event("deployed", "version 7\nof the shop", alert_type="success", tags=["team:a"])
        client.service_check("db", 2, message="down", hostname="h")
        read = lines()
        client.close_socket()
    assert read.refused == {}, read.first_refused
    assert [(each.name, each.type, each.values or each.member, each.time) for each in read.samples] == [
        ("shop.views", "count", [3.0], None),
        ("shop.stock", "count", [-2.0], None),
        ("shop.load", "gauge", [0.5], None),
        ("shop.size", "gauge", [7.0], 1656581400.0),
        ("shop.sold", "count", [2.0], 1656581400.0),
        ("shop.bytes", "histogram", [12.0], None),
        ("shop.wait", "histogram", [250.0], None),
        ("shop.time", "distribution", [1.25], None),
        ("shop.users", "set", "ann", None),
    ]
    assert sorted(read.samples[0].tags) == ["env:x", "page:home"]
    assert all("env:x" in each.tags for each in read.samples)
    (event,) = read.events
    assert (event["title"], event["text"]) == ("deployed", "version 7\nof the shop")
    assert event["alert_type"] == "success"
    (check,) = read.service_checks
    assert (check["name"], check["status"], check["message"], check["host"]) == ("db", 2, "down", "h")


def test_sampled_reports_stand_for_all_of_them() -> None:
    dogstatsd = pytest.importorskip("datadog.dogstatsd", reason="the package datadog is not installed")
    with received() as (port, lines):
        client = dogstatsd.DogStatsd(host="127.0.0.1", port=port, disable_telemetry=True)
        for _ in range(400):
            client.increment("views", sample_rate=0.25)
        read = lines()
        client.close_socket()
    assert {each.weight for each in read.samples} == {4.0}
    assert 200 < sum(each.values[0] * each.weight for each in read.samples) < 600


def lambda_client() -> Any:
    """Returns the client that Datadog's library for Lambda sends with.

    The library itself is not imported: it starts a tracer.
    """
    package = importlib.util.find_spec("datadog_lambda")
    if package is None or package.origin is None:
        pytest.skip("the package datadog-lambda is not installed")
    file = pathlib.Path(package.origin).with_name("dogstatsd.py")
    spec = importlib.util.spec_from_file_location("dogstatsd_of_datadog_lambda", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DogStatsd()


def test_the_client_of_datadog_lambda_is_understood() -> None:
    client = lambda_client()
    with received() as (port, lines):
        client.host, client.port = "127.0.0.1", port
        client.distribution("orders", 12.5, tags=["kind:book"])
        client.distribution("orders", 2, timestamp=1656581400)
        read = lines()
        client.close_socket()
    assert read.refused == {}, read.first_refused
    assert [(each.name, each.type, each.values) for each in read.samples] == [
        ("orders", "distribution", [12.5]),
        ("orders", "distribution", [2.0]),
    ]
    assert "kind:book" in read.samples[0].tags
