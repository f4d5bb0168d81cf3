"""Wrong calls: the exception names the argument and the nearest right name, and nothing crashes."""

from __future__ import annotations

import asyncio
import copy
import decimal
import enum
import fractions
import inspect
import os
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

import thaw
from thaw.lab.certificates import Authority

from . import misuse, peer, polling

FOLDER = pathlib.Path(__file__).resolve().parent
BOUND = misuse.bound_types()


@pytest.mark.parametrize("name", [*(kind.__name__ for kind in BOUND), "simulate"])
def test_no_misuse_crashes(name: str) -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "misuse.py", name],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@pytest.mark.parametrize("kind", BOUND, ids=lambda kind: kind.__name__)
def test_receivers_of_another_type_are_refused(kind: type) -> None:
    for receiver in (
        None,
        5,
        object(),
        misuse.Stranger(),
        thaw.FakeClock() if kind is not thaw.FakeClock else 1,
    ):
        for name, value in vars(kind).items():
            function = value.fget if isinstance(value, property) else value
            if (
                isinstance(function, staticmethod)
                or not callable(function)
                or name
                in (
                    "__signature__",
                    "__reduce_ex__",
                )
            ):
                continue
            with pytest.raises(TypeError, match=kind.__name__):
                function(receiver)


@pytest.mark.parametrize("kind", BOUND, ids=lambda kind: kind.__name__)
def test_objects_that_were_never_initialised_are_refused(kind: type) -> None:
    for made in (misuse.uninitialised(kind), misuse.half_made(kind)):
        with pytest.raises(TypeError, match="__init__ has not run"):
            repr(made)
        with pytest.raises(TypeError, match="__init__ has not run"):
            thaw.ClientOptions().__eq__(made)


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    """Returns the text of the TypeError that a call raises."""
    with pytest.raises(TypeError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_a_wrong_keyword_is_named_with_the_nearest(client: thaw.Client) -> None:
    flusher = thaw.TraceFlusher(client, "http://127.0.0.1:1", "key")
    for call, wrong, label, meant in (
        (thaw.ClientOptions, "max_idle", "ClientOptions()", "max_idle_per_host"),
        (thaw.ClientOptions, "max_attemps", "ClientOptions()", "max_attempts"),
        (thaw.ClientOptions().replace, "proxyurl", "ClientOptions.replace()", "proxy_url"),
        (thaw.FlusherOptions, "onfailure", "FlusherOptions()", "on_failure"),
        (thaw.Client, "option", "Client()", "options"),
        (client.send, "header", "Client.send()", "headers"),
        (client.send_many, "concurent", "Client.send_many()", "concurrent"),
        (thaw.Request, "Headers", "Request()", "headers"),
        (thaw.TraceFlusher, "additional_endpoint", "TraceFlusher()", "additional_endpoints"),
        (flusher.flush, "dead_line", "TraceFlusher.flush()", "deadline"),
        (thaw.FakeClock().advance, "walls", "FakeClock.advance()", "wall"),
        (thaw.Config.from_environment, "yml", "Config.from_environment()", "yaml"),
        (thaw.simulate, "cycle", "simulate()", "cycles"),
    ):
        said = refused(call, **{wrong: 1})
        assert said == f"{label} got an unexpected keyword argument {wrong!r}; did you mean {meant!r}?"
    assert refused(thaw.simulate, qqq=1) == "simulate() got an unexpected keyword argument 'qqq'"


def test_a_keyword_that_is_not_utf8_is_named(client: thaw.Client) -> None:
    flusher = thaw.TraceFlusher(client, "http://127.0.0.1:1", "key")
    for call, label in (
        (thaw.ClientOptions, "ClientOptions()"),
        (thaw.ClientOptions().replace, "ClientOptions.replace()"),
        (client.send, "Client.send()"),
        (flusher.flush, "TraceFlusher.flush()"),
        (thaw.simulate, "simulate()"),
    ):
        assert refused(call, **{"\ud800": 1}) == f"{label} got an unexpected keyword argument '\\ud800'"


@pytest.mark.parametrize(
    "number", [decimal.Decimal("3.7"), fractions.Fraction(7, 2), numpy.float32(3.7)], ids=repr
)
def test_a_number_that_may_have_a_fraction_is_no_integer(number: Any) -> None:
    kind = type(number).__name__
    said = refused(thaw.ClientOptions, max_attempts=number)
    assert said == f"ClientOptions(): max_attempts must be int | None, not {kind}"
    said = refused(thaw.simulate, cycles=number)
    assert said == f"simulate(): cycles must be int, not {kind}"
    options = thaw.ClientOptions(idle_timeout=number, max_attempts=numpy.int64(3))
    assert options.idle_timeout == pytest.approx(float(number))
    assert options.max_attempts == 3
    with pytest.raises(TypeError, match=r"^ClientOptions\.max_attempts must be int, not "):
        options.max_attempts = number
    assert options.max_attempts == 3


def test_an_integer_of_numpy_is_no_bool() -> None:
    said = refused(thaw.ClientOptions, share_within_flush=numpy.int64(1))
    assert said == "ClientOptions(): share_within_flush must be bool | None, not int64"
    assert thaw.ClientOptions(share_within_flush=numpy.bool_(False)).share_within_flush is False


def test_no_name_is_suggested_for_one_that_is_like_none(client: thaw.Client) -> None:
    said = refused(client.send, "http://127.0.0.1:1/", deadline=1)
    assert said == "Client.send() got an unexpected keyword argument 'deadline'"


def test_an_item_of_a_mapping_is_named() -> None:
    call = thaw.Config.from_environment
    for given, says in (
        ({"DD_ENV": "a", "DD_SITE": 5}, "environment['DD_SITE'] must be str, not int"),
        ({"DD_SITE": None}, "environment['DD_SITE'] must be str, not None"),
        ({"DD_SITE": b"a"}, "environment['DD_SITE'] must be str, not bytes"),
        ({5: "a"}, "environment: the key 5 must be str, not int"),
        ([("DD_SITE", "a")], "environment must be Mapping[str, str] | None, not list"),
    ):
        assert refused(call, given) == f"Config.from_environment(): {says}"
    with pytest.raises(thaw.InvalidArgument) as caught:
        call({"A": "\ud800"})
    assert str(caught.value).endswith("environment['A'] has characters that UTF-8 doesn't have")


def test_a_path_of_any_bytes_is_shown_in_one_line(tmp_path: pathlib.Path) -> None:
    for name in (b"a\nb\x1b[31m", b"a\xff"):
        path = tmp_path / os.fsdecode(name)
        options = thaw.ClientOptions(tls_cert_file=path)
        assert options.tls_cert_file == str(path)
        assert options.to_dict()["tls_cert_file"] == str(path)
        assert pickle.loads(pickle.dumps(options)) == options
        repr(options)
        for is_folder in (False, True):
            if is_folder:
                path.mkdir()
            with pytest.raises(thaw.InvalidArgument) as caught:
                thaw.Client(options)
            assert str(caught.value).isprintable()
            assert "tls_cert_file" in str(caught.value)


def test_a_wrong_name_is_shown_in_one_line() -> None:
    wrong = "a\r\n\x1b[31mb"
    for call, named in (
        (thaw.ClientOptions, {"on_resume": wrong}),
        (thaw.FlusherOptions, {"on_failure": wrong}),
        (thaw.simulate, {"scenario": wrong}),
        (thaw.simulate, {"close": wrong}),
    ):
        with pytest.raises(thaw.InvalidArgument) as caught:
            call(**named)
        assert str(caught.value).isprintable()
        assert r"a\r\n\x1b[31mb" in str(caught.value)


def test_a_wrong_number_of_arguments(client: thaw.Client) -> None:
    assert refused(client.send) == "Client.send() misses its argument 'url'"
    assert refused(thaw.TraceFlusher, client, "http://h") == "TraceFlusher() misses its argument 'api_key'"
    assert (
        refused(client.send, "http://h", b"", "GET")
        == "Client.send() takes at most 2 positional arguments, 3 were given; name them"
    )
    assert (
        refused(thaw.ClientOptions, 4)
        == "ClientOptions() takes no positional arguments, 1 was given; name them"
    )
    assert (
        refused(client.send, "http://h", url="http://h")
        == "Client.send() got two values for its argument 'url'"
    )


def test_a_wrong_argument_is_named(client: thaw.Client) -> None:
    url = "http://127.0.0.1:1/"
    for call, says in (
        (lambda: client.send(5), "Client.send(): url must be str, not int"),
        (lambda: client.send(None), "Client.send(): url must be str, not None"),
        (lambda: client.send(url, "text"), "Client.send(): body must be bytes-like, not str"),
        (lambda: client.send(url, budget="1"), "Client.send(): budget must be float | None, not str"),
        (lambda: thaw.Client(4), "Client(): options must be ClientOptions | None, not int"),
        (lambda: thaw.Client(clock=4), "Client(): clock must be Clock | FakeClock | None, not int"),
        (
            lambda: thaw.TraceFlusher(None, url, "key"),
            "TraceFlusher(): client must be Client, not None",
        ),
        (
            lambda: thaw.TraceFlusher(client, url, "key", additional_endpoints=[("a", "b"), ("a", 5)]),
            "TraceFlusher(): additional_endpoints[1][1] must be str, not int",
        ),
        (
            lambda: thaw.ClientOptions(max_attempts="3"),
            "ClientOptions(): max_attempts must be int | None, not str",
        ),
        (
            lambda: thaw.ClientOptions(max_attempts=1.5),
            "ClientOptions(): max_attempts must be int | None, not float",
        ),
        (
            lambda: thaw.ClientOptions(no_proxy=["a", 1]),
            "ClientOptions(): no_proxy[1] must be str, not int",
        ),
        (
            lambda: setattr(thaw.ClientOptions(), "max_attempts", "3"),
            "ClientOptions.max_attempts must be int, not str",
        ),
        (
            lambda: thaw.ClientOptions(on_resume=1),
            "ClientOptions(): on_resume must be OnResume | str | None, not int",
        ),
        (
            lambda: thaw.TracePayload.from_msgpack("text"),
            "TracePayload.from_msgpack(): body must be bytes-like, not str",
        ),
        (lambda: thaw.simulate(cycles="many"), "simulate(): cycles must be int, not str"),
    ):
        assert refused(call) == says


def test_bytes_are_no_text_and_a_number_is_no_bool(client: thaw.Client) -> None:
    url = "http://127.0.0.1:1/"
    for call, says in (
        (lambda: client.send(b"http://h/"), "Client.send(): url must be str, not bytes"),
        (lambda: client.send_async(b"http://h/"), "Client.send_async(): url must be str, not bytes"),
        (lambda: client.send(url, method=b"GET"), "Client.send(): method must be str, not bytes"),
        (lambda: client.send(url, retry_ambiguous=1), "Client.send(): retry_ambiguous must be bool, not int"),
        (
            lambda: client.send_many([], concurrent="no"),
            "Client.send_many(): concurrent must be bool, not str",
        ),
        (lambda: thaw.Request(b"http://h/"), "Request(): url must be str, not bytes"),
        (
            lambda: thaw.ClientOptions(user_agent=b"x"),
            "ClientOptions(): user_agent must be str | None, not bytes",
        ),
        (
            lambda: setattr(thaw.ClientOptions(), "user_agent", b"x"),
            "ClientOptions.user_agent must be str, not bytes",
        ),
        (
            lambda: thaw.ClientOptions(proxy_url=b"http://h"),
            "ClientOptions(): proxy_url must be str | None, not bytes",
        ),
        (lambda: thaw.ClientOptions(no_proxy=[b"x"]), "ClientOptions(): no_proxy[0] must be str, not bytes"),
        (
            lambda: thaw.ClientOptions(on_resume=b"keep"),
            "ClientOptions(): on_resume must be OnResume | str | None, not bytes",
        ),
        (
            lambda: thaw.ClientOptions(skip_ssl_validation=5),
            "ClientOptions(): skip_ssl_validation must be bool | None, not int",
        ),
        (
            lambda: thaw.ClientOptions().replace(tcp_nodelay="false"),
            "ClientOptions.replace(): tcp_nodelay must be bool | None, not str",
        ),
        (
            lambda: setattr(thaw.ClientOptions(), "tcp_nodelay", 1),
            "ClientOptions.tcp_nodelay must be bool, not int",
        ),
        (
            lambda: thaw.TraceFlusher(client, b"http://h", "key"),
            "TraceFlusher(): endpoint must be str, not bytes",
        ),
        (lambda: thaw.TraceFlusher(client, url, b"key"), "TraceFlusher(): api_key must be str, not bytes"),
        (
            lambda: thaw.TraceFlusher(client, url, "key", additional_endpoints=[("a", b"b")]),
            "TraceFlusher(): additional_endpoints[0][1] must be str, not bytes",
        ),
        (
            lambda: thaw.Config.from_environment({}, yaml=b"site: a"),
            "Config.from_environment(): yaml must be str, not bytes",
        ),
        (lambda: thaw.simulate(scenario=b"idle"), "simulate(): scenario must be str, not bytes"),
        (lambda: thaw.simulate(check=1), "simulate(): check must be bool, not int"),
    ):
        assert refused(call) == says
    options = thaw.ClientOptions(skip_ssl_validation=True, tcp_nodelay=False)
    assert (options.skip_ssl_validation, options.tcp_nodelay) == (True, False)
    numpy = pytest.importorskip("numpy")
    assert thaw.ClientOptions(skip_ssl_validation=numpy.bool_(True)).skip_ssl_validation


def test_items_of_send_many_and_headers_are_named(client: thaw.Client) -> None:
    good = thaw.Request("http://127.0.0.1:1/")
    for requests, says in (
        ([good, None], "requests[1] must be thaw.Request, not None"),
        ((good, good, "x"), "requests[2] must be thaw.Request, not str"),
        (iter([5]), "requests[0] must be thaw.Request, not int"),
        ([thaw.Request.__new__(thaw.Request)], "requests[0] must be thaw.Request"),
    ):
        assert says in refused(client.send_many, requests)
    for headers, says in (
        ({"A": 1}, "the value of header 'A' must be str, not int"),
        ({"A": b"x"}, "the value of header 'A' must be str, not bytes"),
        ({"A": None}, "the value of header 'A' must be str, not None"),
        ({1: "a"}, "the name of headers[0] must be str, not int"),
        ([("A", "x"), ("B", 2)], "the value of header 'B' must be str, not int"),
        ([("A", "x"), "BC"], "headers[1] must be a pair of name and value, not str"),
        ([("A", "x", "y")], "headers[0] must be a pair of name and value, not tuple"),
        ([5], "headers[0] must be a pair of name and value, not int"),
    ):
        for call in (client.send, thaw.Request, client.send_async):
            assert refused(call, "http://127.0.0.1:1/", headers=headers) == says
    assert refused(client.send, "http://127.0.0.1:1/", headers=5).startswith(
        "Client.send(): headers must be Mapping"
    )

    def fails() -> Iterator[thaw.Request]:
        yield good
        raise TypeError("of the caller")

    assert refused(client.send_many, fails()) == "of the caller"


def test_a_mapping_of_any_kind_gives_headers() -> None:
    from types import MappingProxyType

    for headers in (
        MappingProxyType({"A": "b"}),
        [("A", "b")],
        (("A", "b"),),
        iter([["A", "b"]]),
        {"A": "b"}.items(),
    ):
        assert thaw.Request("http://h/", headers=headers).headers == [("A", "b")]  # type: ignore[arg-type]


def test_values_out_of_range_are_named(client: thaw.Client) -> None:
    for call, says in (
        (lambda: thaw.ClientOptions(max_attempts=10**30), "max_attempts is 1000000"),
        (lambda: thaw.ClientOptions(max_response_body_kept_bytes=-1), "max_response_body_kept_bytes is -1"),
        (lambda: thaw.Client(seed=-1), "seed is -1"),
        (lambda: client.send("http://h/\ud800"), "url has characters that UTF-8 doesn't have"),
        (lambda: thaw.Request("http://h/", headers={"A": "\ud800"}), "value of header 'A' has characters"),
    ):
        with pytest.raises(thaw.InvalidArgument, match=says):
            call()


def test_no_text_of_pybind11_and_no_secret_is_shown(client: thaw.Client) -> None:
    said = refused(thaw.TraceFlusher, client, "http://h", "secret key", nonsense=1)
    assert "secret" not in said
    assert "incompatible" not in said
    said = refused(thaw.ClientOptions, proxy_url="http://user:secret@proxy", max_attempts="many")
    assert "secret" not in said


# -- Signatures ------------------------------------------------------------------------------------------


def public_callables() -> Iterator[tuple[str, Any]]:
    for name in thaw.__all__:
        value = getattr(thaw, name)
        yield name, value
        if not isinstance(value, type) or issubclass(value, BaseException | enum.Enum):
            continue
        for member, attribute in vars(value).items():
            if isinstance(attribute, property):
                yield f"{name}.{member}.fget", attribute.fget
            elif callable(attribute) and member != "__signature__" and not isinstance(attribute, type):
                yield f"{name}.{member}", getattr(value, member)


@pytest.mark.parametrize(("name", "value"), [pytest.param(*each, id=each[0]) for each in public_callables()])
def test_every_callable_has_a_signature(name: str, value: Any) -> None:
    assert isinstance(inspect.signature(value), inspect.Signature)


def test_signatures_say_what_is_taken(client: thaw.Client) -> None:
    send = inspect.signature(thaw.Client.send)
    assert list(send.parameters) == ["self", "url", "body", "method", "headers", "budget", "retry_ambiguous"]
    assert send.parameters["body"].default == b""
    assert send.parameters["method"].kind is inspect.Parameter.KEYWORD_ONLY
    assert send.return_annotation == "SendResult"
    assert next(iter(inspect.signature(client.send).parameters)) == "url"
    assert "max_idle_per_host" in inspect.signature(thaw.ClientOptions).parameters
    assert list(inspect.signature(thaw.SendResult).parameters) == []
    assert inspect.signature(thaw.simulate).parameters["freeze"].default == (1.0, 120.0)

    class Own(thaw.ThawError):
        def __init__(self, code: int) -> None:
            super().__init__(str(code))

    assert list(inspect.signature(Own).parameters) == ["code"]


def test_functions_are_found_by_name() -> None:
    assert thaw.Client.send.__name__ == "send"
    assert thaw.Client.send.__qualname__ == "Client.send"
    assert thaw.simulate.__module__ == "thaw"
    assert "Sends one request" in (thaw.Client.send.__doc__ or "")
    assert pickle.loads(pickle.dumps(thaw.simulate)) is thaw.simulate
    assert pickle.loads(pickle.dumps(thaw.Client.send)) is thaw.Client.send


# -- Files -----------------------------------------------------------------------------------------------


class Path:
    """A path that is neither str nor pathlib.Path."""

    def __init__(self, path: str | bytes | pathlib.Path) -> None:
        self.path = path if isinstance(path, bytes) else str(path)

    def __fspath__(self) -> str | bytes:
        return self.path


@pytest.mark.parametrize("kind", [str, pathlib.Path, Path, lambda path: Path(os.fsencode(path))])
def test_a_path_is_a_path(authority: Authority, tls_peer: peer.Peer, kind: Any) -> None:
    options = thaw.ClientOptions(tls_cert_file=kind(authority.ca_file), use_public_roots=False)
    assert options.tls_cert_file == str(authority.ca_file)
    with thaw.Client(options) as client:
        assert client.send(tls_peer.url).accepted
    options.tls_cert_file = pathlib.Path("/other")
    assert options.to_dict()["tls_cert_file"] == "/other"
    assert refused(thaw.ClientOptions, tls_cert_file=5) == (
        "ClientOptions(): tls_cert_file must be str | os.PathLike[str] | None, not int"
    )


class Raising:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __fspath__(self) -> str:
        raise self.error


@pytest.mark.parametrize(
    "error", [RuntimeError("of the caller"), TypeError("of the caller"), KeyboardInterrupt()]
)
def test_an_exception_from_a_path_reaches_the_caller(error: BaseException) -> None:
    options = thaw.ClientOptions()
    for call in (
        lambda: thaw.ClientOptions(tls_cert_file=Raising(error)),
        lambda: options.replace(tls_cert_file=Raising(error)),
        lambda: setattr(options, "tls_cert_file", Raising(error)),
    ):
        with pytest.raises(type(error)) as raised:
            call()
        assert raised.value is error

    class Wrong:
        def __fspath__(self) -> int:
            return 5

    assert "__fspath__() to return str or bytes, not int" in refused(
        thaw.ClientOptions, tls_cert_file=Wrong()
    )


# -- asyncio ---------------------------------------------------------------------------------------------


async def test_async_with_closes(options: thaw.ClientOptions, tls_peer: peer.Peer) -> None:
    async with thaw.Client(options) as client:
        assert isinstance(client, thaw.Client)
        assert (await client.send_async(tls_peer.url)).accepted
    with pytest.raises(thaw.Closed):
        client.send(tls_peer.url)
    with pytest.raises(KeyError):
        async with thaw.Client(options):
            raise KeyError
    client = thaw.Client(options)
    async with client:
        client.close()


async def test_async_with_ends_what_runs(options: thaw.ClientOptions) -> None:
    with peer.peer(lambda connection, request: server.ended.wait(60) and None) as server:
        async with thaw.Client(options) as client:
            sending = client.send_async(server.url, b"x")
            await polling.until(lambda: client.exchanges.open > 0, every=0)
        assert not (await sending).accepted
        server.ended.set()


async def test_a_thousand_answers_at_once(options: thaw.ClientOptions) -> None:
    """One descriptor wakes the event loop for all of them."""
    with peer.peer(lambda connection, request: peer.answer(200, request.body)) as server:
        async with thaw.Client(options) as client:
            results = await asyncio.gather(*(client.send_async(server.url, b"%d" % n) for n in range(1000)))
    assert [result.body for result in results] == [b"%d" % n for n in range(1000)]


# -- Copies ----------------------------------------------------------------------------------------------


def values(options: thaw.ClientOptions, url: str) -> list[Any]:
    """An object of each type that can be copied, with something in it."""
    with thaw.Client(options.replace(max_attempts=2)) as client:
        refused = client.send("http://127.0.0.1:1/", b"x")
        accepted = client.send(url, b"x")
        flusher = thaw.TraceFlusher(client, "http://127.0.0.1:1", "key")
        flusher.add(thaw.TracePayload.from_msgpack(b"\x91\x91\x81\xa7span_id\x01"))
        report = flusher.flush(deadline=5.0)
        lines = thaw.parse_dogstatsd(b"a:1:2|c|@0.5|#x:y|T9\n_e{1,1}:t|x\n_sc|s|1\nbad|q\na:\xff|s")
        return [
            options,
            options.replace(on_resume="probe", share_patience=0.25, exchange_timeout=1 / 3, no_proxy=["a"]),
            thaw.FlusherOptions(on_failure="discard", no_progress_limit=float("inf")),
            thaw.Request("https://host:8443/a?b=c", bytes(range(256)), "PUT", {"A": "b"}),
            thaw.FakeClock().now(),
            thaw.Clock().now(),
            client.connections,
            client.exchanges,
            refused,
            refused.failures[0],
            accepted,
            accepted.times,
            report,
            lines,
            *lines.samples,
            *(
                each
                for name in thaw.__all__
                if isinstance(kind := getattr(thaw, name), enum.EnumType)
                for each in kind
            ),
        ]


def facts(value: Any) -> Any:
    """Returns the public state of an object."""
    kind = type(value)
    if isinstance(value, list | tuple):
        return [facts(each) for each in value]
    if kind.__module__ != "thaw" or isinstance(value, enum.Enum):
        return value
    names = [name for name, each in vars(kind).items() if isinstance(each, property)]
    return kind, repr(value), {name: facts(getattr(value, name)) for name in names}


def test_values_can_be_copied(options: thaw.ClientOptions, tls_peer: peer.Peer) -> None:
    made = values(options, tls_peer.url)
    for value in made:
        for copied in (
            *(pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6)),
            copy.copy(value),
            copy.deepcopy(value),
        ):
            assert facts(copied) == facts(value)
            assert copied == value
            if type(value).__hash__ is not None:  # options can be changed, and have none
                assert hash(copied) == hash(value)
    for value in made:
        assert [each for each in made if each == value] == [value]
        assert value != repr(value)
    with pytest.raises(thaw.Unreachable) as caught:
        made[8].raise_for_failure()
    error = caught.value
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), facts(again.failure)) == (type(error), str(error), facts(error.failure))
    # Every type of the package is one of these, or says why it is not.
    copied_types = {type(value) for value in made}
    for kind in BOUND:
        if kind not in copied_types:
            assert kind in (
                thaw.Client,
                thaw.Clock,
                thaw.Config,
                thaw.DDSketch,
                thaw.FakeClock,
                thaw.LogsFlusher,
                thaw.LogsPayload,
                thaw.MetricsFlusher,
                thaw.MetricsPayload,
                thaw.StatsFlusher,
                thaw.StatsPayload,
                thaw.TraceFlusher,
                thaw.TracePayload,
            )


def test_copying_a_process_bound_object_is_an_error(client: thaw.Client) -> None:
    for value in (client, thaw.TraceFlusher(client, "http://127.0.0.1:1", "key"), thaw.FakeClock()):
        for attempt in (pickle.dumps, lambda each: pickle.dumps(each, 0), copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=type(value).__name__):
                attempt(value)


def test_a_damaged_pickle_is_an_error() -> None:
    for kind in (thaw.ClockReading, thaw.SendResult, thaw.Request, thaw.ExchangeStats):
        for state in ((), (1,), (None,) * 4, "text", None):
            with pytest.raises((TypeError, ValueError)):
                kind.__new__(kind).__setstate__(state)  # type: ignore[attr-defined]
