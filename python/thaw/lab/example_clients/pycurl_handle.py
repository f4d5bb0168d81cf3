"""libcurl by pycurl, over HTTP/1.1 and over HTTP/2: one handle that is used for every payload."""

from __future__ import annotations

import io

import pycurl

from thaw import lab


class Handle:
    """One handle; libcurl keeps its connection from one payload to the next."""

    version = pycurl.CURL_HTTP_VERSION_1_1

    def __init__(self) -> None:
        self._handle = handle = pycurl.Curl()
        handle.setopt(pycurl.HTTP_VERSION, self.version)
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.TCP_NODELAY, 1)

    def __call__(self, post: lab.Post) -> int:
        handle = self._handle
        handle.setopt(pycurl.URL, post.url)
        handle.setopt(pycurl.CAINFO, post.ca_file)
        handle.setopt(pycurl.TIMEOUT_MS, int(post.timeout * 1000))
        handle.setopt(
            pycurl.HTTPHEADER, [f"{name}: {post.headers[name]}" for name in post.headers] + ["Expect:"]
        )
        handle.setopt(pycurl.POSTFIELDS, post.body)
        handle.setopt(pycurl.WRITEDATA, io.BytesIO())
        handle.perform()
        return int(handle.getinfo(pycurl.RESPONSE_CODE))


@lab.arm("pycurl", "libcurl over HTTP/1.1, one handle reused")
class Http1(Handle):
    pass


@lab.arm("pycurl-http2", "libcurl over HTTP/2, one handle reused")
class Http2(Handle):
    version = pycurl.CURL_HTTP_VERSION_2_0
