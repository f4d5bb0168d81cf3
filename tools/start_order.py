"""Writes the order in which the linker lays out functions: those first that run up to the first /next.

    python -m tools.start_order datadog-agent

A function's environment starts with reading the executable, a window of pages at a time wherever a function
lies that is called: with those of the start beside each other, half as much is read. The program has its
symbols: it is linked as bazel-out/.../cc/extension/datadog-agent-2.params says, without -Wl,-s, from the
folder that `bazel info execution_root` names. Valgrind's callgrind (apt: valgrind) says which of its
functions run; a stand-in answers for Lambda, and the extension's own ports are free. The names are sorted,
since their order among each other makes no difference. The linker passes over a name that no longer exists,
so the list may be older than the code.
"""

from __future__ import annotations

import argparse
import http.server
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time

LIST = pathlib.Path(__file__).parents[1] / "toolchains/zig/start_order.txt"
FUNCTION = re.compile(r"^c?fn=\(\d+\) (?P<name>\S+?)(?:'\d+)?$", re.MULTILINE)


def functions(profile: str, symbols: set[str]) -> list[str]:
    """Returns the names in a profile of callgrind that are symbols, sorted."""
    return sorted({found["name"] for found in FUNCTION.finditer(profile)} & symbols)


class Lambda(http.server.ThreadingHTTPServer):
    """Answers the calls up to the first /next, which it does not answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked_for_next = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Lambda

    def do_GET(self) -> None:
        self.server.asked_for_next.set()
        time.sleep(3600)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Lambda-Extension-Identifier", "3e1b2c3d-0000-4000-8000-000000000001")
        body = b'{"functionName":"f","functionVersion":"$LATEST","handler":"h","accountId":"123456789012"}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:
        pass


def profile_of_start(program: pathlib.Path, folder: pathlib.Path) -> str:
    service = Lambda()
    variables = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{service.server_address[1]}",
        "AWS_REGION": "eu-west-1",
        "DD_API_KEY": "0123456789abcdef0123456789abcdef",
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
    }
    command = [
        "valgrind",
        "--tool=callgrind",
        "--demangle=no",
        f"--callgrind-out-file={folder}/profile",
        str(program),
    ]
    extension = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)
    try:
        if not service.asked_for_next.wait(timeout=60):
            raise SystemExit("the extension did not call /next within a minute")
        time.sleep(1)
        subprocess.run(["callgrind_control", "--dump", str(extension.pid)], check=True, capture_output=True)
    finally:
        extension.kill()
        extension.wait()
    return "".join(part.read_text() for part in sorted(folder.glob("profile*")))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=pathlib.Path, help="the executable, with symbols")
    program = parser.parse_args().program.resolve()
    listed = subprocess.run(
        ["nm", "--format=posix", program], capture_output=True, text=True, check=True
    ).stdout
    symbols = {line.split(" ", 1)[0] for line in listed.splitlines()}
    with tempfile.TemporaryDirectory() as folder:
        names = functions(profile_of_start(program, pathlib.Path(folder)), symbols)
    LIST.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    print(f"{LIST}: {len(names)} functions")


if __name__ == "__main__":
    main()
