"""Ends interpreters while daemon threads are inside of a native call: 20 children, one after another.

`python interpreter_end.py URL CALL` prints how each child ended: its exit code, or minus its signal.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import msgpack

import thaw

RUNS = 20
THREADS = 4
BODY: bytes = msgpack.packb([[{"span_id": number} for number in range(1, 50)]])


async def send_once(client: thaw.Client, url: str) -> None:
    await client.send_async(url)


def repeat(url: str, call: str, begun: threading.Semaphore) -> None:
    """Repeats a call until the thread ends."""
    client = thaw.Client(thaw.ClientOptions(max_attempts=1))
    flusher = thaw.TraceFlusher(client, url, "key")
    names = {
        "asyncio": asyncio,
        "body": BODY,
        "client": client,
        "clock": thaw.FakeClock(),
        "flusher": flusher,
        "logs": thaw.LogsFlusher(client, url, "key"),
        "metrics": thaw.MetricsFlusher(client, url, "key"),
        "payload": thaw.TracePayload.from_msgpack(BODY),
        "request": thaw.Request(url, b"x"),
        "send_once": send_once,
        "thaw": thaw,
        "url": url,
    }
    code = compile(call, "<call>", "exec")
    exec(code, names)
    begun.release()
    while True:
        exec(code, names)


def main(url: str, call: str) -> None:
    for _ in range(RUNS):
        if child := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            continue
        begun = threading.Semaphore(0)
        for _ in range(THREADS):
            threading.Thread(target=repeat, args=(url, call, begun), daemon=True).start()
        for _ in range(THREADS):
            assert begun.acquire(timeout=30)
        return  # to the end of this child's interpreter


if __name__ == "__main__":
    main(*sys.argv[1:])
