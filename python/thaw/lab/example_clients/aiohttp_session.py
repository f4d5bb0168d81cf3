"""aiohttp with one session. Between flushes its event loop does not run, as in a synchronous handler."""

from __future__ import annotations

import ssl

import aiohttp

from thaw import lab

session: aiohttp.ClientSession | None = None


@lab.arm("aiohttp", "aiohttp with a session, all payloads of a flush at once", concurrent=True)
async def send(post: lab.Post) -> int:
    global session
    if session is None:
        trusted = ssl.create_default_context(cafile=post.ca_file)
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted))
    limit = aiohttp.ClientTimeout(total=post.timeout)
    async with session.post(post.url, data=post.body, headers=post.headers, timeout=limit) as answer:
        return answer.status
