"""The committed types of the native module are those of the module that was built."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import thaw

PYTHON = pathlib.Path(__file__).resolve().parent.parent


def test_stubs_are_up_to_date():
    # In a process of its own: it puts the module's names elsewhere for a while.
    check = subprocess.run(
        [sys.executable, PYTHON / "bindings" / "generate_stubs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, (
        "run `python python/bindings/generate_stubs.py`\n" + check.stdout + check.stderr
    )


def test_the_package_is_typed():
    assert (PYTHON / "thaw" / "py.typed").exists()


def test_stubs_take_what_the_package_takes(tmp_path: pathlib.Path):
    program = tmp_path / "use.py"
    program.write_text(
        "import asyncio\n"
        "import thaw\n"
        "options = thaw.ClientOptions(max_idle_per_host=4, idle_timeout=1, on_resume='probe')\n"
        "async def send(client: thaw.Client) -> thaw.SendResult:\n"
        "    return await client.send_async('http://127.0.0.1/', b'x', headers={'a': 'b'})\n"
        "with thaw.Client(options) as client:\n"
        "    requests = [thaw.Request('http://127.0.0.1/')]\n"
        "    results: list[thaw.SendResult] = client.send_many(requests, budget=1)\n"
        "    failure: thaw.ExchangeFailure = results[0].failures[0]\n"
        "    seconds: float = failure.idle_for\n"
        "    opened: int = client.connections.opened\n"
    )
    check = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"MYPYPATH": str(PYTHON), "PATH": "/usr/bin:/bin"},
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_version():
    assert thaw.__version__.count(".") == 2
