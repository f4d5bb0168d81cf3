"""Processor time of thaw's client beside libcurl's, by turns, so that both meet the same machine."""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections.abc import Callable

import pycurl

import thaw
from thaw.lab.benchmarks.intake import Figures, benchmark_intake, client_options
from thaw.lab.intake import Intake

BODY = bytes(range(256)) * 16  # 4 KB
REQUESTS_PER_CALL = 100


def _thaw_call(client: thaw.Client, url: str) -> None:
    requests = [thaw.Request(url, BODY) for _ in range(REQUESTS_PER_CALL)]
    for result in client.send_many(requests):
        if not result.accepted:
            raise RuntimeError(f"not accepted: {result}")


def _curl_handle(url: str, intake: Intake, *, pooled: bool, resumption: bool) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.CAINFO, intake.ca_file)
    handle.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_3)
    handle.setopt(pycurl.SSL_EC_CURVES, "X25519")
    handle.setopt(pycurl.SSL_SESSIONID_CACHE, int(resumption))
    handle.setopt(pycurl.TCP_NODELAY, 1)
    handle.setopt(pycurl.PROXY, "")
    handle.setopt(pycurl.POST, 1)
    # An empty Expect: with "100-continue" libcurl would wait for an answer.
    handle.setopt(pycurl.HTTPHEADER, ["Expect:", "Content-Type: application/octet-stream"])
    handle.setopt(pycurl.POSTFIELDS, BODY)
    handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    if not pooled:
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
    return handle


def _curl_call(handle: pycurl.Curl) -> None:
    for _ in range(REQUESTS_PER_CALL):
        handle.perform()
        if handle.getinfo(pycurl.RESPONSE_CODE) != 200:
            raise RuntimeError(f"answered {handle.getinfo(pycurl.RESPONSE_CODE)}")


def _processor_time(call: Callable[[], None]) -> float:
    """Returns user and system time of all threads during the call, in µs for each request."""
    gc.collect()
    begun = time.process_time()
    call()
    return (time.process_time() - begun) / REQUESTS_PER_CALL * 1e6


def processor_time(*, pooled: bool, resumption: bool = False, rounds: int = 15) -> Figures:
    """Measures POSTs of 4 KB over TLS 1.3, sequentially, by thaw and by libcurl, 100 requests a call."""
    with contextlib.ExitStack() as stack:
        intake = stack.enter_context(benchmark_intake(tickets=resumption))
        url = intake.url + "/post"
        options = client_options(
            intake,
            max_idle_per_host=4 if pooled else 0,
            share_within_flush=pooled,
            tls_session_resumption=resumption,
            tcp_nodelay=True,
        )
        client = stack.enter_context(thaw.Client(options))
        handle = _curl_handle(url, intake, pooled=pooled, resumption=resumption)
        stack.callback(handle.close)
        ours, theirs = [], []
        for number in range(rounds + 1):
            mine = _processor_time(lambda: _thaw_call(client, url))
            other = _processor_time(lambda: _curl_call(handle))
            if number:  # the first of each loads code and opens what is pooled
                ours.append(mine)
                theirs.append(other)
        connections = client.connections
        requests = (rounds + 1) * REQUESTS_PER_CALL
        opened = connections.opened
        if opened != (1 if pooled else requests):
            raise RuntimeError(f"{opened} connections for {requests} requests, pooled: {pooled}")
        return {
            "pooled": pooled,
            "resumption": resumption,
            "rounds": rounds,
            "thaw_us": statistics.median(ours),
            "pycurl_us": statistics.median(theirs),
            "ratio": statistics.median(ours) / statistics.median(theirs),
            "ratios_of_rounds": sorted(mine / other for mine, other in zip(ours, theirs, strict=True)),
            "tls_full": connections.tls_full,
            "tls_resumed": connections.tls_resumed,
            "pycurl": pycurl.version,
        }
