"""httpx over HTTP/2: the payloads of a flush are streams of one connection."""

from __future__ import annotations

import ssl

import httpx

from thaw import lab


@lab.arm("httpx", "httpx over HTTP/2, all payloads of a flush at once", concurrent=True)
class OneConnection:
    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, post: lab.Post) -> int:
        if self._client is None:
            trusted = ssl.create_default_context(cafile=post.ca_file)
            self._client = httpx.AsyncClient(http2=True, verify=trusted, trust_env=False)
        answer = await self._client.post(
            post.url, content=post.body, headers=dict(post.headers), timeout=post.timeout
        )
        return answer.status_code
