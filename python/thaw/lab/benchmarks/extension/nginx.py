"""nginx as the other side of a comparison: it answers 200 to everything and does nothing."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
from collections.abc import Iterator

from thaw.lab.polling import poll

_NGINX_PORT = 18126


@contextlib.contextmanager
def nginx(folder: pathlib.Path) -> Iterator[int | None]:
    """Runs an nginx that answers 200 to everything; gives its port, or None if nginx is not installed."""
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
    if program is None:
        yield None
        return
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "events { worker_connections 64; }\n"
        "http { access_log off; keepalive_requests 100000000; client_body_temp_path " + str(folder) + ";\n"
        f" server {{ listen 127.0.0.1:{_NGINX_PORT}; location / {{ return 200 '{{}}'; }} }} }}\n"
    )
    with subprocess.Popen(
        [program, "-p", str(folder), "-c", str(configuration)], stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for_listener(_NGINX_PORT)
            yield _NGINX_PORT
        finally:
            process.terminate()


def wait_for_listener(port: int, limit: float = 10.0) -> None:
    """Returns when a connection to the port succeeds. TimeoutError after `limit` seconds."""

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    if not poll(listens, limit, every=0.005):
        raise TimeoutError(f"nothing listens on 127.0.0.1:{port} after {limit:g} s")


def nginx_version() -> str:
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
    assert program is not None
    return subprocess.run([program, "-v"], capture_output=True, text=True).stderr.strip().rpartition(" ")[2]
