"""The client over real sockets: what goes out, what comes back, what every failure says."""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import pathlib
import pickle
import socket
import threading

import pytest

import thaw
from thaw.lab.certificates import Authority

from . import peer
from .peer import ClosedError, Connection, Peer, Received, answer


def test_a_request_and_its_answer(client: thaw.Client, tls_peer: Peer):
    result = client.send(tls_peer.url + "/a?b=c", b"body", headers={"X-One": "1"})
    assert (result.accepted, result.status, result.body, result.attempts) == (True, 202, b"{}", 1)
    assert dict(result.headers)["Content-Length"] == "2"
    assert result.failures == []
    assert result.last_class is None
    result.raise_for_failure()
    (received,) = tls_peer.received
    assert (received.method, received.target, received.body) == ("POST", "/a?b=c", b"body")
    assert received.headers["x-one"] == "1"
    assert received.headers["host"] == f"127.0.0.1:{tls_peer.port}"


@pytest.mark.parametrize(("max_idle", "sockets"), [(4, 1), (0, 2)])
def test_two_requests_in_turn(options: thaw.ClientOptions, tls_peer: Peer, max_idle: int, sockets: int):
    with thaw.Client(options.replace(max_idle_per_host=max_idle)) as client:
        for _ in range(2):
            assert client.send(tls_peer.url, b"x").accepted
        connections = client.connections
    assert tls_peer.accepted == sockets
    assert connections.opened == sockets
    assert connections.reused == 2 - sockets
    assert connections.idle == min(max_idle, 1)


def test_send_many_in_turn(client: thaw.Client, tls_peer: Peer):
    results = client.send_many([thaw.Request(tls_peer.url, b"%d" % n) for n in range(20)])
    assert all(result.accepted for result in results)
    assert [received.body for received in tls_peer.received] == [b"%d" % n for n in range(20)]
    assert tls_peer.accepted == 1
    assert client.exchanges.requests == 20


def test_send_many_at_once_shares(options: thaw.ClientOptions, tls_peer: Peer):
    with thaw.Client(options.replace(max_idle_per_host=0, share_patience=30.0)) as client:
        results = client.send_many([thaw.Request(tls_peer.url, b"x")] * 20, concurrent=True)
        assert all(result.accepted for result in results)
        assert client.connections.shared == 19
        assert client.connections.open == 0
    assert tls_peer.accepted == 1


def test_send_many_gives_each_its_own_answer(client: thaw.Client):
    with peer.peer(lambda connection, request: answer(200, request.body)) as echo:
        requests = [thaw.Request(echo.url, b"%d" % n) for n in range(10)]
        for concurrent in (False, True):
            results = client.send_many(requests, concurrent=concurrent)
            assert [result.body for result in results] == [b"%d" % n for n in range(10)]
    assert client.send_many([]) == []


def test_bodies_of_every_kind(client: thaw.Client):
    with peer.peer(lambda connection, request: answer(200, request.body)) as echo:
        big = bytes(range(256)) * 4096
        for body in (b"", b"\0x", bytearray(b"ab"), memoryview(b"abcd")[1:3], big):
            assert client.send(echo.url, body).accepted
        assert echo.received[-1].body == big
        assert [r.body for r in echo.received[:4]] == [b"", b"\0x", b"ab", b"bc"]
    with pytest.raises(TypeError):
        client.send(echo.url, "text")  # type: ignore[arg-type]
    with pytest.raises(thaw.InvalidArgument, match="one piece"):
        client.send(echo.url, memoryview(b"abcdef")[::2])


def test_redirects_and_refusals_are_answers(options: thaw.ClientOptions):
    with peer.peer(lambda connection, request: answer(int(request.target[1:]), b"why")) as server:
        with thaw.Client(options.replace(max_attempts=2)) as client:
            for status, name in (
                (301, "REFUSED_FOR_GOOD"),
                (404, "REFUSED_FOR_GOOD"),
                (503, "REFUSED_FOR_NOW"),
            ):
                result = client.send(f"{server.url}/{status}")
                assert (result.accepted, result.status, result.body) == (False, status, b"why")
                assert result.last_class is thaw.RetryClass[name]
                with pytest.raises(thaw.Refused, match=str(status)) as caught:
                    result.raise_for_failure()
                assert caught.value.failure.status == status
                assert isinstance(caught.value, ConnectionError)
    assert [r.target for r in server.received] == ["/301", "/404", "/503", "/503"]


def test_stale_connection_is_replaced(options: thaw.ClientOptions, authority: Authority):
    def close_after_second_is_read(connection: Connection, request: Received) -> bytes | None:
        if connection.number == 1 and connection.requests == 2:
            raise ClosedError
        return answer()

    with (
        peer.peer(close_after_second_is_read, authority.issue_context()) as server,
        thaw.Client(options) as client,
    ):
        first, second = client.send(server.url, b"1"), client.send(server.url, b"2")
    assert first.accepted
    assert second.accepted
    assert second.possible_duplicate
    (failure,) = second.failures
    assert (failure.retry_class, failure.reused) == (thaw.RetryClass.STALE, True)
    assert failure.bytes_written is thaw.BytesWritten.ALL
    # Two requests were sent, three were seen: it was read before the connection was closed.
    assert [r.body for r in server.received] == [b"1", b"2", b"2"]


# -- Failures ----------------------------------------------------------------------------------------


def test_refused_port(client: thaw.Client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = client.send(f"http://127.0.0.1:{port}/", b"x", budget=5.0)
    with pytest.raises(thaw.Unreachable, match=str(port)) as caught:
        result.raise_for_failure()
    failure = caught.value.failure
    assert (failure.phase, failure.fault) == (thaw.Phase.CONNECT, thaw.Fault.REFUSED)
    assert [address for address, _ in failure.addresses] == [f"127.0.0.1:{port}"]
    assert failure.to_dict()["phase"] == "connect"
    assert result.attempts == 3


def test_unknown_host(options: thaw.ClientOptions):
    with thaw.Client(options.replace(max_attempts=1)) as client:
        result = client.send("http://no-such-host.invalid/", budget=20.0)
    with pytest.raises((thaw.Unreachable, thaw.DeadlineExceeded), match="no-such-host") as caught:
        result.raise_for_failure()
    assert caught.value.failure.phase is thaw.Phase.RESOLVE


def test_wrong_host_name(client: thaw.Client, authority: Authority):
    with peer.peer(context=authority.issue_context("other.example")) as server:
        result = client.send(server.url, b"x", budget=5.0)
    with pytest.raises(thaw.Misconfigured) as caught:
        result.raise_for_failure()
    assert (caught.value.failure.phase, caught.value.failure.fault) == (
        thaw.Phase.TLS,
        thaw.Fault.CERTIFICATE,
    )
    assert result.attempts == 1
    assert server.received == []


def test_expired_certificate(client: thaw.Client, authority: Authority):
    context = authority.issue_context(not_after=datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC))
    with peer.peer(context=context) as server:
        result = client.send(server.url, b"x", budget=5.0)
    with pytest.raises(thaw.Misconfigured, match="expired"):
        result.raise_for_failure()
    assert server.received == []


def test_unknown_authority(options: thaw.ClientOptions, tmp_path: pathlib.Path):
    with (
        peer.peer(context=Authority(tmp_path).issue_context()) as server,
        thaw.Client(options) as client,
    ):
        result = client.send(server.url, b"x", budget=5.0)
        with pytest.raises(thaw.Misconfigured, match=r"(?i)certificate"):
            result.raise_for_failure()
        with thaw.Client(options.replace(skip_ssl_validation=True)) as careless:
            assert careless.send(server.url, b"x").accepted


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b"not a certificate\n", "no PEM certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate"),
        ("folder", "(?i)directory"),
        ("fifo", "pipe"),
    ],
)
def test_bad_certificate_file(
    options: thaw.ClientOptions, tmp_path: pathlib.Path, content: bytes | str | None, says: str
):
    file = tmp_path / "given.pem"
    if content == "folder":
        file.mkdir()
    elif content == "fifo":
        os.mkfifo(file)  # reading it would wait for a writer for ever
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(thaw.InvalidArgument, match=says) as caught:
        thaw.Client(options.replace(tls_cert_file=file))
    assert str(file) in str(caught.value)
    assert "tls_cert_file" in str(caught.value)


def test_a_certificate_file_that_is_damaged_in_part_is_used(
    options: thaw.ClientOptions,
    tls_peer: Peer,
    authority: Authority,
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
):
    file = tmp_path / "given.pem"
    file.write_bytes(
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + authority.ca_file.read_bytes()
    )
    with thaw.Client(options.replace(tls_cert_file=file)) as client:
        (warning,) = caplog.messages
        assert str(file) in warning
        assert client.send(tls_peer.url).accepted


def test_proxy_tunnels(options: thaw.ClientOptions, tls_peer: Peer):
    with peer.peer(peer.connect_proxy()) as proxy:
        url = f"http://user:pass@127.0.0.1:{proxy.port}"
        with thaw.Client(options.replace(proxy_url=url)) as client:
            assert client.send(tls_peer.url, b"x").accepted
        (tunnel,) = proxy.received
        assert (tunnel.method, tunnel.target) == ("CONNECT", f"127.0.0.1:{tls_peer.port}")
        assert tunnel.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
        with thaw.Client(options.replace(proxy_url=url, no_proxy=["127.0.0.1"])) as client:
            assert client.send(tls_peer.url, b"x").accepted
        assert len(proxy.received) == 1


def test_tunnels_through_a_proxy_of_https(
    options: thaw.ClientOptions, tls_peer: Peer, authority: Authority, tmp_path: pathlib.Path
):
    """TLS to the proxy and TLS to the intake inside of it; the given file is trusted in both."""
    with peer.peer(peer.connect_proxy(), authority.issue_context()) as proxy:
        through = options.replace(proxy_url=f"https://user:pass@127.0.0.1:{proxy.port}")
        with thaw.Client(through) as client:
            assert client.send(tls_peer.url, b"x" * 100_000).accepted
        assert (proxy.handshakes, tls_peer.handshakes) == (1, 1)
        (tunnel,) = proxy.received
        assert (tunnel.method, tunnel.target) == ("CONNECT", f"127.0.0.1:{tls_peer.port}")
        assert tunnel.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
        (received,) = tls_peer.received
        assert len(received.body) == 100_000
        assert "proxy-authorization" not in received.headers

        # The intake behind it is judged as if there were no proxy.
        with (
            peer.peer(context=authority.issue_context("other.example")) as wrong,
            thaw.Client(through) as client,
        ):
            result = client.send(wrong.url, b"x", budget=5.0)
            with pytest.raises(thaw.Misconfigured, match=r"other\.example"):
                result.raise_for_failure()
        assert wrong.received == []

    # A proxy whose certificate is not trusted gets no CONNECT, and no credential.
    with peer.peer(peer.connect_proxy(), Authority(tmp_path).issue_context()) as proxy:
        with thaw.Client(options.replace(proxy_url=f"https://user:pass@127.0.0.1:{proxy.port}")) as client:
            result = client.send(tls_peer.url, b"x", budget=5.0)
        with pytest.raises(thaw.Misconfigured):
            result.raise_for_failure()
        assert proxy.received == []


def sockets_to(port: int) -> list[socket.socket]:
    """This process's own connections to a port of 127.0.0.1."""
    found = []
    for entry in pathlib.Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            ours = socket.socket(fileno=os.dup(int(entry.name)))
            if ours.family == socket.AF_INET and ours.getpeername() == ("127.0.0.1", port):
                found.append(ours)
            else:
                ours.close()
    return found


@pytest.mark.parametrize("nodelay", [True, False])
def test_nodelay_is_on_unless_it_is_turned_off(options: thaw.ClientOptions, tls_peer: Peer, nodelay: bool):
    assert options.tcp_nodelay
    with thaw.Client(options.replace(tcp_nodelay=nodelay)) as client:
        assert client.send(tls_peer.url, b"x").accepted
        (connection,) = sockets_to(tls_peer.port)
        with connection:
            assert bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is nodelay


@pytest.mark.parametrize(
    ("refusal", "raised", "says"),
    [
        (b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", thaw.Misconfigured, "407"),
        (b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", thaw.Unreachable, "502"),
        (b"\x00\x01 garbage\r\n\r\n", thaw.Unreachable, "proxy"),
    ],
)
def test_proxy_refuses(
    options: thaw.ClientOptions, tls_peer: Peer, refusal: bytes, raised: type[thaw.ThawError], says: str
):
    with peer.peer(peer.connect_proxy(refusal)) as proxy:
        with thaw.Client(options.replace(proxy_url=f"http://127.0.0.1:{proxy.port}")) as client:
            result = client.send(tls_peer.url, b"x", budget=5.0)
    with pytest.raises(raised, match=says) as caught:
        result.raise_for_failure()
    assert caught.value.failure.phase is thaw.Phase.PROXY
    assert tls_peer.received == []


@pytest.mark.parametrize(
    "welcome",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.0 200\r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
    ],
)
def test_answers_of_a_proxy_that_open_a_tunnel(
    options: thaw.ClientOptions, tls_peer: Peer, welcome: bytes
) -> None:
    with peer.peer(peer.connect_proxy(welcome=welcome)) as proxy:
        with thaw.Client(options.replace(proxy_url=f"http://127.0.0.1:{proxy.port}")) as client:
            result = client.send(tls_peer.url, b"x", budget=10.0)
    assert result.accepted, result.failures
    assert [received.body for received in tls_peer.received] == [b"x"]


def test_a_final_dot_is_no_part_of_a_certificates_name(
    options: thaw.ClientOptions, authority: Authority
) -> None:
    with peer.peer(context=authority.issue_context("localhost")) as server, thaw.Client(options) as client:
        result = client.send(f"https://localhost.:{server.port}/", b"x", budget=10.0)
    assert result.accepted, result.failures
    # RFC 9110 section 7.2: the header is what the URL says.
    assert server.received[0].headers["host"] == f"localhost.:{server.port}"


@pytest.mark.parametrize("entry", ["localhost.", "LOCALHOST", " localhost. ", "localhost.:*"])
def test_no_proxy_names_a_host_with_or_without_its_final_dot(
    options: thaw.ClientOptions, authority: Authority, entry: str
) -> None:
    with peer.peer(context=authority.issue_context("localhost")) as server:
        entry = entry.replace("*", str(server.port))
        direct = options.replace(proxy_url="http://127.0.0.1:1", no_proxy=[entry])
        with thaw.Client(direct) as client:
            for host in ("localhost", "localhost."):
                assert client.send(f"https://{host}:{server.port}/", b"x", budget=10.0).accepted, host


def test_hundred_megabytes_are_not_read(options: thaw.ClientOptions):
    sent = 0

    def flood(connection: Connection, request: Received) -> bytes | None:
        nonlocal sent
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        block = bytes(1 << 20)
        for _ in range(100):
            connection.send(block)
            sent += len(block)
        return None

    with peer.peer(flood) as server, thaw.Client(options) as client:
        result = client.send(server.url, b"x", budget=10.0)
        # A complete 2xx head means accepted, however long the body; it is kept and drained up to a cap.
        assert result.accepted
        assert not result.body_whole
        assert len(result.body) <= options.max_response_body_kept_bytes
        assert client.connections.open == 0
        assert client.exchanges.bytes_received < 20 << 20
    assert sent < 100 << 20


def test_trickling_answer_ends_with_the_budget(options: thaw.ClientOptions):
    with peer.peer(lambda connection, request: trickle(connection)) as server:

        def trickle(connection: Connection) -> None:
            for byte in b"HTTP/1.1 200 OK\r\n" + b"x" * 1000:
                connection.send(bytes([byte]))
                if server.ended.wait(0.05):
                    return

        begun = thaw.Clock().now()
        with thaw.Client(options) as client:
            result = client.send(server.url, b"x", budget=0.5)
        took = begun.largest_advance(thaw.Clock().now())
    assert took < 5.0
    with pytest.raises(thaw.DeadlineExceeded) as caught:
        result.raise_for_failure()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.failure.response_begun
    assert result.may_have_been_accepted


def test_garbage_answer(client: thaw.Client):
    with peer.peer(lambda connection, request: b"\x00\xff nothing like HTTP\r\n\r\n") as server:
        result = client.send(server.url, b"x", budget=5.0)
    assert not result.accepted
    assert result.failures[0].fault is thaw.Fault.PROTOCOL


@pytest.mark.parametrize(
    "url", ["", "intake.example", "ftp://intake.example/", "http://", "http://host:99999/", "http://ho st/"]
)
def test_bad_url(client: thaw.Client, url: str):
    with pytest.raises(thaw.InvalidArgument):
        client.send(url)
    with pytest.raises(thaw.InvalidArgument):
        thaw.Request(url)


def test_backslashes_and_empty_ports_of_urls() -> None:
    with pytest.raises(thaw.InvalidArgument, match="backslash"):
        thaw.Request("http://127.0.0.1:1\\@x/")
    thaw.Request("http://host:/")
    with pytest.raises(thaw.InvalidArgument, match="no_proxy"):
        thaw.ClientOptions(no_proxy=["a\nb"])


@pytest.mark.parametrize(
    "headers",
    [
        {"": "x"},
        {"A B": "x"},
        {"A:": "x"},
        {"A\r\nB": "x"},
        {"é": "x"},
        {"A": "x\r\nB: y"},
        {"A": "x\n"},
        {"A": "\rx"},
        [("A", "x\0")],
        {"A": "\x7f"},
    ],
)
def test_headers_can_not_start_another(client: thaw.Client, headers: dict[str, str]):
    for call in (client.send, thaw.Request, client.send_async):
        with pytest.raises(thaw.InvalidArgument):
            call("http://127.0.0.1:1/", headers=headers)


def test_headers_of_a_tracer_may_be_all_that_it_sent(client: thaw.Client):
    headers = {"Host": "localhost", "Content-Length": "1", "Datadog-Meta-Lang": "python"}
    assert thaw.TracePayload.from_msgpack(b"\x90", headers).spans == 0
    with pytest.raises(thaw.InvalidArgument, match="Datadog-Meta-Lang has the control character 0x0d"):
        thaw.TracePayload.from_msgpack(b"\x90", {"Datadog-Meta-Lang": "a\r\nX: y"})


@pytest.mark.parametrize(
    "name", ["Host", "host", "Content-Length", "TRANSFER-ENCODING", "connection", "Keep-Alive", "Expect"]
)
def test_headers_of_the_client_are_refused(client: thaw.Client, name: str):
    with pytest.raises(thaw.InvalidArgument, match=f"the header {name} can't be set"):
        client.send("http://127.0.0.1:1/", headers={name: "1"})


@pytest.mark.parametrize("text", ["a\r\nX: y", "a\n", "\ra", "a\0", "\x1b[2J"])
def test_no_text_that_goes_on_a_wire_can_start_another_line(client: thaw.Client, text: str):
    for make in (
        lambda: thaw.ClientOptions(user_agent=text),
        lambda: client.options.replace(user_agent=text),
        lambda: thaw.Client(with_agent(client.options, text)),
        lambda: thaw.TraceFlusher(client, "http://127.0.0.1:1", text),
        lambda: thaw.StatsFlusher(client, "http://127.0.0.1:1", text),
        lambda: thaw.TraceFlusher(
            client, "http://127.0.0.1:1", "k", additional_endpoints=[("http://127.0.0.1:1", text)]
        ),
        lambda: thaw.TraceFlusher(client, f"http://127.0.0.1:1/{text}/b", "k"),
        lambda: client.send("http://127.0.0.1:1/" + text),
        lambda: client.send("http://127.0.0.1:1/?" + text),
        lambda: client.send(f"http://{text}/"),
        lambda: client.send("http://127.0.0.1:1/", method=text),
        lambda: thaw.ClientOptions(proxy_url=f"http://{text}:pw@127.0.0.1:1"),
    ):
        with pytest.raises(thaw.InvalidArgument) as caught:
            make()
        assert text not in str(caught.value)


def with_agent(options: thaw.ClientOptions, text: str) -> thaw.ClientOptions:
    options.user_agent = text
    return options


@pytest.mark.parametrize(
    ("userinfo", "basic"),
    [("user:pw", "Basic dXNlcjpwdw=="), ("user", "Basic dXNlcjo="), ("us%40er:p%3Aw", "Basic dXNAZXI6cDp3")],
)
def test_credentials_of_a_url_are_basic_ones(
    options: thaw.ClientOptions, tls_peer: Peer, userinfo: str, basic: str
):
    url = f"https://{userinfo}@127.0.0.1:{tls_peer.port}/a"
    with thaw.Client(options) as client:
        assert client.send(url, b"x").accepted
        assert client.send_many([thaw.Request(url)])[0].accepted
        with pytest.raises(thaw.InvalidArgument, match="Authorization"):
            client.send(url, headers={"authorization": "Bearer x"})
        assert "pw" not in repr(thaw.Request(url))
        with peer.peer(peer.connect_proxy()) as proxy:
            through = options.replace(proxy_url=f"http://{userinfo}@127.0.0.1:{proxy.port}")
            with thaw.Client(through) as proxied:
                assert proxied.send(tls_peer.url).accepted
            assert [received.headers["proxy-authorization"] for received in proxy.received] == [basic]
    assert [received.headers.get("authorization") for received in tls_peer.received] == [basic, basic, None]
    assert {received.headers["host"] for received in tls_peer.received} == {f"127.0.0.1:{tls_peer.port}"}


def test_credentials_in_the_url_of_an_endpoint_are_refused(client: thaw.Client):
    with pytest.raises(thaw.InvalidArgument, match="user or password") as caught:
        thaw.TraceFlusher(client, "http://user:secret@127.0.0.1:1", "key")
    assert "secret" not in str(caught.value)


# -- Life ---------------------------------------------------------------------------------------------


def test_closed_client(options: thaw.ClientOptions, tls_peer: Peer):
    client = thaw.Client(options)
    assert client.send(tls_peer.url).accepted
    client.close()
    client.close()
    assert client.connections.opened == 1
    for call in (lambda: client.send(tls_peer.url), client.resume, client.quiesce):
        with pytest.raises(thaw.Closed):
            call()


def test_threads_end_with_their_clients(options: thaw.ClientOptions):
    def native_threads() -> set[str]:
        threads = set()
        for task in pathlib.Path("/proc/self/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                if (task / "comm").read_text().strip() == "thaw-client":
                    threads.add(task.name)
        return threads

    # Threads are told apart by their ids: one of an earlier test's clients may end at any time.
    before = native_threads()
    clients = [thaw.Client(options) for _ in range(5)]
    started = native_threads() - before
    assert len(started) == 5
    clients[0].close()
    del clients
    gc.collect()
    # The kernel may list a thread for a moment after it has returned.
    pause = threading.Event()
    for _ in range(200):
        if not native_threads() & started:
            break
        pause.wait(0.01)
    assert not native_threads() & started


def test_idle_connection_sees_its_end(options: thaw.ClientOptions, tls_peer: Peer):
    with thaw.Client(options) as client:
        assert client.send(tls_peer.url).accepted
        assert client.connections.idle == 1
        tls_peer.close()
        seen = threading.Event()
        for _ in range(500):
            if client.connections.open == 0:
                break
            seen.wait(0.01)
        assert client.connections.dropped_peer_closed == 1
        assert client.connections.open == 0


def test_resume_drains(options: thaw.ClientOptions, tls_peer: Peer):
    with thaw.Client(options.replace(on_resume="drain")) as client:
        assert client.send(tls_peer.url).accepted
        assert client.quiesce() == 0
        client.resume()
        assert client.send(tls_peer.url).accepted
        assert client.connections.resumes == 1
        assert client.connections.dropped_epoch == 1
        assert client.connections.tls_resumed == 1
    assert tls_peer.accepted == 2


def test_idle_timeout_by_a_fake_clock(options: thaw.ClientOptions, tls_peer: Peer):
    clock = thaw.FakeClock()
    with thaw.Client(options.replace(idle_timeout=15), clock=clock) as client:
        assert client.send(tls_peer.url).accepted
        clock.advance(14)
        assert client.send(tls_peer.url).accepted
        assert tls_peer.accepted == 1
        clock.advance(wall=16)  # a freeze that only the wall clock saw
        assert client.send(tls_peer.url).accepted
        assert client.connections.dropped_expired == 1
        with pytest.raises(thaw.InvalidArgument, match="another client"):
            thaw.Client(options, clock=clock)
    assert tls_peer.accepted == 2


def test_a_closed_client_gives_its_clock_back(options: thaw.ClientOptions, tls_peer: Peer):
    clock = thaw.FakeClock()
    first = thaw.Client(options, clock=clock)
    with pytest.raises(thaw.InvalidArgument, match="another client"):
        thaw.Client(options, clock=clock)
    first.close()
    clock.advance(1)
    # A client that can't be made takes no clock.
    with pytest.raises(thaw.InvalidArgument, match="tls_cert_file"):
        thaw.Client(options.replace(tls_cert_file="/none"), clock=clock)
    with thaw.Client(options.replace(idle_timeout=15), clock=clock) as second:
        assert second.send(tls_peer.url).accepted
        clock.advance(16)
        assert second.send(tls_peer.url).accepted
        assert second.connections.dropped_expired == 1
    assert first.connections.opened == 0


def test_late_tickets_and_stats_are_plain(client: thaw.Client, tls_peer: Peer):
    client.send(tls_peer.url)
    connections = client.connections.to_dict()
    assert connections["opened"] == 1
    assert connections["tls_full"] == 1
    assert "opened=1" in repr(client.connections)
    handshakes = client.connections.handshake_time
    assert handshakes["count"] == 1
    assert 0 < handshakes["p50"] <= handshakes["max"] == handshakes["sum"]
    assert pickle.loads(pickle.dumps(client.connections)).handshake_time == handshakes
    exchanges = client.exchanges.to_dict()
    assert (exchanges["requests"], exchanges["accepted"], exchanges["open"]) == (1, 1, 0)
