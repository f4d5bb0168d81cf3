"""Clients of your own as arms: a Python callable, or a command line, that sends one payload.

    import requests
    from thaw import lab

    session = requests.Session()

    @lab.arm("session", "requests with a session")
    def send(post: lab.Post) -> int:
        return session.post(post.url, data=post.body, headers=post.headers, verify=post.ca_file,
                            timeout=post.timeout).status_code

In a file `client.py` this is arm `client.py:session` of every experiment:

    python -m thaw.lab compare --arms thaw,client.py

docs/bring-your-own.md has the contract. Nothing here needs more than the standard library.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import pathlib
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from thaw.lab import parent_death

SUFFIX = ".py"
PLACEHOLDERS = ("{url}", "{ca_file}", "{body_file}", "{headers_file}", "{timeout}")

_MARK = "__thaw_arm__"
_GRACE = 1.0  # seconds that a command has beyond its timeout, to say itself that it ran into it

Client = TypeVar("Client")


@dataclass(frozen=True)
class Post:
    """One payload, and where it goes. A client sends `body` as it is, by POST.

    Attributes:
      url: the URL at the intake to which the payload is sent.
      headers: the headers to send with the body.
      ca_file: the certificates to trust; the intake's is signed by one of them.
      timeout: the seconds after which the payload counts as not delivered.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    ca_file: str
    timeout: float


@dataclass(frozen=True)
class OwnClient:
    """A client as a file declares it; `make` makes what is called for each payload."""

    name: str
    text: str
    concurrent: bool
    make: Callable[[], Callable[[Post], Any]]


def arm(name: str, text: str = "", *, concurrent: bool = False) -> Callable[[Client], Client]:
    """Declares a client as the arm `FILE.py:name`, where FILE.py is the file that it stands in.

    Args:
      name: letters, digits, dots, underscores and hyphens.
      text: one line for tables and pages.
      concurrent: the payloads of a flush are sent at once; for coroutine functions.

    What is decorated is called with a `Post` for each payload, in a process of its own, and returns the
    answer's status or raises. A class is instantiated there once, without arguments, and its instance is
    called. A coroutine function is awaited, always in the same event loop.
    """
    if not isinstance(name, str):
        raise TypeError('lab.arm is used without a name; write @lab.arm("NAME")')
    if not name or not all(sign.isalnum() or sign in "._-" for sign in name):
        raise ValueError(f"an arm's name is {name!r}, not letters, digits, dots, underscores and hyphens")

    def declare(client: Client) -> Client:
        called = _call_of(client if isinstance(client, type) else type(client))
        if called is None:
            raise TypeError(f"the arm {name} can't be called: it is no function, and no class with __call__")
        if concurrent and not any(map(inspect.iscoroutinefunction, (client, called))):
            raise TypeError(f"the arm {name} is concurrent, and no coroutine function (async def)")
        setattr(client, _MARK, (name, text or f"{name}, a client of your own", concurrent))
        return client

    return declare


def _call_of(kind: type) -> Any:
    """Returns what a call of a class's instance runs, or None."""
    return next((vars(each)["__call__"] for each in kind.__mro__ if "__call__" in vars(each)), None)


def load(path: str) -> dict[str, OwnClient]:
    """Runs a file and returns the clients that it declares, by their names, in its order.

    ValueError says why there are none: the file is missing or raises, or declares nothing.
    """
    file = pathlib.Path(path)
    if not file.is_file():
        raise ValueError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(f"thaw_own_client_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # of code that the user wrote, of any type
        raise ValueError(f"{path} can't be used: {type(error).__name__}: {error}") from error
    found: dict[str, OwnClient] = {}
    for value in vars(module).values():
        # An instance of a decorated class has its mark, too.
        if _MARK not in getattr(value, "__dict__", {}):
            continue
        name, text, concurrent = getattr(value, _MARK)
        if name in found:
            raise ValueError(f"{path} declares the arm {name} twice")
        found[name] = OwnClient(name, text, concurrent, _maker(value))
    if not found:
        raise ValueError(f"{path} declares no arm: nothing in it is decorated by thaw.lab.arm")
    return found


def _maker(value: Any) -> Callable[[], Callable[[Post], Any]]:
    return value if isinstance(value, type) else lambda: value


def split(text: str) -> tuple[str, str] | None:
    """Splits `FILE.py:NAME` or `FILE.py` into file and name; None for any other text."""
    file, colon, name = text.rpartition(":")
    if colon and file.endswith(SUFFIX):
        return file, name
    return (text, "") if text.endswith(SUFFIX) else None


class Command:
    """A client that runs a command line for each payload.

    Words are split as by a shell, without one. In each word these are replaced: {url}, {ca_file}, {timeout};
    {body_file} and {headers_file}: files with the body, and with one header in each line. Exit code 0 means
    that it was sent; the last word of its output is then the status, if it has three digits, or else the
    payload counts as accepted.

    >>> Command("curl -sS {urll}")
    Traceback (most recent call last):
    ...
    ValueError: the command 'curl -sS {urll}' has no {url}
    """

    def __init__(self, command: str) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"the command {command!r} can't be split into words: {error}") from None
        if not any("{url}" in word for word in self._words):
            raise ValueError(f"the command {command!r} has no {{url}}")

    def __call__(self, post: Post) -> int:
        headers = "".join(f"{name}: {value}\n" for name, value in post.headers.items())
        with _memory_file(post.body) as body, _memory_file(headers.encode()) as head:
            values = (post.url, post.ca_file, body.path, head.path, f"{post.timeout:g}")
            done = subprocess.run(
                [_filled(word, dict(zip(PLACEHOLDERS, values, strict=True))) for word in self._words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                pass_fds=(body.number, head.number),
                timeout=post.timeout + _GRACE,
                preexec_fn=parent_death.end_with_parent,
            )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            raise OSError(f"{self._words[0]} ended with {done.returncode}: {said[-1]}")
        words = done.stdout.decode(errors="replace").split()
        last = words[-1][-3:] if words else ""
        return int(last) if len(last) == 3 and last.isdigit() else 202


def _filled(word: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word


class _memory_file:  # noqa: N801  used as a function
    """A file without a name, which another process opens by its path: nothing is left behind by a kill."""

    def __init__(self, content: bytes) -> None:
        self.number = os.memfd_create("thaw-lab")
        with open(self.number, "wb", closefd=False) as file:
            file.write(content)
        self.path = f"/dev/fd/{self.number}"

    def __enter__(self) -> _memory_file:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)
