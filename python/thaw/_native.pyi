"""
The native core of thaw. Import thaw, not this.
"""

from __future__ import annotations

import asyncio
import collections.abc
import enum
import os
import typing

import typing_extensions

__all__: list[str] = [
    "Ambiguous",
    "BytesWritten",
    "Client",
    "ClientOptions",
    "Clock",
    "ClockReading",
    "Closed",
    "Config",
    "ConnectionStats",
    "DDSketch",
    "DeadlineExceeded",
    "DogStatsdLines",
    "ExchangeFailure",
    "ExchangeStats",
    "ExchangeTimes",
    "ExpiryClock",
    "FakeClock",
    "Fault",
    "FlushReport",
    "FlusherOptions",
    "Forked",
    "InvalidArgument",
    "InvariantBroken",
    "LateAlarm",
    "Liveness",
    "LogsFlusher",
    "LogsPayload",
    "MetricSample",
    "MetricsFlusher",
    "MetricsPayload",
    "Misconfigured",
    "OnFailure",
    "OnResume",
    "OutboxFull",
    "PayloadError",
    "Phase",
    "Refused",
    "Request",
    "ResendRule",
    "RetryClass",
    "SendResult",
    "StatsFlusher",
    "StatsPayload",
    "ThawError",
    "TlsVersion",
    "TraceFlusher",
    "TracePayload",
    "Unreachable",
    "explore",
    "explore_at_random",
    "parse_dogstatsd",
    "replay",
    "simulate",
]

class ThawError(Exception):
    """
    Every error of this package. `failure` is the ExchangeFailure it comes from, or None.
    """

    failure: ExchangeFailure | None

class InvalidArgument(ThawError, ValueError):
    """
    An argument is invalid; the text names it and its value.
    """

class PayloadError(ThawError, ValueError):
    """
    Bytes are not a valid payload; the text names the fault and its byte.
    """

class OutboxFull(ThawError):
    """
    Payloads that were never tried fill a flusher's outbox, so that it did not take this one. Flush, then add it.
    """

class DeadlineExceeded(ThawError, TimeoutError):
    """
    The time limit of the call was over.
    """

class Unreachable(ThawError, ConnectionError):
    """
    There was no connection, or it ended before the whole request was written: no address, refused, reset.
    """

class Misconfigured(ThawError, ConnectionError):
    """
    A certificate, a host name or a proxy's credential is wrong; another try would not help.
    """

class Refused(ThawError, ConnectionError):
    """
    The peer answered with a status that is not 2xx.
    """

class Ambiguous(ThawError, ConnectionError):
    """
    The whole request was written and no answer came: the peer may have taken it.
    """

class Closed(ThawError):
    """
    The client was closed, or the call was cancelled.
    """

class Forked(ThawError, RuntimeError):
    """
    An object that was made before a fork was used after it, where its thread does not exist.
    """

class InvariantBroken(ThawError, AssertionError):
    """
    A simulation found an invariant broken; the message has the seed and the step to replay it.
    """

class ClockReading:
    """
    A reading of three clocks at one time; a freeze makes them disagree.

    >>> import thaw
    >>> thaw.FakeClock().now().to_dict()
    {'wall': 1767225600.0, 'monotonic': 1000.0, 'boot': 2000.0}
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def largest_advance(self, later: ClockReading) -> float:
        """
        Returns the largest advance of the three clocks until `later`, in seconds; never negative.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The three readings by name.
        """
    @property
    def boot(self) -> float:
        """
        Seconds as of `monotonic`, with the time for which the kernel knows that it was suspended.
        """
    @property
    def monotonic(self) -> float:
        """
        Seconds since an arbitrary origin; never steps back.
        """
    @property
    def wall(self) -> float:
        """
        Seconds since 1970-01-01T00:00:00Z; steps when the clock is set.
        """

class Clock:
    """
    The machine's own clocks.

    >>> import thaw
    >>> earlier = thaw.Clock().now()
    >>> thaw.Clock().now().monotonic >= earlier.monotonic
    True
    """
    def __init__(self) -> None: ...
    def __repr__(self) -> str: ...
    def now(self) -> ClockReading:
        """
        Reads all three clocks.
        """

class FakeClock:
    """
    A clock that you move, each of its three times by itself.

    >>> import thaw
    >>> clock = thaw.FakeClock()
    >>> start = clock.now()
    >>> clock.advance(1.5)                 # all three
    >>> clock.advance(wall=90)             # a freeze that only the wall clock saw
    >>> later = clock.now()
    >>> later.wall - start.wall, later.monotonic - start.monotonic
    (91.5, 1.5)
    >>> start.largest_advance(later)
    91.5

    `Client(clock=clock)` makes one client run by it: its deadlines, delays and idle limits pass only as the clock
    is moved, while its sockets are real. So a blocking call that waits for time alone waits for another thread
    to move the clock. Simulations (thaw.simulate) have a fake clock of their own inside.
    """
    def __init__(self) -> None: ...
    def __repr__(self) -> str: ...
    def advance(
        self,
        seconds: float | None = None,
        *,
        wall: float | None = None,
        monotonic: float | None = None,
        boot: float | None = None,
    ) -> None:
        """
        Moves all three clocks by `seconds`, or each by its own step, as running time does. Steps may be negative, except monotonic.
        """
    def freeze(
        self,
        seconds: float | None = None,
        *,
        wall: float | None = None,
        monotonic: float | None = None,
        boot: float | None = None,
    ) -> None:
        """
        Moves the clocks in one go while nothing runs: what came due meanwhile is late.
        """
    def now(self) -> ClockReading:
        """
        The present reading.
        """

class Phase(enum.Enum):
    """
    How far an exchange had come.
    """

    BODY = ...
    CONNECT = ...
    HEAD = ...
    PROXY = ...
    RESOLVE = ...
    TLS = ...
    WRITE = ...

class BytesWritten(enum.Enum):
    """
    How much of the request the transport below TLS took.
    """

    ALL = ...
    NONE = ...
    PART = ...

class Fault(enum.Enum):
    """
    What went wrong, apart from where.
    """

    CANCELLED = ...
    CERTIFICATE = ...
    CREDENTIAL = ...
    END = ...
    NONE = ...
    NOT_FOUND = ...
    PROTOCOL = ...
    PROXY_STATUS = ...
    REFUSED = ...
    RESET = ...
    TIMEOUT = ...

class RetryClass(enum.Enum):
    """
    What follows from a failure; each failure has exactly one.
    """

    AMBIGUOUS = ...
    CANCELLED = ...
    INCOMPLETE = ...
    MISCONFIGURED = ...
    REFUSED_FOR_GOOD = ...
    REFUSED_FOR_NOW = ...
    STALE = ...
    UNREACHABLE = ...
    UNSENT = ...

class ExchangeFailure:
    """
    The reason for which an exchange failed, with all that decides whether it is retried.

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     (failure,) = client.send("http://127.0.0.1:1/", budget=5.0).failures
    >>> failure.phase.name, failure.fault.name, failure.bytes_written.name, failure.retry_class.name
    ('CONNECT', 'REFUSED', 'NONE', 'UNREACHABLE')
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field as a plain value.
        """
    @property
    def addresses(self) -> list[tuple[str, str | None]]:
        """
        Each address that was tried, in order, with its error or None.
        """
    @property
    def bytes_written(self) -> BytesWritten:
        """
        How much of the request the transport took.
        """
    @property
    def epoch_crossed(self) -> bool:
        """
        Whether the environment was frozen since the exchange, or its connection, began.
        """
    @property
    def error(self) -> str:
        """
        The failure in words: what happened, and where.
        """
    @property
    def fault(self) -> Fault:
        """
        What went wrong.
        """
    @property
    def head_complete(self) -> bool:
        """
        Whether the whole head of the answer came.
        """
    @property
    def idle_for(self) -> float:
        """
        How long the connection had been idle before, in seconds.
        """
    @property
    def phase(self) -> Phase:
        """
        How far the exchange had come.
        """
    @property
    def response_begun(self) -> bool:
        """
        Whether a byte of the answer came.
        """
    @property
    def retry_after(self) -> float | None:
        """
        The answer's Retry-After in seconds; None without one.
        """
    @property
    def retry_class(self) -> RetryClass:
        """
        The class that decides what follows.
        """
    @property
    def reused(self) -> bool:
        """
        Whether the connection had carried a request before.
        """
    @property
    def status(self) -> int:
        """
        The status of the answer, or of the proxy's answer to CONNECT; 0 if there was none.
        """

class ExchangeTimes:
    """
    How long the parts of one exchange took, in seconds.

    The monotonic clock measures them. A request that was not answered has none:

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     result = client.send("http://127.0.0.1:1/", b"")
    >>> result.times is None, result.elapsed < 5.0
    (True, True)
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field as a plain value.
        """
    @property
    def connect(self) -> float | None:
        """
        The part of the dial that connected TCP; None without a dial.
        """
    @property
    def epoch(self) -> int:
        """
        The epoch of the connection: how often the client had been told of a resume.
        """
    @property
    def first_byte(self) -> float:
        """
        The time from the moment when the request had its connection to the answer's first byte.
        """
    @property
    def last_byte(self) -> float:
        """
        The time from the same moment to the answer's last byte.
        """
    @property
    def name_lookup(self) -> float | None:
        """
        The part of the dial that found the host's address; None without a dial, or if the host is an address.
        """
    @property
    def resumed(self) -> bool:
        """
        Whether the dial's TLS resumed an earlier session.
        """
    @property
    def reused(self) -> bool:
        """
        Whether the connection had carried a request before, so that there was no dial.
        """
    @property
    def shared(self) -> bool:
        """
        Whether another request handed the connection over without its being idle.
        """
    @property
    def tls(self) -> float | None:
        """
        The part of the dial that TLS took; None without a dial or without TLS.
        """
    @property
    def waited(self) -> float:
        """
        How long the request waited for its connection, a dial included.
        """

class OnResume(enum.Enum):
    """
    What a resume does to idle connections.
    """

    DRAIN = ...
    KEEP = ...
    PROBE = ...

class Liveness(enum.Enum):
    """
    How a connection is judged before it is reused.
    """

    PEEK = ...
    REACTOR_ONLY = ...

class ExpiryClock(enum.Enum):
    """
    By which clock idle_timeout is measured.
    """

    LARGEST = ...
    MONOTONIC = ...

class LateAlarm(enum.Enum):
    """
    What an alarm does when it fires far too late.
    """

    FIRE = ...
    REARM = ...

class ResendRule(enum.Enum):
    """
    How a failed request on a reused connection is resent without being counted.
    """

    FAILURE_CLASS = ...
    HYPER_ZONE1 = ...

class TlsVersion(enum.Enum):
    """
    A version of TLS.
    """

    TLS12 = ...
    TLS13 = ...

class ClientOptions:
    """
    How a client pools, shares, retries, and trusts.

    A field that is not given has the default for where the process runs: max_idle_per_host is 0 under
    on-demand Lambda and SnapStart, 4 elsewhere, and so on. Durations are float seconds; enums may be given by
    their lower-case name.

    >>> import thaw
    >>> options = thaw.ClientOptions(max_idle_per_host=0, on_resume="probe", idle_timeout=2.5)
    >>> options.on_resume
    <OnResume.PROBE: 1>
    >>> options.replace(max_idle_per_host=4).to_dict()["max_idle_per_host"]
    4
    >>> thaw.ClientOptions(on_resume="maybe")
    Traceback (most recent call last):
        ...
    thaw.InvalidArgument: on_resume is "maybe", not one of: keep, probe, drain
    """

    UNLIMITED: typing.ClassVar[int] = 1073741824
    __hash__: typing.ClassVar[None]  # type: ignore[assignment]
    @staticmethod
    def lambda_defaults() -> ClientOptions:
        """
        The defaults under on-demand Lambda, wherever this runs.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __init__(
        self,
        *,
        max_idle_per_host: int | None = None,
        share_within_flush: bool | None = None,
        share_patience: float | None = None,
        idle_timeout: float | None = None,
        max_connections_per_host: int | None = None,
        on_resume: OnResume | str | None = None,
        liveness: Liveness | str | None = None,
        expiry_clock: ExpiryClock | str | None = None,
        dial_eagerly: bool | None = None,
        exchange_timeout: float | None = None,
        resume_grace: float | None = None,
        late_alarm: LateAlarm | str | None = None,
        max_attempts: int | None = None,
        backoff_base: float | None = None,
        backoff_cap: float | None = None,
        resend_rule: ResendRule | str | None = None,
        user_agent: str | None = None,
        max_response_head_bytes: int | None = None,
        max_response_body_kept_bytes: int | None = None,
        max_response_body_drained_bytes: int | None = None,
        tcp_nodelay: bool | None = None,
        tls_cert_file: str | os.PathLike[str] | None = None,
        use_os_roots: bool | None = None,
        use_public_roots: bool | None = None,
        skip_ssl_validation: bool | None = None,
        tls_session_resumption: bool | None = None,
        tls_min_version: TlsVersion | str | None = None,
        tls_max_version: TlsVersion | str | None = None,
        proxy_url: str | None = None,
        no_proxy: collections.abc.Sequence[str] | None = None,
    ) -> None:
        """
        Defaults are those for where the process runs; see the class.
        """
    def __repr__(self) -> str: ...
    def replace(
        self,
        *,
        max_idle_per_host: int | None = None,
        share_within_flush: bool | None = None,
        share_patience: float | None = None,
        idle_timeout: float | None = None,
        max_connections_per_host: int | None = None,
        on_resume: OnResume | str | None = None,
        liveness: Liveness | str | None = None,
        expiry_clock: ExpiryClock | str | None = None,
        dial_eagerly: bool | None = None,
        exchange_timeout: float | None = None,
        resume_grace: float | None = None,
        late_alarm: LateAlarm | str | None = None,
        max_attempts: int | None = None,
        backoff_base: float | None = None,
        backoff_cap: float | None = None,
        resend_rule: ResendRule | str | None = None,
        user_agent: str | None = None,
        max_response_head_bytes: int | None = None,
        max_response_body_kept_bytes: int | None = None,
        max_response_body_drained_bytes: int | None = None,
        tcp_nodelay: bool | None = None,
        tls_cert_file: str | os.PathLike[str] | None = None,
        use_os_roots: bool | None = None,
        use_public_roots: bool | None = None,
        skip_ssl_validation: bool | None = None,
        tls_session_resumption: bool | None = None,
        tls_min_version: TlsVersion | str | None = None,
        tls_max_version: TlsVersion | str | None = None,
        proxy_url: str | None = None,
        no_proxy: collections.abc.Sequence[str] | None = None,
    ) -> ClientOptions:
        """
        A copy with the given fields set to other values.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field as a plain value: durations in seconds, enums by their lower-case name.
        """
    @property
    def backoff_base(self) -> float:
        """
        The scale of the delays between tries: the delay after n failed attempts is drawn between zero
        and the lesser of backoff_cap and backoff_base * 2^(n - 1). Zero retries at once. In seconds.
        """
    @backoff_base.setter
    def backoff_base(self, arg1: float) -> None: ...
    @property
    def backoff_cap(self) -> float:
        """
        Limits the delay between two tries. In seconds.
        """
    @backoff_cap.setter
    def backoff_cap(self, arg1: float) -> None: ...
    @property
    def dial_eagerly(self) -> bool:
        """
        Dials whenever no idle connection is available, however many dials are under way (as hyper-util
        does), which opens connections that no request needs any more.
        """
    @dial_eagerly.setter
    def dial_eagerly(self, arg1: bool) -> None: ...
    @property
    def exchange_timeout(self) -> float:
        """
        Limits one exchange over all its phases, the wait for a connection included. An exchange that
        takes longer is ended, and retried if its failure class allows it. In seconds.
        """
    @exchange_timeout.setter
    def exchange_timeout(self, arg1: float) -> None: ...
    @property
    def expiry_clock(self) -> ExpiryClock:
        """
        The clock that measures idle_timeout: largest is the one that advanced most, monotonic may stand
        still during a freeze, so that connections look younger than they are.
        """
    @expiry_clock.setter
    def expiry_clock(self, arg1: ExpiryClock | str) -> None: ...
    @property
    def idle_timeout(self) -> float:
        """
        Closes connections that have been idle for longer than this. A longer time saves handshakes; the
        Datadog intake closes idle connections after 60 s, and a request on a connection that it has
        closed is resent. In seconds.
        """
    @idle_timeout.setter
    def idle_timeout(self, arg1: float) -> None: ...
    @property
    def late_alarm(self) -> LateAlarm:
        """
        The behaviour of deadlines that fire late: rearm waits for the remainder, fire counts frozen
        time as the peer's slowness, as peers' clients do.
        """
    @late_alarm.setter
    def late_alarm(self, arg1: LateAlarm | str) -> None: ...
    @property
    def liveness(self) -> Liveness:
        """
        The check of an idle connection before it is reused: peek reads once without waiting,
        reactor_only relies on the events that the loop has delivered so far, and may miss an end that
        came during a freeze.
        """
    @liveness.setter
    def liveness(self, arg1: Liveness | str) -> None: ...
    @property
    def max_attempts(self) -> int:
        """
        Limits the tries of one request that count as attempts, the first one included; 1 turns retries
        off.
        """
    @max_attempts.setter
    def max_attempts(self, arg1: int) -> None: ...
    @property
    def max_connections_per_host(self) -> int:
        """
        Limits open connections and dials per destination. Requests beyond it wait for a connection.
        """
    @max_connections_per_host.setter
    def max_connections_per_host(self, arg1: int) -> None: ...
    @property
    def max_idle_per_host(self) -> int:
        """
        Limits the idle connections kept per destination: 0 keeps none, ClientOptions.UNLIMITED any
        number. An idle connection saves a handshake, but one that is kept across a freeze may be dead
        when it is reused.
        """
    @max_idle_per_host.setter
    def max_idle_per_host(self, arg1: int) -> None: ...
    @property
    def max_response_body_drained_bytes(self) -> int:
        """
        Limits the bytes of a response body that are read; the connection is closed instead of reading a
        longer one to its end.
        """
    @max_response_body_drained_bytes.setter
    def max_response_body_drained_bytes(self, arg1: int) -> None: ...
    @property
    def max_response_body_kept_bytes(self) -> int:
        """
        Limits the bytes of a response body that are kept for the caller; the rest is read and dropped.
        """
    @max_response_body_kept_bytes.setter
    def max_response_body_kept_bytes(self, arg1: int) -> None: ...
    @property
    def max_response_head_bytes(self) -> int:
        """
        Limits the bytes of a response's status line and headers; a longer head fails the exchange,
        unless its status line is that of a success.
        """
    @max_response_head_bytes.setter
    def max_response_head_bytes(self, arg1: int) -> None: ...
    @property
    def no_proxy(self) -> list[str]:
        """
        Destinations that are connected to without the proxy: "host", ".suffix", "*.suffix", "*",
        "10.0.0.0/8", "host:port".
        """
    @no_proxy.setter
    def no_proxy(self, arg1: collections.abc.Sequence[str]) -> None: ...
    @property
    def on_resume(self) -> OnResume:
        """
        The effect of a resume on idle connections: keep leaves them, probe closes those that have
        visibly ended, drain closes all, so that under on-demand Lambda none outlives an invocation.
        """
    @on_resume.setter
    def on_resume(self, arg1: OnResume | str) -> None: ...
    @property
    def proxy_url(self) -> str:
        """
        The proxy's URL, http:// or https://, with user:password@ if the proxy wants them; empty: no
        proxy. User and password are masked where options are shown.
        """
    @proxy_url.setter
    def proxy_url(self, arg1: str) -> None: ...
    @property
    def resend_rule(self) -> ResendRule:
        """
        The rule for resending a failed request on a reused connection without counting an attempt: by
        the failure's class, or only if the connection handed it back untouched, as hyper-util does.
        """
    @resend_rule.setter
    def resend_rule(self, arg1: ResendRule | str) -> None: ...
    @property
    def resume_grace(self) -> float:
        """
        Limits an exchange that was open at a resume, from the resume on. A longer time waits longer for
        answers on dead connections; a shorter one resends requests that may have been accepted. In
        seconds.
        """
    @resume_grace.setter
    def resume_grace(self, arg1: float) -> None: ...
    @property
    def share_patience(self) -> float | None:
        """
        The time for which the first waiting request waits for a shared connection before another one is
        dialled. None: as long as waiting is likely to be faster than dialling, given the number of
        waiting requests and the times of the last exchange and the last dial. In seconds.
        """
    @share_patience.setter
    def share_patience(self, arg1: float | None) -> None: ...
    @property
    def share_within_flush(self) -> bool:
        """
        Hands a connection that has just finished a request to a request that is waiting; off: every
        request of a flush opens its own. Always on if max_idle_per_host > 0.
        """
    @share_within_flush.setter
    def share_within_flush(self, arg1: bool) -> None: ...
    @property
    def skip_ssl_validation(self) -> bool:
        """
        Accepts any certificate, so that anybody on the path can read and change the data; a warning
        says so.
        """
    @skip_ssl_validation.setter
    def skip_ssl_validation(self, arg1: bool) -> None: ...
    @property
    def tcp_nodelay(self) -> bool:
        """
        Sets TCP_NODELAY on each connection; off: small writes may wait for an acknowledgement.
        """
    @tcp_nodelay.setter
    def tcp_nodelay(self, arg1: bool) -> None: ...
    @property
    def tls_cert_file(self) -> str:
        """
        The path of a PEM file with certificates that are trusted in addition to the public roots;
        empty: none. A client is not made if nothing in the file can be used.
        """
    @tls_cert_file.setter
    def tls_cert_file(self, arg1: str | os.PathLike[str]) -> None: ...
    @property
    def tls_max_version(self) -> TlsVersion:
        """
        The newest version of TLS that is offered: tls12 or tls13.
        """
    @tls_max_version.setter
    def tls_max_version(self, arg1: TlsVersion | str) -> None: ...
    @property
    def tls_min_version(self) -> TlsVersion:
        """
        The oldest version of TLS that is accepted: tls12 or tls13.
        """
    @tls_min_version.setter
    def tls_min_version(self, arg1: TlsVersion | str) -> None: ...
    @property
    def tls_session_resumption(self) -> bool:
        """
        Resumes earlier TLS sessions, which saves the certificate and its verification.
        """
    @tls_session_resumption.setter
    def tls_session_resumption(self, arg1: bool) -> None: ...
    @property
    def use_os_roots(self) -> bool:
        """
        Trusts the operating system's bundle in addition to the public roots.
        """
    @use_os_roots.setter
    def use_os_roots(self, arg1: bool) -> None: ...
    @property
    def use_public_roots(self) -> bool:
        """
        Trusts Mozilla's public roots, which are compiled in. Off: only the certificates named by
        tls_cert_file and use_os_roots are trusted.
        """
    @use_public_roots.setter
    def use_public_roots(self, arg1: bool) -> None: ...
    @property
    def user_agent(self) -> str:
        """
        The User-Agent header of requests that have none. It may have no control characters.
        """
    @user_agent.setter
    def user_agent(self, arg1: str) -> None: ...

class Config:
    """
    The configuration that the DD_ variables and a datadog.yaml make.

    Every value is usable: for an invalid one there is a warning, which names the value that is used instead. The
    environment overrides the YAML. A repr and the JSON mask secrets.

    >>> import thaw
    >>> config = thaw.Config.from_environment({"DD_SITE": "datadoghq.eu", "DD_IDLE_TIMEOUT": "soon"})
    >>> config.trace_url
    'https://trace.agent.datadoghq.eu'
    >>> config.warnings
    ['DD_IDLE_TIMEOUT is "soon": it is not a number of seconds ...; the default, 15 s, is kept']
    >>> thaw.Config.from_environment({}, yaml="max_idle_per_host: 7").client_options.max_idle_per_host
    7
    """
    @staticmethod
    def from_environment(
        environment: collections.abc.Mapping[str, str] | None = None, yaml: str = ""
    ) -> Config:
        """
        Reads a configuration. `environment`: variables and their values; os.environ if not given. `yaml`: the text of a datadog.yaml. Raises nothing: see `warnings`.
        """
    def __repr__(self) -> str: ...
    def to_json(self) -> str:
        """
        Returns the configuration as indented JSON, secrets masked.
        """
    @property
    def additional_endpoints(self) -> list[tuple[str, str]]:
        """
        (base URL, API key) of each further endpoint that gets the same data, as a flusher takes them.
        """
    @property
    def api_key(self) -> str:
        """
        The key; empty if there is none.
        """
    @property
    def client_options(self) -> ClientOptions:
        """
        A copy of the client's options.
        """
    @property
    def compression_level(self) -> int:
        """
        The level of zstd.
        """
    @property
    def environment(self) -> str:
        """
        Where the process runs: on-demand, snap-start, provisioned-concurrency, lambda-managed-instances, lambda (it doesn't say which) or outside Lambda.
        """
    @property
    def flush_strategy(self) -> str:
        """
        When the extension flushes: 'default', 'end', 'end,<ms>', 'periodically,<ms>' or 'continuously,<ms>'.
        """
    @property
    def flush_timeout(self) -> float:
        """
        The deadline of a flush, in seconds.
        """
    @property
    def outbox_bytes(self) -> int:
        """
        The most bytes that the extension keeps undelivered: an eighth of the function's memory.
        """
    @property
    def site(self) -> str:
        """
        The intake's domain.
        """
    @property
    def trace_url(self) -> str:
        """
        Base URL of traces and stats, as a flusher takes it.
        """
    @property
    def warnings(self) -> list[str]:
        """
        A sentence for each bad value: which one, what is wrong, and what is used instead.
        """

class ConnectionStats:
    """
    Counts of a client's connections so far. The repr leaves out zeros.

    >>> import thaw
    >>> with thaw.Client() as client:
    ...     client.resume()
    ...     client.connections
    ConnectionStats(resumes=1)
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every counter by its name.
        """
    @property
    def closed(self) -> int:
        """
        connections closed by us
        """
    @property
    def crossed(self) -> int:
        """
        exchanges that were open at a resume
        """
    @property
    def dial_failed(self) -> int:
        """
        connections that failed before they were usable
        """
    @property
    def dials(self) -> int:
        """
        connections that were begun
        """
    @property
    def dropped_epoch(self) -> int:
        """
        connections closed because of a resume
        """
    @property
    def dropped_expired(self) -> int:
        """
        idle connections older than idle_timeout
        """
    @property
    def dropped_not_usable(self) -> int:
        """
        idle connections found unusable by the check before reuse
        """
    @property
    def dropped_over_limit(self) -> int:
        """
        connections not kept because max_idle_per_host were idle already
        """
    @property
    def dropped_peer_closed(self) -> int:
        """
        idle connections whose end the loop saw
        """
    @property
    def handshake_time(self) -> dict[str, float]:
        """
        time that a successful TLS handshake with a destination took, unless a freeze fell into it: count, sum, p50, p95, p99 and max, times in seconds
        """
    @property
    def idle(self) -> int:
        """
        The number of open connections that are idle now.
        """
    @property
    def name_cache_hits(self) -> int:
        """
        names answered from the cache
        """
    @property
    def name_lookups(self) -> int:
        """
        names asked of the resolver
        """
    @property
    def name_stale_answers(self) -> int:
        """
        expired names used because the resolver failed
        """
    @property
    def open(self) -> int:
        """
        The number that is open now.
        """
    @property
    def open_at_next(self) -> int:
        """
        exchanges open when the environment was given up to a freeze
        """
    @property
    def opened(self) -> int:
        """
        connections that became usable (through TLS where there is TLS)
        """
    @property
    def resumes(self) -> int:
        """
        returns from a freeze that the client was told of
        """
    @property
    def reused(self) -> int:
        """
        requests given to a connection that had been idle
        """
    @property
    def shared(self) -> int:
        """
        requests given to a connection straight after another request, without its being idle
        """
    @property
    def tls_full(self) -> int:
        """
        full TLS handshakes
        """
    @property
    def tls_resumed(self) -> int:
        """
        resumed TLS handshakes
        """
    @property
    def tls_tickets(self) -> int:
        """
        TLS session tickets received
        """

class ExchangeStats:
    """
    Counts of a client's exchanges so far. The repr leaves out zeros.

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     accepted = client.send("http://127.0.0.1:1/", budget=5.0).accepted
    ...     accepted, client.exchanges.requests, client.exchanges.attempts, client.exchanges.unreachable
    (False, 1, 1, 1)
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every counter by its name.
        """
    @property
    def accepted(self) -> int:
        """
        requests answered with a complete 2xx head
        """
    @property
    def ambiguous(self) -> int:
        """
        fresh connections that gave no answer to a whole request
        """
    @property
    def attempts(self) -> int:
        """
        tries that were counted against max_attempts
        """
    @property
    def bytes_received(self) -> int:
        """
        bytes taken from the transport, TLS included
        """
    @property
    def bytes_sent(self) -> int:
        """
        bytes given to the transport, TLS included
        """
    @property
    def cancelled(self) -> int:
        """
        exchanges stopped by their caller before they could matter
        """
    @property
    def incomplete(self) -> int:
        """
        failures with part of a body written
        """
    @property
    def misconfigured(self) -> int:
        """
        certificate, host name or proxy credential refused
        """
    @property
    def open(self) -> int:
        """
        The number that is open now.
        """
    @property
    def possible_duplicates(self) -> int:
        """
        requests sent again after the peer may have taken them
        """
    @property
    def refused_for_good(self) -> int:
        """
        3xx and other 4xx answers
        """
    @property
    def refused_for_now(self) -> int:
        """
        408, 429 and 5xx answers
        """
    @property
    def requests(self) -> int:
        """
        requests given to the client
        """
    @property
    def stale(self) -> int:
        """
        reused or crossed connections that ended without an answer to a whole request
        """
    @property
    def unreachable(self) -> int:
        """
        failures of name, connect, proxy or TLS transport
        """
    @property
    def unsent(self) -> int:
        """
        failures before a request byte was given to a reused connection
        """

class Request:
    """
    One request, parsed and copied once; may be sent any number of times.

    >>> import thaw
    >>> request = thaw.Request("https://intake.example/api/v0.2/traces", b"...", headers={"DD-API-KEY": "key"})
    >>> request.method, request.url, request.body
    ('POST', 'https://intake.example/api/v0.2/traces', b'...')
    >>> thaw.Request("ftp://intake.example")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    thaw.InvalidArgument: ...
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        url: str,
        body: typing_extensions.Buffer = ...,
        method: str = "POST",
        headers: collections.abc.Mapping[str, str] | collections.abc.Iterable[tuple[str, str]] | None = None,
    ) -> None:
        """
        `url`: http:// or https://; user:password@ in it becomes Basic credentials. `body`: anything with the buffer protocol. `headers`: names and values as a mapping or as pairs, without Host, Content-Length, Transfer-Encoding, Connection and their like, which the client writes itself. Raises InvalidArgument, and TypeError for what is no text.
        """
    def __repr__(self) -> str: ...
    @property
    def body(self) -> bytes:
        """
        Its body.
        """
    @property
    def headers(self) -> list[tuple[str, str]]:
        """
        Names and values, in the order given.
        """
    @property
    def method(self) -> str:
        """
        The HTTP method.
        """
    @property
    def url(self) -> str:
        """
        Its URL.
        """

class SendResult:
    """
    The outcome of one request.

    Nothing listens on port 1, so this one is refused:

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     result = client.send("http://127.0.0.1:1/", b"")
    >>> result.accepted, result.status, result.last_class
    (False, 0, <RetryClass.UNREACHABLE: 1>)
    >>> result.failures[0].phase
    <Phase.CONNECT: 1>
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def raise_for_failure(self) -> None:
        """
        Raises the exception for the last failure if the request was not accepted: Unreachable, Misconfigured, Refused, Ambiguous, DeadlineExceeded or Closed.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field but the answer's headers and body as a plain value.
        """
    @property
    def accepted(self) -> bool:
        """
        Whether a complete 2xx head came.
        """
    @property
    def attempts(self) -> int:
        """
        The number of tries that count against max_attempts.
        """
    @property
    def body(self) -> bytes:
        """
        The body of the last complete answer, up to max_response_body_kept_bytes.
        """
    @property
    def body_whole(self) -> bool:
        """
        Whether the answer's body came to its end.
        """
    @property
    def delayed(self) -> float:
        """
        Seconds spent in backoff.
        """
    @property
    def elapsed(self) -> float:
        """
        The time from the call to the result, in seconds of the monotonic clock.
        """
    @property
    def failures(self) -> list[ExchangeFailure]:
        """
        Each failed try, in order.
        """
    @property
    def headers(self) -> list[tuple[str, str]]:
        """
        The headers of the last complete answer, in order.
        """
    @property
    def last_class(self) -> RetryClass | None:
        """
        The class of the last failure; None if accepted.
        """
    @property
    def may_have_been_accepted(self) -> bool:
        """
        Whether it counts as not accepted, although the peer may have accepted it.
        """
    @property
    def possible_duplicate(self) -> bool:
        """
        Whether it was sent again after the peer may have accepted it.
        """
    @property
    def status(self) -> int:
        """
        The status of the last complete answer, whatever it was; 0 if there was none.
        """
    @property
    def times(self) -> ExchangeTimes | None:
        """
        The times of the last try that was answered, with any status; None if none was.
        """
    @property
    def unsent_laps(self) -> int:
        """
        The number of tries that do not count: a reused connection died before a byte was given to it.
        """

class Client:
    """
    Sends requests over pooled, shared or fresh connections.

    Each client owns one native thread that runs its loop for life. Any thread may call it; calls release the
    GIL while they wait, and Ctrl-C ends them. Closed at the end of its `with` or `async with` block, when nothing
    refers to it any more, or at the end of the interpreter: after every atexit handler, so that each of them may
    still send. After a fork the child can't use it (Forked).

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     result = client.send("http://127.0.0.1:1/v1", b"hello", budget=2.0)
    ...     result.raise_for_failure()
    Traceback (most recent call last):
        ...
    thaw.Unreachable: ...
    """
    def __aenter__(self) -> asyncio.Future[Client]:
        """
        `async with`: the client itself.
        """
    def __aexit__(
        self, exc_type: typing.Any = None, exc_value: typing.Any = None, traceback: typing.Any = None
    ) -> asyncio.Future[None]:
        """
        Closes the client while the event loop goes on.
        """
    def __enter__(self) -> Client: ...
    def __exit__(
        self, exc_type: typing.Any = None, exc_value: typing.Any = None, traceback: typing.Any = None
    ) -> None: ...
    def __init__(
        self,
        options: ClientOptions | None = None,
        *,
        clock: Clock | FakeClock | None = None,
        seed: int | None = None,
    ) -> None:
        """
        `options`: ClientOptions() if not given. `clock`: a FakeClock that no other open client runs by; the machine's clocks if not given. `seed`: the seed of the jitter between tries. Raises InvalidArgument, also if no certificate of the options' file can be used.
        """
    def __repr__(self) -> str: ...
    def close(self) -> None:
        """
        Ends what runs, closes every connection and waits for the thread. Idempotent; later calls raise Closed.
        """
    def forget(self) -> None:
        """
        Forgets resolved names and TLS sessions, which processes that go on from the same snapshot (SnapStart) must not share. Open connections stay; `resume` treats those.
        """
    def quiesce(self) -> int:
        """
        Tells the client that the environment is about to be given up to a freeze. Returns the number of exchanges that are still open, and counts them.
        """
    def resume(self) -> None:
        """
        Tells the client that the environment was frozen and goes on, as a return from /next does. Reaches every connection and open exchange before anything else is sent.
        """
    def send(
        self,
        url: str,
        body: typing_extensions.Buffer = ...,
        *,
        method: str = "POST",
        headers: collections.abc.Mapping[str, str] | collections.abc.Iterable[tuple[str, str]] | None = None,
        budget: float | None = None,
        retry_ambiguous: bool = True,
    ) -> SendResult:
        """
        Sends one request, resending by class within `budget` seconds (None: no limit but the options'), and waits. Returns the outcome; failures don't raise (see SendResult.raise_for_failure). `retry_ambiguous`: whether requests that a fresh connection may have delivered are resent. Raises InvalidArgument, Closed, Forked.
        """
    def send_async(
        self,
        url: str,
        body: typing_extensions.Buffer = ...,
        *,
        method: str = "POST",
        headers: collections.abc.Mapping[str, str] | collections.abc.Iterable[tuple[str, str]] | None = None,
        budget: float | None = None,
        retry_ambiguous: bool = True,
    ) -> asyncio.Future[SendResult]:
        """
        Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the exchange.
        """
    def send_many(
        self,
        requests: collections.abc.Iterable[Request],
        *,
        budget: float | None = None,
        concurrent: bool = False,
        retry_ambiguous: bool = True,
    ) -> list[SendResult]:
        """
        Sends all `requests` in one call, each when the one before has ended, or all at once (`concurrent`); results are in the order of the requests. `budget`: seconds for all of them together.
        """
    @property
    def connections(self) -> ConnectionStats:
        """
        A snapshot of the counts of its connections; after close(), the last one.
        """
    @property
    def exchanges(self) -> ExchangeStats:
        """
        A snapshot of the counts of its exchanges; after close(), the last one.
        """
    @property
    def options(self) -> ClientOptions:
        """
        A copy of its options.
        """

class OnFailure(enum.Enum):
    """
    What becomes of a payload whose flush failed.
    """

    DISCARD = ...
    KEEP = ...
    REDRIVE_AT_SHUTDOWN = ...

class FlusherOptions:
    """
    How a pipeline flushes.

    The defaults are those of traces. A StatsFlusher that is given no options takes stats_defaults(), which
    sends nothing twice, a LogsFlusher logs_defaults(), whose requests are smaller, a MetricsFlusher
    metrics_defaults(), which combines both.

    >>> import thaw
    >>> thaw.FlusherOptions(on_failure="discard", sequential=True)
    FlusherOptions(on_failure='discard', sequential=True)
    >>> thaw.FlusherOptions.stats_defaults().retry_ambiguous
    False
    """

    __hash__: typing.ClassVar[None]  # type: ignore[assignment]
    @staticmethod
    def logs_defaults() -> FlusherOptions:
        """
        The defaults of a LogsFlusher.
        """
    @staticmethod
    def metrics_defaults() -> FlusherOptions:
        """
        The defaults of a MetricsFlusher.
        """
    @staticmethod
    def stats_defaults() -> FlusherOptions:
        """
        The defaults of a StatsFlusher.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __init__(
        self,
        *,
        on_failure: OnFailure | str | None = None,
        sequential: bool | None = None,
        return_all_on_failure: bool | None = None,
        coalesce: bool | None = None,
        compression_level: int | None = None,
        outbox_bytes: int | None = None,
        max_batch_bytes: int | None = None,
        retry_ambiguous: bool | None = None,
        drop_refused: bool | None = None,
        retry_all_statuses: bool | None = None,
        flush_timeout: float | None = None,
        no_progress_limit: float | None = None,
        breaker_strikes: int | None = None,
        probe_budget: float | None = None,
        probe_backoff: float | None = None,
        probe_backoff_cap: float | None = None,
    ) -> None:
        """
        Defaults are those of traces.
        """
    def __repr__(self) -> str: ...
    def replace(
        self,
        *,
        on_failure: OnFailure | str | None = None,
        sequential: bool | None = None,
        return_all_on_failure: bool | None = None,
        coalesce: bool | None = None,
        compression_level: int | None = None,
        outbox_bytes: int | None = None,
        max_batch_bytes: int | None = None,
        retry_ambiguous: bool | None = None,
        drop_refused: bool | None = None,
        retry_all_statuses: bool | None = None,
        flush_timeout: float | None = None,
        no_progress_limit: float | None = None,
        breaker_strikes: int | None = None,
        probe_budget: float | None = None,
        probe_backoff: float | None = None,
        probe_backoff_cap: float | None = None,
    ) -> FlusherOptions:
        """
        A copy with the given fields set to other values.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field as a plain value: durations in seconds, enums by their lower-case name.
        """
    @property
    def breaker_strikes(self) -> int:
        """
        Opens the breaker after this many flushes in a row without progress. A larger number tolerates
        longer interruptions, but each of these flushes waits until no_progress_limit ends it.
        """
    @breaker_strikes.setter
    def breaker_strikes(self, arg1: int) -> None: ...
    @property
    def coalesce(self) -> bool:
        """
        Merges all payloads with the same headers into one request. Off: sends one request per payload.
        """
    @coalesce.setter
    def coalesce(self, arg1: bool) -> None: ...
    @property
    def compression_level(self) -> int:
        """
        The level of zstd or gzip. A higher one makes smaller bodies and takes more processor time.
        """
    @compression_level.setter
    def compression_level(self, arg1: int) -> None: ...
    @property
    def drop_refused(self) -> bool:
        """
        Drops requests that the intake refused for good. Off: keeps them, so that every flush sends them
        again.
        """
    @drop_refused.setter
    def drop_refused(self, arg1: bool) -> None: ...
    @property
    def flush_timeout(self) -> float:
        """
        The deadline of a flush for which none is given. In seconds.
        """
    @flush_timeout.setter
    def flush_timeout(self, arg1: float) -> None: ...
    @property
    def max_batch_bytes(self) -> int:
        """
        Limits a payload's bytes before compression; larger ones are split. The intake refuses bodies
        that are too large.
        """
    @max_batch_bytes.setter
    def max_batch_bytes(self, arg1: int) -> None: ...
    @property
    def no_progress_limit(self) -> float:
        """
        Ends a flush in which nothing moves for this long. A longer time tolerates a slower intake, and
        an outage costs the function more. inf ends no flush for that, and turns breakers and budget
        off. In seconds.
        """
    @no_progress_limit.setter
    def no_progress_limit(self, arg1: float) -> None: ...
    @property
    def on_failure(self) -> OnFailure:
        """
        The fate of a payload whose flush failed: keep keeps it in the outbox and sends it first in the
        next flush, as thaw does. Peers' clients lose it: discard drops it, and redrive_at_shutdown
        sends it once more at shutdown and then drops it.
        """
    @on_failure.setter
    def on_failure(self, arg1: OnFailure | str) -> None: ...
    @property
    def outbox_bytes(self) -> int:
        """
        Limits the bytes of everything kept: untried, being sent, failed. Beyond it, new data evicts
        data that was tried, or is turned away.
        """
    @outbox_bytes.setter
    def outbox_bytes(self, arg1: int) -> None: ...
    @property
    def probe_backoff(self) -> float:
        """
        The active time, without freezes, until the first probe of an open breaker, doubled by each
        probe that fails; the limits in wall time and in flushes grow with it. A longer time makes an
        outage cheaper and notices its end later. In seconds.
        """
    @probe_backoff.setter
    def probe_backoff(self, arg1: float) -> None: ...
    @property
    def probe_backoff_cap(self) -> float:
        """
        Limits the active time between two probes, however many have failed. It also limits how long
        data waits after the end of a long outage. In seconds.
        """
    @probe_backoff_cap.setter
    def probe_backoff_cap(self, arg1: float) -> None: ...
    @property
    def probe_budget(self) -> float:
        """
        The time that a flush may spend on checking whether a destination is back. A longer time reaches
        one that answers slowly, and each check costs the function more. With the flush's other work the
        default makes 300 ms, which an invocation can afford. In seconds.
        """
    @probe_budget.setter
    def probe_budget(self, arg1: float) -> None: ...
    @property
    def retry_all_statuses(self) -> bool:
        """
        Retries every status from 400 on as often as the client tries, and then drops the request, as
        peers' clients do. Off: only a status that may pass is retried, and its request is kept.
        """
    @retry_all_statuses.setter
    def retry_all_statuses(self, arg1: bool) -> None: ...
    @property
    def retry_ambiguous(self) -> bool:
        """
        Resends requests that may have been accepted, marked possible_duplicate. Off for stats and
        metrics, where counting twice is wrong: such requests are dropped.
        """
    @retry_ambiguous.setter
    def retry_ambiguous(self, arg1: bool) -> None: ...
    @property
    def return_all_on_failure(self) -> bool:
        """
        With `sequential`: a failure makes all requests of the flush count as failed, including those
        already accepted, which a redrive then sends twice.
        """
    @return_all_on_failure.setter
    def return_all_on_failure(self, arg1: bool) -> None: ...
    @property
    def sequential(self) -> bool:
        """
        Sends one request after the other, so that a slow answer delays all; the first failure ends the
        flush.
        """
    @sequential.setter
    def sequential(self, arg1: bool) -> None: ...

class FlushReport:
    """
    The outcome of one flush, or of all flushes together.

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     flusher = thaw.TraceFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
    ...     flusher.add(thaw.TracePayload.from_msgpack(b"\\x91\\x91\\x81\\xa7span_id\\x01"))
    ...     report = flusher.flush(deadline=2.0)
    1
    >>> report.delivered, report.retained, report.dropped, report.attempts, report.failures[0].fault.name
    (0, 1, {}, 1, 'REFUSED')
    >>> try:
    ...     report.raise_for_failure()
    ... except thaw.Unreachable as error:
    ...     print(error.failure.fault.name, str(error)[:56])
    REFUSED not everything was delivered: 0 delivered, 1 kept; http:
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def raise_for_failure(self) -> None:
        """
        Raises the error of whatever was not delivered, to additional endpoints too: Unreachable, Refused, DeadlineExceeded and so on by the last failure, which is its `failure`; the text says how much is kept, how much dropped and why. Returns None if everything was delivered.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field as a plain value.
        """
    @property
    def additional_delivered(self) -> int:
        """
        Requests that additional endpoints accepted.
        """
    @property
    def additional_dropped(self) -> dict[str, int]:
        """
        Requests to additional endpoints that were given up, by reason.
        """
    @property
    def additional_retained(self) -> int:
        """
        Requests to additional endpoints still kept at the end.
        """
    @property
    def attempts(self) -> int:
        """
        Tries, as the client counts them.
        """
    @property
    def delivered(self) -> int:
        """
        Payloads that the intake accepted.
        """
    @property
    def dropped(self) -> dict[str, int]:
        """
        Payloads given up, by reason.
        """
    @property
    def elapsed(self) -> float:
        """
        The time that it took, in seconds of the monotonic clock.
        """
    @property
    def errors(self) -> list[str]:
        """
        The errors that were logged.
        """
    @property
    def exchanges(self) -> list[ExchangeTimes]:
        """
        The times of each request that was answered, with any status, in the order in which they ended; of all flushes together, the latest 100.
        """
    @property
    def failures(self) -> list[ExchangeFailure]:
        """
        Each failed try.
        """
    @property
    def held(self) -> int:
        """
        Requests that are not sent again before the shutdown, since the intake may have them after several tries.
        """
    @property
    def out_of_reach(self) -> list[str]:
        """
        Each destination that could not be reached or refused everything: which, since when and why.
        """
    @property
    def payloads(self) -> int:
        """
        Payloads that ended: delivered and dropped.
        """
    @property
    def possible_duplicates(self) -> int:
        """
        Payloads delivered after an earlier try that the intake may have accepted, too.
        """
    @property
    def refused_by_status(self) -> dict[int, int]:
        """
        Requests refused for good, by status.
        """
    @property
    def requests(self) -> int:
        """
        Requests given to the client.
        """
    @property
    def retained(self) -> int:
        """
        Payloads still kept at the end.
        """
    @property
    def skipped(self) -> bool:
        """
        Whether a destination was out of reach (its breaker was open), so that its requests were not tried.
        """
    @property
    def stalled(self) -> bool:
        """
        Whether it ended because there was no progress.
        """

class TracePayload:
    """
    The traces of one request of a tracer.

    Made from the body of a /v0.4/traces request: MessagePack, an array of traces, each an array of span maps. It
    holds the intake's protobuf, made in one pass. A span that can't be understood is left out and counted; its
    neighbours stay.

    >>> import thaw
    >>> payload = thaw.TracePayload.from_msgpack(b"\\x91\\x91\\x81\\xa7span_id\\x01", {"Datadog-Meta-Lang": "python"})
    >>> payload.spans, payload.chunks
    (1, 1)
    >>> thaw.TracePayload.from_msgpack(b"\\x80")
    Traceback (most recent call last):
        ...
    thaw.PayloadError: at byte 0: expected an array, found a map
    """
    @staticmethod
    def from_msgpack(
        body: typing_extensions.Buffer,
        headers: collections.abc.Mapping[str, str] | collections.abc.Iterable[tuple[str, str]] | None = None,
    ) -> TracePayload:
        """
        `headers`: those of the tracer's request (Datadog-Meta-Lang and so on). Raises PayloadError, which names the byte, what was expected there and what was found.
        """
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every count as a plain value.
        """
    @property
    def chunks(self) -> int:
        """
        Number of traces in the result.
        """
    @property
    def chunks_left_out(self) -> int:
        """
        Number of traces that were no array.
        """
    @property
    def empty_chunks(self) -> int:
        """
        Number of traces without a span, left out.
        """
    @property
    def first_problem(self) -> str:
        """
        The fault of the first part that was left out, with its byte; empty: none was left out.
        """
    @property
    def metrics_not_finite(self) -> int:
        """
        Number of metrics that were NaN or infinite, left out.
        """
    @property
    def size(self) -> int:
        """
        Bytes as protobuf.
        """
    @property
    def spans(self) -> int:
        """
        Number of spans in the result.
        """
    @property
    def spans_left_out(self) -> int:
        """
        Number of spans that could not be read: of another form, or a field of the wrong type.
        """
    @property
    def spans_without_ids(self) -> int:
        """
        Number of spans with no trace id or no span id, left out.
        """
    @property
    def strings_repaired(self) -> int:
        """
        Number of strings that were not UTF-8, with U+FFFD for bad parts.
        """
    @property
    def values_left_out(self) -> int:
        """
        Number of tags, metrics, links, events and their parts that meant nothing as such.
        """

class TraceFlusher:
    """
    Delivers traces: keeps payloads until the intake took them.

    Lives on its client's thread, and as long as the client. Any thread may call it.

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     flusher = thaw.TraceFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
    ...     flusher.add(thaw.TracePayload.from_msgpack(b"\\x91\\x91\\x81\\xa7span_id\\x01"))
    ...     report = flusher.flush(deadline=2.0)
    ...     report.delivered, report.retained, flusher.retained
    1
    (0, 1, 1)
    """
    def __init__(
        self,
        client: Client,
        endpoint: str,
        api_key: str,
        *,
        options: FlusherOptions | None = None,
        additional_endpoints: collections.abc.Sequence[tuple[str, str]] = [],
    ) -> None:
        """
        `endpoint`: the base URL of the intake. `additional_endpoints`: (base URL, API key) of each further endpoint that gets the same data. Raises InvalidArgument, Closed, Forked.
        """
    def __repr__(self) -> str: ...
    def add(self, payload: TracePayload) -> int:
        """
        Takes a payload over and returns its id, counted from 1. Raises OutboxFull, and takes nothing, if payloads that were never tried fill the outbox.
        """
    def check_invariant(self) -> None:
        """
        Counts everything again. Raises InvariantBroken unless payloads handed over = delivered + kept + dropped.
        """
    def flush(self, deadline: float | None = None) -> FlushReport:
        """
        Sends everything and waits at most `deadline` seconds (None: options.flush_timeout). What could not be delivered stays and goes first in the next flush. Ctrl-C ends the flush and loses nothing.
        """
    def flush_async(self, deadline: float | None = None) -> asyncio.Future[FlushReport]:
        """
        Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the flush and loses nothing.
        """
    def shutdown(self, deadline: float | None = None) -> FlushReport:
        """
        Makes the last flush, which asks no breaker and sends what was held for a redrive.
        """
    @property
    def bytes(self) -> int:
        """
        Bytes kept now, of options.outbox_bytes.
        """
    @property
    def dropped(self) -> dict[str, int]:
        """
        Payloads given up so far, by reason.
        """
    @property
    def dropped_payloads(self) -> dict[int, str]:
        """
        Ids of payloads given up so far, with the reason of each.
        """
    @property
    def endpoints(self) -> list[str]:
        """
        The endpoints of its requests, the primary one first.
        """
    @property
    def handed_over(self) -> int:
        """
        Payloads taken over so far.
        """
    @property
    def options(self) -> FlusherOptions:
        """
        A copy of its options.
        """
    @property
    def possible_duplicates(self) -> list[int]:
        """
        Ids of payloads that ended and that the intake may have twice.
        """
    @property
    def retained(self) -> int:
        """
        Payloads kept now.
        """
    @property
    def retained_payloads(self) -> list[int]:
        """
        Ids of payloads kept now.
        """
    @property
    def total(self) -> FlushReport:
        """
        All flushes so far, as one report.
        """
    @property
    def turned_away(self) -> int:
        """
        Payloads for which there was no room.
        """

class StatsPayload:
    """
    The stats of one request of a tracer.

    Made from the body of a /v0.6/stats request: MessagePack, a map. The host name is made empty, as the intake
    wants it of a function; the start of each bucket stays. A group that can't be understood is left out and
    counted.

    >>> import thaw
    >>> thaw.StatsPayload.from_msgpack(b"\\x81\\xa5Stats\\x90").buckets
    0
    >>> thaw.StatsPayload.from_msgpack(b"\\x90")
    Traceback (most recent call last):
        ...
    thaw.PayloadError: at byte 0: expected a map, found an array
    """
    @staticmethod
    def from_msgpack(body: typing_extensions.Buffer) -> StatsPayload:
        """
        Raises PayloadError, which names the byte, what was expected there and what was found.
        """
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every count as a plain value.
        """
    @property
    def buckets(self) -> int:
        """
        Number of buckets in the result.
        """
    @property
    def buckets_left_out(self) -> int:
        """
        Number of buckets that were no map, or had no start, duration or groups.
        """
    @property
    def first_problem(self) -> str:
        """
        The fault of the first part that was left out, with its byte; empty: none was left out.
        """
    @property
    def groups(self) -> int:
        """
        Number of groups in the result.
        """
    @property
    def groups_left_out(self) -> int:
        """
        Number of groups that were no map, lacked a count or had a wrong type.
        """
    @property
    def size(self) -> int:
        """
        Bytes as MessagePack.
        """
    @property
    def strings_repaired(self) -> int:
        """
        Number of strings that were not UTF-8, with U+FFFD for bad parts.
        """

class StatsFlusher:
    """
    Delivers stats: keeps payloads until the intake took them.

    What the intake may have taken is not sent again but dropped, counted as ambiguous_dropped: a count twice is
    wrong. Lives on its client's thread, and as long as the client. Any thread may call it.

    >>> import thaw
    >>> with thaw.Client() as client:
    ...     flusher = thaw.StatsFlusher(client, endpoint="https://127.0.0.1:1", api_key="key")
    ...     flusher.options.retry_ambiguous
    False
    """
    def __init__(
        self,
        client: Client,
        endpoint: str,
        api_key: str,
        *,
        options: FlusherOptions | None = None,
        additional_endpoints: collections.abc.Sequence[tuple[str, str]] = [],
    ) -> None:
        """
        `endpoint`: the base URL of the intake. `additional_endpoints`: (base URL, API key) of each further endpoint that gets the same data. Raises InvalidArgument, Closed, Forked.
        """
    def __repr__(self) -> str: ...
    def add(self, payload: StatsPayload) -> int:
        """
        Takes a payload over and returns its id, counted from 1. Raises OutboxFull, and takes nothing, if payloads that were never tried fill the outbox.
        """
    def check_invariant(self) -> None:
        """
        Counts everything again. Raises InvariantBroken unless payloads handed over = delivered + kept + dropped.
        """
    def flush(self, deadline: float | None = None) -> FlushReport:
        """
        Sends everything and waits at most `deadline` seconds (None: options.flush_timeout). What could not be delivered stays and goes first in the next flush. Ctrl-C ends the flush and loses nothing.
        """
    def flush_async(self, deadline: float | None = None) -> asyncio.Future[FlushReport]:
        """
        Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the flush and loses nothing.
        """
    def shutdown(self, deadline: float | None = None) -> FlushReport:
        """
        Makes the last flush, which asks no breaker and sends what was held for a redrive.
        """
    @property
    def bytes(self) -> int:
        """
        Bytes kept now, of options.outbox_bytes.
        """
    @property
    def dropped(self) -> dict[str, int]:
        """
        Payloads given up so far, by reason.
        """
    @property
    def dropped_payloads(self) -> dict[int, str]:
        """
        Ids of payloads given up so far, with the reason of each.
        """
    @property
    def endpoints(self) -> list[str]:
        """
        The endpoints of its requests, the primary one first.
        """
    @property
    def handed_over(self) -> int:
        """
        Payloads taken over so far.
        """
    @property
    def options(self) -> FlusherOptions:
        """
        A copy of its options.
        """
    @property
    def possible_duplicates(self) -> list[int]:
        """
        Ids of payloads that ended and that the intake may have twice.
        """
    @property
    def retained(self) -> int:
        """
        Payloads kept now.
        """
    @property
    def retained_payloads(self) -> list[int]:
        """
        Ids of payloads kept now.
        """
    @property
    def total(self) -> FlushReport:
        """
        All flushes so far, as one report.
        """
    @property
    def turned_away(self) -> int:
        """
        Payloads for which there was no room.
        """

class LogsPayload:
    """
    Log lines of one invocation, as the intake gets them.

    It holds the intake's JSON, made in one pass. A line of more than 1 MB, which the intake would not take, is cut
    and ends with a marker.

    >>> import thaw
    >>> thaw.LogsPayload.from_lines(["paid", "sent"], timestamp=1.5, request_id="r1").lines
    2
    >>> thaw.LogsPayload.from_lines(["paid"], timestamp=1.5, status="loud")
    Traceback (most recent call last):
        ...
    thaw.InvalidArgument: status is "loud", not one of: critical, error, warn, info, debug, trace
    """
    @staticmethod
    def from_lines(
        lines: collections.abc.Sequence[str],
        *,
        timestamp: float,
        function_arn: str = "",
        request_id: str = "",
        service: str = "",
        tags: str = "",
        status: str = "info",
    ) -> LogsPayload:
        """
        `timestamp`: of all lines, in seconds since 1970. `function_arn`: the host that the intake names. `request_id`: of the invocation that wrote the lines. `tags`: name:value with commas between them. `status`: critical, error, warn, info, debug or trace. Raises InvalidArgument for more lines or bytes than the intake takes at once.
        """
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every count as a plain value.
        """
    @property
    def cut(self) -> int:
        """
        Number of lines that were cut.
        """
    @property
    def lines(self) -> int:
        """
        Number of lines.
        """
    @property
    def size(self) -> int:
        """
        Bytes as JSON.
        """

class LogsFlusher:
    """
    Delivers log lines: keeps payloads until the intake took them.

    Payloads are merged into requests of at most 1000 lines and 5 MB. Lives on its client's thread, and as long as
    the client. Any thread may call it.

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     flusher = thaw.LogsFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
    ...     flusher.add(thaw.LogsPayload.from_lines(["paid"], timestamp=1.5))
    ...     report = flusher.flush(deadline=2.0)
    ...     report.delivered, report.retained
    1
    (0, 1)
    """
    def __init__(
        self,
        client: Client,
        endpoint: str,
        api_key: str,
        *,
        options: FlusherOptions | None = None,
        additional_endpoints: collections.abc.Sequence[tuple[str, str]] = [],
    ) -> None:
        """
        `endpoint`: the base URL of the intake. `additional_endpoints`: (base URL, API key) of each further endpoint that gets the same data. Raises InvalidArgument, Closed, Forked.
        """
    def __repr__(self) -> str: ...
    def add(self, payload: LogsPayload) -> int:
        """
        Takes a payload over and returns its id, counted from 1. Raises OutboxFull, and takes nothing, if payloads that were never tried fill the outbox.
        """
    def check_invariant(self) -> None:
        """
        Counts everything again. Raises InvariantBroken unless payloads handed over = delivered + kept + dropped.
        """
    def flush(self, deadline: float | None = None) -> FlushReport:
        """
        Sends everything and waits at most `deadline` seconds (None: options.flush_timeout). What could not be delivered stays and goes first in the next flush. Ctrl-C ends the flush and loses nothing.
        """
    def flush_async(self, deadline: float | None = None) -> asyncio.Future[FlushReport]:
        """
        Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the flush and loses nothing.
        """
    def shutdown(self, deadline: float | None = None) -> FlushReport:
        """
        Makes the last flush, which asks no breaker and sends what was held for a redrive.
        """
    @property
    def bytes(self) -> int:
        """
        Bytes kept now, of options.outbox_bytes.
        """
    @property
    def dropped(self) -> dict[str, int]:
        """
        Payloads given up so far, by reason.
        """
    @property
    def dropped_payloads(self) -> dict[int, str]:
        """
        Ids of payloads given up so far, with the reason of each.
        """
    @property
    def endpoints(self) -> list[str]:
        """
        The endpoints of its requests, the primary one first.
        """
    @property
    def handed_over(self) -> int:
        """
        Payloads taken over so far.
        """
    @property
    def options(self) -> FlusherOptions:
        """
        A copy of its options.
        """
    @property
    def possible_duplicates(self) -> list[int]:
        """
        Ids of payloads that ended and that the intake may have twice.
        """
    @property
    def retained(self) -> int:
        """
        Payloads kept now.
        """
    @property
    def retained_payloads(self) -> list[int]:
        """
        Ids of payloads kept now.
        """
    @property
    def total(self) -> FlushReport:
        """
        All flushes so far, as one report.
        """
    @property
    def turned_away(self) -> int:
        """
        Payloads for which there was no room.
        """

class MetricsPayload:
    """
    Metrics that were measured at one time, as the intake gets them.

    Lines of DogStatsD are aggregated as in the extension: counts are added up, the newest value of a gauge counts,
    distributions become sketches, histograms and sets become series. It holds the intake's protobuf.

    >>> import thaw
    >>> payload = thaw.MetricsPayload.from_dogstatsd(b"hits:1|c\\nhits:2|c\\nms:1.5:2|d\\nx", timestamp=15.0)
    >>> payload.samples, payload.points, payload.sketches, payload.refused
    (3, 1, 1, {'form': 1})
    >>> thaw.MetricsPayload.from_dogstatsd(b"hits:1|c", timestamp=float("nan"))
    Traceback (most recent call last):
        ...
    thaw.InvalidArgument: timestamp is nan; it must be finite
    """
    @staticmethod
    def from_dogstatsd(
        lines: typing_extensions.Buffer, *, timestamp: float, tags: collections.abc.Sequence[str] = []
    ) -> MetricsPayload:
        """
        `lines`: bytes, with line feeds between lines. `timestamp`: of all values that have no time of their own, in seconds since 1970; the intake gets the beginning of its ten seconds. `tags`: name:value, of every metric beside its own. A line that can't be read costs that line. Raises InvalidArgument for a timestamp that is no time.
        """
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every count as a plain value.
        """
    @property
    def dropped(self) -> int:
        """
        Number of lines for which there was no room.
        """
    @property
    def others(self) -> int:
        """
        Number of lines that are events or service checks, which are left out.
        """
    @property
    def points(self) -> int:
        """
        Number of points of series: counts and gauges.
        """
    @property
    def refused(self) -> dict[str, int]:
        """
        Number of lines that can't be read, by reason.
        """
    @property
    def samples(self) -> int:
        """
        Number of lines that were aggregated.
        """
    @property
    def size(self) -> int:
        """
        Bytes as protobuf.
        """
    @property
    def sketches(self) -> int:
        """
        Number of sketches: distributions.
        """

class MetricsFlusher:
    """
    Delivers metrics: keeps payloads until the intake took them.

    Series and sketches of a payload go to /api/v2/series and /api/beta/sketches below the endpoint; a payload is
    delivered when both parts are. What the intake may have taken is not sent again but dropped, counted as
    ambiguous_dropped: a count twice is wrong. Lives on its client's thread, and as long as the client. Any thread
    may call it.

    >>> import thaw
    >>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
    ...     flusher = thaw.MetricsFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
    ...     flusher.add(thaw.MetricsPayload.from_dogstatsd(b"hits:1|c", timestamp=15.0))
    ...     report = flusher.flush(deadline=2.0)
    ...     report.delivered, report.retained
    1
    (0, 1)
    """
    def __init__(
        self,
        client: Client,
        endpoint: str,
        api_key: str,
        *,
        options: FlusherOptions | None = None,
        additional_endpoints: collections.abc.Sequence[tuple[str, str]] = [],
    ) -> None:
        """
        `endpoint`: the base URL of the intake. `additional_endpoints`: (base URL, API key) of each further endpoint that gets the same data. Raises InvalidArgument, Closed, Forked.
        """
    def __repr__(self) -> str: ...
    def add(self, payload: MetricsPayload) -> int:
        """
        Takes a payload over and returns its id, counted from 1. Raises OutboxFull, and takes nothing, if payloads that were never tried fill the outbox.
        """
    def check_invariant(self) -> None:
        """
        Counts everything again. Raises InvariantBroken unless payloads handed over = delivered + kept + dropped.
        """
    def flush(self, deadline: float | None = None) -> FlushReport:
        """
        Sends everything and waits at most `deadline` seconds (None: options.flush_timeout). What could not be delivered stays and goes first in the next flush. Ctrl-C ends the flush and loses nothing.
        """
    def flush_async(self, deadline: float | None = None) -> asyncio.Future[FlushReport]:
        """
        Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the flush and loses nothing.
        """
    def shutdown(self, deadline: float | None = None) -> FlushReport:
        """
        Makes the last flush, which asks no breaker and sends what was held for a redrive.
        """
    @property
    def bytes(self) -> int:
        """
        Bytes kept now, of options.outbox_bytes.
        """
    @property
    def dropped(self) -> dict[str, int]:
        """
        Payloads given up so far, by reason.
        """
    @property
    def dropped_payloads(self) -> dict[int, str]:
        """
        Ids of payloads given up so far, with the reason of each.
        """
    @property
    def endpoints(self) -> list[str]:
        """
        The endpoints of its requests, the primary one first.
        """
    @property
    def handed_over(self) -> int:
        """
        Payloads taken over so far.
        """
    @property
    def options(self) -> FlusherOptions:
        """
        A copy of its options.
        """
    @property
    def possible_duplicates(self) -> list[int]:
        """
        Ids of payloads that ended and that the intake may have twice.
        """
    @property
    def retained(self) -> int:
        """
        Payloads kept now.
        """
    @property
    def retained_payloads(self) -> list[int]:
        """
        Ids of payloads kept now.
        """
    @property
    def total(self) -> FlushReport:
        """
        All flushes so far, as one report.
        """
    @property
    def turned_away(self) -> int:
        """
        Payloads for which there was no room.
        """

class DDSketch:
    """
    A histogram in the form in which Datadog merges distributions.

    Quantiles are right to within 1/128 of the value. What is kept does not depend on the order in which values and
    sketches are added. One sketch must not be used by two threads at once.

    >>> import thaw
    >>> times = thaw.DDSketch([12.5, 12.5, 40.0])
    >>> times.count, times.sum, times.bins
    (3, 65.0, {1501: 2, 1576: 1})
    >>> other = thaw.DDSketch()
    >>> other.insert(-3.0, weight=10)
    >>> times.merge(other)
    >>> times.count, times.min
    (13, -3.0)
    """
    @staticmethod
    def key_of(value: float) -> int:
        """
        Returns the key of the bin that counts a value.
        """
    @staticmethod
    def value_of(key: int) -> float:
        """
        Returns the value that stands for all values of a key; infinity for the highest, 32767. Raises InvalidArgument beyond it.
        """
    def __init__(self, values: collections.abc.Sequence[float] = []) -> None:
        """
        Raises InvalidArgument for a value that is not finite.
        """
    def __repr__(self) -> str: ...
    def insert(self, value: float, weight: float = 1.0) -> None:
        """
        Counts a value `weight` times. Raises InvalidArgument unless both are finite and the weight is above 0.
        """
    def merge(self, other: DDSketch) -> None:
        """
        Adds all values that were inserted into the other sketch.
        """
    def quantile(self, q: float) -> float:
        """
        Returns the value below which the part `q`, 0 to 1, of all values is. Raises InvalidArgument for another `q`.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The summary of all values, without bins.
        """
    def to_protobuf(self) -> bytes:
        """
        Returns the fields of a protobuf Dogsketch, except for its time.
        """
    @property
    def average(self) -> float:
        """
        The mean of all values; 0 if there is none.
        """
    @property
    def bins(self) -> dict[int, int]:
        """
        How many values each key has, in the order of keys.
        """
    @property
    def count(self) -> int:
        """
        Number of values.
        """
    @property
    def max(self) -> float:
        """
        The largest value; 0 if there is none.
        """
    @property
    def min(self) -> float:
        """
        The least value; 0 if there is none.
        """
    @property
    def sum(self) -> float:
        """
        The sum of all values.
        """

class MetricSample:
    """
    A line of DogStatsD: one report of a metric.

    >>> import thaw
    >>> (sample,) = thaw.parse_dogstatsd(b"page.time:12.5:20|d|@0.5|#env:prod").samples
    >>> sample.name, sample.type, sample.values, sample.weight, sample.tags
    ('page.time', 'distribution', [12.5, 20.0], 2.0, ['env:prod'])
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Every field as a plain value.
        """
    @property
    def member(self) -> str:
        """
        The text that a set counts.
        """
    @property
    def name(self) -> str:
        """
        The metric, normalised.
        """
    @property
    def tags(self) -> list[str]:
        """
        Its tags, normalised, in the client's order.
        """
    @property
    def time(self) -> float | None:
        """
        Seconds since 1970, of counts and gauges that say when they were measured.
        """
    @property
    def type(self) -> str:
        """
        count, gauge, distribution, histogram (which timers are, too) or set.
        """
    @property
    def values(self) -> list[float]:
        """
        Its values; a set has none.
        """
    @property
    def weight(self) -> float:
        """
        How many reports it stands for: 1 divided by the client's sample rate.
        """

class DogStatsdLines:
    """
    The content of a datagram of DogStatsD.

    >>> import thaw
    >>> lines = thaw.parse_dogstatsd(b"a:1|c\\nb:x|g\\n_sc|db|2|m:down")
    >>> len(lines.samples), lines.refused, lines.first_refused
    (1, {'value': 1}, 'refused_value: b:x|g')
    >>> lines.service_checks[0]["status"]
    2
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    @property
    def events(self) -> list[dict[str, typing.Any]]:
        """
        Its events: title, text, time, host, aggregation_key, priority, source_type, alert_type, tags.
        """
    @property
    def first_refused(self) -> str:
        """
        Why the first such line could not be read, and its beginning; empty if there is none.
        """
    @property
    def refused(self) -> dict[str, int]:
        """
        The number of lines that could not be read, by reason.
        """
    @property
    def samples(self) -> list[MetricSample]:
        """
        Its metrics, in order.
        """
    @property
    def service_checks(self) -> list[dict[str, typing.Any]]:
        """
        Its service checks: name, status, time, host, message, tags.
        """

def explore(
    *,
    flushes: collections.abc.Sequence[int] = [1, 1],
    freezes: int = 1,
    faults: int = 0,
    late: int = 0,
    client: ClientOptions | None = None,
    flusher: FlusherOptions | None = None,
    resume: bool = True,
    most_histories: int = 1152921504606846976,
    progress: collections.abc.Callable[[int], typing.Any] | None = None,
) -> dict[str, typing.Any]:
    """
    Runs every small history of world W0 that a client can go through.

    Before each step of a flush, the environment may freeze, connections may end in every way meanwhile, and
    packets may overtake each other; dials and requests may meet a fault. Invariants are checked after every step.
    The search ends at the first history that breaks one, and shrinks it.

    Args:
      flushes: how many payloads are handed over before each flush.
      freezes, faults, late: how many of them a history may have; late packets are overtaken by
        another connection's. Each freeze multiplies the number of histories by some hundreds.
      client, flusher: options of the client, whose own rules hold, and of the flusher.
      resume: whether the client is told of each resume, as a return from /next does.
      most_histories: the number of histories after which the search ends; "complete" is then False.
      progress: called with the number of histories now and then.

    Returns a dict: histories, known (given up in a state that was met before), states, steps, freezes, faults,
    complete, failures (a list with a dict for each cell of the failure table) and broken: None, or a dict of
    invariant, text, choices, story and the lines of C++ and Python that run the history again.

    >>> import thaw
    >>> result = thaw.explore(flushes=[1], freezes=1)
    >>> result["complete"], result["broken"]
    (True, None)
    """

def explore_at_random(
    *,
    seed: int = 1,
    histories: int = 1000,
    flushes: collections.abc.Sequence[int] = [1, 1],
    freezes: int = 1,
    faults: int = 0,
    late: int = 0,
    client: ClientOptions | None = None,
    flusher: FlusherOptions | None = None,
    resume: bool = True,
    progress: collections.abc.Callable[[int], typing.Any] | None = None,
) -> dict[str, typing.Any]:
    """
    Runs random histories, larger ones than `explore` can exhaust.

    History number n has the seed `seed` + n. Otherwise as `explore`.

    >>> import thaw
    >>> thaw.explore_at_random(seed=1, histories=20, flushes=[2, 2], freezes=3, faults=2)["broken"]
    """

def parse_dogstatsd(datagram: typing_extensions.Buffer, *, name_prefix: str = "") -> DogStatsdLines:
    """
    Reads a datagram of the DogStatsD protocol, as the extension does. `name_prefix` stands before the name of each metric. A line that can't be read costs that line alone.
    """

def replay(
    choices: collections.abc.Sequence[int],
    *,
    flushes: collections.abc.Sequence[int] = [1, 1],
    freezes: int = 1,
    faults: int = 0,
    late: int = 0,
    client: ClientOptions | None = None,
    flusher: FlusherOptions | None = None,
    resume: bool = True,
) -> dict[str, typing.Any]:
    """
    Runs the history again that `choices` describe.

    Any list of numbers is a history: a number that is too large is the last way, and after the list's end nothing
    happens any more. Raises InvariantBroken if the history breaks an invariant. Otherwise as `explore`.

    >>> import thaw
    >>> thaw.replay([0, 0, 1], flushes=[1], freezes=1)["freezes"]
    1
    """

def simulate(
    *,
    cycles: int = 1000,
    seed: int = 1,
    payloads: int = 2,
    scenario: str = "idle",
    close: str = "fin",
    fault_rate: float = 0.0,
    client: ClientOptions | None = None,
    flusher: FlusherOptions | None = None,
    resume: bool = True,
    check: bool = True,
    function_time: float = 0.0,
    idle_limit: float = 60.0,
    freeze: tuple[float, float] = (1.0, 120.0),
    one_way: float = 0.005,
    service_time: float = 0.001,
    progress: collections.abc.Callable[[int], typing.Any] | None = None,
) -> dict[str, typing.Any]:
    """
    Runs world W0: freeze cycles of the client and flusher against a simulated intake.

    One process, virtual time, thousands of cycles a second; the same arguments give the same run. After every
    step the invariants of delivery are checked (`check`); a broken one raises InvariantBroken, whose message has
    the seed, the cycle and the step.

    Args:
      cycles: the number of cycles of a flush, a freeze and a resume.
      payloads: the number of payloads that are handed over in each cycle.
      scenario: "idle" (freezes fall between flushes) or "inflight" (between any two steps of one).
      close: how the intake ends connections that are idle for `idle_limit` seconds: "fin", "rst", "silent" (it
        forgets them), "race" (as the client resumes) or "mixed".
      fault_rate: the probability that a dial or a request meets a fault, 0 to 1.
      function_time: how long the function runs in each cycle before its flush, in seconds of virtual time. A
        breaker that is open waits for its next look in such time.
      resume: whether the client is told of each resume, as a return from /next does.
      freeze: shortest and longest freeze, in seconds of virtual time.
      one_way, service_time: the time of a packet on its way, and of the intake for a request, in seconds.
      progress: called with the number of the cycle now and then.

    Returns a dict of counts: payloads, requests, delivered, lost, duplicated, possible_duplicate, retained,
    dropped, errors, faults_met, freezes, steps, connections, exchanges; and flush_ms, how long flushes took, in
    milliseconds of virtual time less the frozen time: "p50" and "p99".

    >>> import thaw
    >>> result = thaw.simulate(cycles=100, seed=7, close="silent")
    >>> result["payloads"], result["delivered"], result["lost"]
    (200, 200, 0)
    """
