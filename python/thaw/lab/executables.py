"""The places of the programs that experiments run: of a checkout's `bazel build`, or of the wheel."""

from __future__ import annotations

import os
import pathlib
import re

_CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
_IN_CHECKOUT = (_CHECKOUT / "WORKSPACE").exists()
_BIN = _CHECKOUT / "bazel-bin"
# A static executable for each of Lambda's processors, by the name that the kernel gives this machine's.
_OF_WHEEL = pathlib.Path(__file__).with_name("extension") / os.uname().machine

EXTENSION = _BIN / "cc" / "extension" / "datadog-agent" if _IN_CHECKOUT else _OF_WHEEL / "datadog-agent"
LOAD_GENERATOR = _BIN / "tools" / "load_generator" / "load_generator"  # //tools/load_generator

# The ports of the extension: for traces, for calls of tracers, for telemetry. Tracers and the platform
# expect these numbers.
EXTENSION_PORTS = (8126, 8124, 8999)


_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)", re.DOTALL)


def named_extension(text: str) -> tuple[str, pathlib.Path]:
    """Returns the name and the executable of `NAME=FILE`; without a name, thaw's. ValueError: as
    `extension`.
    """
    found = _NAMED.fullmatch(text)
    return (found[1], extension(found[2])) if found else ("thaw", extension(text))


def extension(text: str) -> pathlib.Path:
    """Returns the named executable. ValueError says why it can't be used, and how to build one."""
    path = pathlib.Path(text)
    try:
        is_file = path.is_file()
    except OSError as error:
        raise ValueError(f"{text[:100]}… can't be a path here: {error.strerror}") from None
    if is_file:
        with path.open("rb") as file:
            begin = file.read(4)
        if begin == b"\x7fELF" or begin.startswith(b"#!"):
            return path
        raise ValueError(f"{text} is not a program")
    if path.is_dir():
        raise ValueError(f"{text} is a folder, not an executable")
    if path != EXTENSION:
        raise ValueError(f"{text} does not exist")
    if _IN_CHECKOUT:
        raise ValueError(f"{text} does not exist; bazel build //cc:extension builds it")
    raise ValueError(
        f"the package has no executable of the extension for this processor ({os.uname().machine}); name one"
        " with --extension FILE (in a layer it is extensions/datadog-agent, and a checkout makes it by"
        " bazel build //cc:extension)"
    )
