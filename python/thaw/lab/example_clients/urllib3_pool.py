"""urllib3 with one pool, which keeps its connection from one flush to the next; nothing is sent twice."""

from __future__ import annotations

import urllib3

from thaw import lab


@lab.arm("urllib3", "urllib3 with one pool")
class Pool:
    def __init__(self) -> None:
        self._pool: urllib3.PoolManager | None = None

    def __call__(self, post: lab.Post) -> int:
        if self._pool is None:
            self._pool = urllib3.PoolManager(ca_certs=post.ca_file, cert_reqs="CERT_REQUIRED")
        answer = self._pool.request(
            "POST",
            post.url,
            body=post.body,
            headers=dict(post.headers),
            timeout=post.timeout,
            retries=False,
        )
        return answer.status
