"""requests with one session, which keeps its connection from one flush to the next."""

from __future__ import annotations

import requests

from thaw import lab


@lab.arm("requests", "requests with a session")
class Session:
    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def __call__(self, post: lab.Post) -> int:
        self._session.verify = post.ca_file
        answer = self._session.post(post.url, data=post.body, headers=post.headers, timeout=post.timeout)
        return answer.status_code
