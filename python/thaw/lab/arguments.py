"""Types of the commands' arguments: numbers with bounds, files that exist, files that can be written.

    parser = Parser(prog="python -m thaw.lab")
    parser.add_argument("--freeze", type=number(0, 3600, "seconds"))
    parser.add_argument("--json", type=output_file)

A wrong value ends the command before it does anything, with exit code 2 and one line that names the argument.
Nothing here needs more than the standard library.
"""

from __future__ import annotations

import argparse
import math
import os
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

# A seed is kept in 64 bits, with a sign.
MOST_SEED = (1 << 63) - 1


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see --help)\n")


def help_only(arguments: Sequence[str], commands: Sequence[str]) -> list[str]:
    """The arguments; where they ask for help, wherever that stands, only the command and `--help`.

    What follows `--` belongs to another program.
    """
    mine = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    if not {"--help", "-h"} & set(mine):
        return list(arguments)
    return [*(each for each in mine[:1] if each in commands), "--help"]


def integer(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return value

    return parse


seed = integer(0, MOST_SEED)


def number(least: float, most: float, unit: str, *, above: bool = False) -> Callable[[str], float]:
    """A finite number within bounds; with `above`, more than `least`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {unit}") from None
        if not (math.isfinite(value) and least <= value <= most and not (above and value == least)):
            bounds = f"above {least:g} and up to {most:g}" if above else f"from {least:g} to {most:g}"
            raise argparse.ArgumentTypeError(f"{text} is not {bounds} {unit}")
        return value

    return parse


def several(parse: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Values with commas between them."""
    return lambda text: [parse(each.strip()) for each in text.split(",")]


def one_of(known: Sequence[str], what: str) -> Callable[[str], str]:
    """One of the names that are known."""

    def parse(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"there is no {what} {text!r}; there are {', '.join(known)}")
        return text

    return parse


def checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Makes an argument's type of a parser whose ValueError says what is wrong."""

    def parse_or_say(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_or_say


# -- Files -------------------------------------------------------------------------------------------------


def input_file(text: str) -> pathlib.Path:
    """A file that can be read."""
    path = pathlib.Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, not a file")
    if not os.access(path, os.R_OK):
        raise argparse.ArgumentTypeError(f"{text} can't be read")
    return path


def input_path(text: str) -> pathlib.Path:
    """A file or a folder that can be read."""
    path = pathlib.Path(text)
    return path if path.is_dir() else input_file(text)


def input_folder(text: str) -> pathlib.Path:
    """A folder that is there."""
    path = pathlib.Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder that exists")
    return path


def program(text: str) -> pathlib.Path:
    """An executable file."""
    path = input_file(text)
    if not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{text} is not executable")
    return path


def output_file(text: str) -> pathlib.Path:
    """A file that can be written: its folder is there, and the file is not made by asking."""
    path = pathlib.Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, not a file")
    if path.exists():
        if not os.access(path, os.W_OK):
            raise argparse.ArgumentTypeError(f"{text} can't be written")
        return path
    _check_writable(path.parent, text)
    return path


def new_file(text: str) -> pathlib.Path:
    """As `output_file`, where the folders above it may yet have to be made."""
    path = pathlib.Path(text)
    return output_file(text) if path.parent.exists() else output_folder(text)


def output_folder(text: str) -> pathlib.Path:
    """A folder that files can be written into; it, and those above it, may yet have to be made."""
    path = pathlib.Path(text)
    above = path
    while not above.exists() and above != above.parent:
        above = above.parent
    _check_writable(above, text)
    return path


def _check_writable(folder: pathlib.Path, wanted: str) -> None:
    if not folder.exists():
        raise argparse.ArgumentTypeError(f"{wanted}: the folder {folder} does not exist")
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{wanted}: {folder} is not a folder")
    try:
        # Permission bits say too little: root has them all, and a file system may be read-only.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{wanted}: nothing can be written in {folder}: {error.strerror}"
        ) from error


def require_different(parser: argparse.ArgumentParser, **outputs: pathlib.Path | None) -> None:
    """Ends the command if two outputs are one file."""
    named: dict[pathlib.Path, str] = {}
    for name, path in outputs.items():
        if path is None or not (path.is_file() or not path.exists()):
            continue
        other = named.setdefault(path.resolve(), name)
        if other != name:
            parser.error(f"--{name} and --{other} are the same file: {path}")
