"""The clients that are compared: their predecessors' policies, thaw's, and those of other projects.

Arms v92 to v98 are thaw's own client with the options of those releases, their defects kept, so that an
experiment compares policies and not code bases (docs/design.md, "The laboratory"). They are those releases'
client of traces; v93-logs and so on are their client of other data, which delivers the same spans here, so
that all arms can be compared. That client spoke HTTP/2 by default: the arms are what it did over HTTP/1.1,
through a proxy or with DD_HTTP_PROTOCOL=http1. A 4xx, which it tried three times, is tried once.

    find("v93,thaw(max_idle_per_host=1,on_resume=keep)")  # options of the client stand in brackets
    find("thaw,client.py")                                # clients that a file declares (own_clients.py)
    of_command("curl --cacert {ca_file} --data-binary @{body_file} {url}")
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import thaw
from thaw.lab import arm_options, named_values, own_clients

Maker = Literal["native", "file", "command"]
COMMAND = "command"  # the name of an arm that runs a command line, its option `run`
_EXAMPLES = pathlib.Path(__file__).resolve().parent / "example_clients"


@dataclass(frozen=True)
class Arm:
    """One client policy.

    Attributes:
      text: one line for tables and pages.
      tells_resume: whether the client is told of each resume, as one that knows of freezes.
      client_per_flush: whether each flush has a client of its own.
      keeps: whether payloads that a flush failed to send are kept for the next one; such an arm loses none.
      client: options of the client.
      flusher: options of the flusher in place of those of the peers' client of traces.
      given: options of the client in the arm's name, which override those of the experiment.
      source: the file of another client and the name in it, or its command.
    """

    name: str
    text: str
    maker: Maker = "native"
    tells_resume: bool = False
    client_per_flush: bool = False
    keeps: bool = False
    client: tuple[tuple[str, Any], ...] = ()
    flusher: tuple[tuple[str, Any], ...] = ()
    given: tuple[tuple[str, Any], ...] = ()
    source: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The arm's name without options."""
        return self.name.partition("(")[0]

    def client_options(self, ca_file: str, **fields: Any) -> thaw.ClientOptions:
        """Returns the options of the arm's client, which trusts `ca_file` alone unless its name says
        otherwise.
        """
        return thaw.ClientOptions(**self._values(ca_file, fields))

    def with_options(self, values: Mapping[str, str]) -> Arm:
        """Returns the arm with more options, given as text. ValueError names the option and what is
        expected.
        """
        if not values:
            return self
        if self.maker != "native":
            raise ValueError(f"arm {self.name} takes no options: it is not thaw's client")
        try:
            read = {name: arm_options.read(name, text) for name, text in values.items()}
            given = tuple(sorted({**dict(self.given), **read}.items()))
            made = dataclasses.replace(self, given=given)
            arm_options.check(made._values("ca.pem", {}))
        except ValueError as error:
            raise ValueError(f"arm {self.base}: {error}") from None
        texts = [(name, arm_options.text_of(value)) for name, value in given]
        return dataclasses.replace(
            made,
            name=named_values.text_of(self.base, texts),
            text=f"{ARMS[self.base].text}; its client has {', '.join(f'{n} = {v}' for n, v in texts)}",
        )

    def _values(self, ca_file: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        trusted = {"tls_cert_file": ca_file, "use_public_roots": False}
        return {**dict(self.client), **trusted, **fields, **dict(self.given)}

    def flusher_options(self, scenario: str) -> thaw.FlusherOptions:
        """Returns the options of the arm's flusher.

        Strategy `end`, which the idle scenario is, throws away what failed; flushes that overlap a freeze are
        redriven once, at shutdown.
        """
        if self.keeps:
            return thaw.FlusherOptions()
        return thaw.FlusherOptions(
            on_failure="discard" if scenario == "idle" else "redrive_at_shutdown",
            no_progress_limit=float("inf"),
            outbox_bytes=UNBOUNDED,  # peers' queues have no bound
            **dict(self.flusher or _OF_TRACES),
        )


UNLIMITED = 1 << 30
UNBOUNDED = 1 << 40  # bytes


# The peers' flushers. That of traces sends one request after the other, returns all of a flush if one fails,
# and takes a refusal for a success in the end.
_OF_TRACES = (("sequential", True), ("return_all_on_failure", True), ("retry_all_statuses", True))
# Those of logs and of proxied requests send all at once, and return what was refused, too.
_AT_ONCE = (("drop_refused", False),)
# That of metrics sends one request after the other; the first failure ends the flush.
_IN_TURN = (("sequential", True),)


def _peer(attempts: int, *, pooled: bool, idle_timeout: float = 90.0) -> tuple[tuple[str, Any], ...]:
    """Options of hyper-util's client, which reqwest's client contains.

    It knows of a connection only what its reactor saw, its pool has no bound but a time of the monotonic
    clock, and a request that a connection gave back untouched is sent again without counting as an attempt.
    """
    return tuple(
        {
            "max_idle_per_host": UNLIMITED if pooled else 0,
            "share_within_flush": pooled,
            "idle_timeout": idle_timeout,
            "max_connections_per_host": UNLIMITED,
            "on_resume": "keep",
            "liveness": "reactor_only",
            "expiry_clock": "monotonic",
            "dial_eagerly": True,
            "late_alarm": "fire",
            "max_attempts": attempts,
            "backoff_base": 0.0,
            "resend_rule": "hyper_zone1",
        }.items()
    )


# The limits of on-demand Lambda, wherever the laboratory runs.
_LAMBDA = {"max_idle_per_host": 0, "max_connections_per_host": 6}


def _thaw(**fields: Any) -> tuple[tuple[str, Any], ...]:
    return tuple({**_LAMBDA, **fields}.items())


def _example(name: str, text: str, file: str) -> Arm:
    return Arm(name, text, maker="file", source=(str(_EXAMPLES / file), name))


_ALL = (
    Arm(
        "v92",
        "a new client for each flush, one attempt",
        client_per_flush=True,
        client=_peer(1, pooled=True),
    ),
    Arm("v93", "one cached client that pools, one attempt", client=_peer(1, pooled=True)),
    Arm("v94", "nothing pooled, three attempts", client=_peer(3, pooled=False)),
    Arm("v98", "nothing pooled, four attempts", client=_peer(4, pooled=False)),
    Arm(
        "v93-logs",
        "the client of logs: pooled for 270 s, three attempts, requests at once",
        client=_peer(3, pooled=True, idle_timeout=270.0),
        flusher=_AT_ONCE,
    ),
    Arm(
        "v93-metrics",
        "the client of metrics: pooled for 90 s, three attempts, requests in turn",
        client=_peer(3, pooled=True),
        flusher=_IN_TURN,
    ),
    Arm(
        "v93-proxied",
        "the client of proxied requests, that of logs: pooled for 270 s, three attempts, requests at once",
        client=_peer(3, pooled=True, idle_timeout=270.0),
        flusher=_AT_ONCE,
    ),
    Arm(
        "v98-logs",
        "the client of logs: nothing pooled, three attempts, requests at once",
        client=_peer(3, pooled=False),
        flusher=_AT_ONCE,
    ),
    Arm(
        "v98-metrics",
        "the client of metrics, that of logs: nothing pooled, three attempts, requests in turn",
        client=_peer(3, pooled=False),
        flusher=_IN_TURN,
    ),
    Arm(
        "v98-proxied",
        "the client of proxied requests, that of logs: nothing pooled, three attempts, requests at once",
        client=_peer(3, pooled=False),
        flusher=_AT_ONCE,
    ),
    Arm(
        "thaw",
        "the default: nothing idle, shared within a flush, outbox",
        tells_resume=True,
        keeps=True,
        client=_thaw(),
    ),
    Arm(
        "thaw-unshared",
        "thaw with sharing off: each request dials",
        tells_resume=True,
        keeps=True,
        client=_thaw(share_within_flush=False),
    ),
    Arm(
        "thaw-pooled",
        "thaw that keeps four idle connections and drains them on resume",
        tells_resume=True,
        keeps=True,
        client=_thaw(max_idle_per_host=4, on_resume="drain"),
    ),
    _example("requests", "outside control: requests with a session", "requests_session.py"),
    _example("pycurl", "outside control: libcurl over HTTP/1.1, one handle reused", "pycurl_handle.py"),
    _example("pycurl-http2", "outside control: libcurl over HTTP/2, one handle reused", "pycurl_handle.py"),
    _example("httpx", "outside control: httpx over HTTP/2, a flush's payloads at once", "httpx_http2.py"),
    _example("aiohttp", "outside control: aiohttp, a flush's payloads at once", "aiohttp_session.py"),
    _example("urllib3", "outside control: urllib3 with one pool", "urllib3_pool.py"),
)
ARMS: dict[str, Arm] = {arm.name: arm for arm in _ALL}
# The text of each arm whose file this process has run, by the arm's name.
_texts_of_files: dict[str, str] = {}


@functools.cache
def parse(text: str) -> Arm:
    """Returns the arm of a name, with options in brackets or without. ValueError says what is wrong."""
    if (declared := own_clients.split(text.strip())) is not None:
        return _of_file(*declared)
    name, values = named_values.parse(text)
    if name == COMMAND:
        return _of_command(values)
    if name not in ARMS:
        raise ValueError(named_values.unknown("arm", name, ARMS))
    return ARMS[name].with_options(values)


def find(names: str) -> list[Arm]:
    """Returns the arms of a list with commas, each once. ValueError names an unknown one, and all known
    ones.
    """
    wanted = [arm for name in named_values.split(names) if name for arm in _all_of(name)]
    if not wanted:
        raise ValueError(f"no arm is named; there are {', '.join(ARMS)}")
    return list(dict.fromkeys(wanted))


def of_command(command: str) -> Arm:
    """Returns the arm that runs a command line for each payload (`own_clients.Command`). ValueError: it
    can't.
    """
    return parse(named_values.text_of(COMMAND, [("run", command)]))


def _all_of(text: str) -> list[Arm]:
    """Returns the arms of a name: all of a file's, where it names none of them."""
    declared = own_clients.split(text)
    if declared is None or declared[1]:
        return [parse(text)]
    return [_of_file(text, name) for name in own_clients.load(text)]


def _of_file(file: str, name: str) -> Arm:
    clients = own_clients.load(file)
    if not name and len(clients) == 1:
        (name,) = clients
    if name not in clients:
        raise ValueError(named_values.unknown(f"arm in {file} of the name", name, clients))
    made = Arm(f"{file}:{name}", clients[name].text, maker="file", source=(file, name))
    _texts_of_files[made.name] = made.text
    return made


def _of_command(values: Mapping[str, str]) -> Arm:
    if set(values) != {"run"}:
        raise ValueError(f"arm {COMMAND} takes the option run alone: the command line")
    own_clients.Command(values["run"])  # raises ValueError if it can't be one
    name = named_values.text_of(COMMAND, values.items())
    return Arm(name, f"runs {values['run']}", maker="command", source=(values["run"],))


def require_certificates(names: Sequence[str]) -> None:
    """Raises ValueError if the certificate file that an arm's options name can't be used."""
    for arm in map(parse, names):
        file = dict(arm.given).get("tls_cert_file")
        if file:
            try:
                thaw.Client(thaw.ClientOptions(tls_cert_file=file)).close()
            except thaw.InvalidArgument as error:
                said = str(error).removeprefix("ClientOptions.")
                raise ValueError(f"arm {arm.name}: {said}") from None


def variants(names: Sequence[str], options: Mapping[str, Sequence[str]]) -> list[Arm]:
    """Returns each arm with every combination of the options' values; an arm that takes no options stays as
    it is.
    """
    made = []
    for arm in map(parse, names):
        if arm.maker == "native":
            chosen = itertools.product(*options.values())
            made += [arm.with_options(dict(zip(options, values, strict=True))) for values in chosen]
        else:
            made.append(arm)
    return list(dict.fromkeys(made))


def text_of(name: str) -> str | None:
    """Says what an arm of this name is; None if there is none, as in a result of another version. A file that
    the name names is not run: a result may be from elsewhere.
    """
    if (declared := own_clients.split(name)) is not None:
        return _texts_of_files.get(name, f"the client {declared[1]} of {declared[0]}")
    try:
        return parse(name).text
    except ValueError:
        return None
