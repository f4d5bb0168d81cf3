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
import stat
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

# A seed is kept in 64 bits, with a sign.
MOST_SEED = (1 << 63) - 1
# Characters of a message about a wrong value; values may be longer.
_MOST_SHOWN = 1000


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {one_line(message)} (see --help)\n")


def one_line(text: str) -> str:
    """Returns a message as one line for a terminal: control characters are escaped, a long text is cut."""
    line = " ".join(text.split())
    shown = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line[:_MOST_SHOWN])
    return shown if len(line) <= _MOST_SHOWN else f"{shown}…"


def printable(text: str) -> str:
    """Returns a message for a terminal as it is but for control characters other than the ends of its lines,
    which are escaped.
    """
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)


def help_only(arguments: Sequence[str], commands: Sequence[str]) -> list[str]:
    """Returns the arguments; only the command and `--help` if they ask for help anywhere.

    Arguments after `--` belong to another program.
    """
    mine = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    if not {"--help", "-h"} & set(mine):
        return list(arguments)
    return [*(each for each in mine[:1] if each in commands), "--help"]


def integer(least: int, most: int) -> Callable[[str], int]:
    """Makes the type of a whole number within bounds."""

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
    """Makes the type of a finite number within bounds; with `above`, more than `least`."""

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


def one_of(known: Sequence[str], what: str) -> Callable[[str], str]:
    """Makes the type of one of the known names."""

    def parse(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"there is no {what} {text!r}; there are {', '.join(known)}")
        return text

    return parse


def several_of(known: Sequence[str], what: str) -> Callable[[str], list[str]]:
    """Makes the type of several of the known names, with commas between them."""
    one = one_of(known, what)
    return lambda text: [one(name.strip()) for name in text.split(",")]


def checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Makes an argument's type of a parser whose ValueError says what is wrong."""

    def parse_or_say(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_or_say


# -- Files -------------------------------------------------------------------------------------------------


# The most bytes of a file of events or of a result, so that a wrong name does not fill the memory.
MOST_INPUT_BYTES = 256 << 20


def input_file(text: str) -> pathlib.Path:
    """Accepts a regular file of at most MOST_INPUT_BYTES that can be read."""
    path = _regular_file(text)
    if (size := path.stat().st_size) > MOST_INPUT_BYTES:
        raise argparse.ArgumentTypeError(f"{_shown(text)} has {size} bytes, more than {MOST_INPUT_BYTES}")
    return path


def input_file_or_folder_of(name: str) -> Callable[[str], pathlib.Path]:
    """Makes the type of a file as `input_file` accepts it, or of a folder that has one of that name."""

    def parse(text: str) -> pathlib.Path:
        status = _status(text)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return input_file(text)
        input_file(os.path.join(text, name))
        return pathlib.Path(text)

    return parse


def input_folder(text: str) -> pathlib.Path:
    """Accepts a folder that exists."""
    status = _status(text)
    if status is None or not stat.S_ISDIR(status.st_mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a folder that exists")
    return pathlib.Path(text)


def program(text: str) -> pathlib.Path:
    """Accepts an executable file."""
    path = _regular_file(text)
    if not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not executable")
    return path


def output_file(text: str) -> pathlib.Path:
    """Accepts a regular file that can be written, or a new one in a folder that exists.

    An existing file is opened for writing and left as it is. A new one is not created.
    """
    status = _status(text)
    if status is None:
        target = pathlib.Path(os.path.realpath(text))  # for a dangling link, the file that would be created
        _status(str(target))
        _check_writable(target.parent, text)
        return pathlib.Path(text)
    if stat.S_ISDIR(status.st_mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a regular file")
    try:
        os.close(os.open(text, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{_shown(text)} can't be written: {error.strerror}") from None
    return pathlib.Path(text)


def new_file(text: str) -> pathlib.Path:
    """Accepts a file as `output_file` does, but its folders need not exist yet."""
    parent = pathlib.Path(text).parent
    return (
        output_folder(text) if _status(text) is None and _status(str(parent)) is None else output_file(text)
    )


def output_folder(text: str) -> pathlib.Path:
    """Accepts a folder that files can be written into. The folder, and those above it, need not exist yet."""
    path = pathlib.Path(text)
    above = path
    if _status(text) is None:
        above = path.parent
        while _status(str(above)) is None and above != above.parent:
            above = above.parent
    _check_writable(above, text)
    return path


def output_document(text: str) -> pathlib.Path:
    """Accepts a document: TEXT.md, TEXT.html and the folder TEXT can be written."""
    path = output_folder(text)
    for ending in (".md", ".html"):
        if _status(text + ending) is not None:
            output_file(text + ending)
    return path


def _shown(text: str) -> str:
    """Returns the text for a message: quoted if it has characters that can't be seen, cut if it is long."""
    shown = text if text.isprintable() and text.strip() else repr(text)
    return shown if len(shown) <= 100 else f"{shown[:100]}…"


def _status(text: str) -> os.stat_result | None:
    """Returns the status of the named file, or None. ArgumentTypeError: no file can have the name."""
    if not text:
        raise argparse.ArgumentTypeError("no file is named")
    if "\0" in text:
        raise argparse.ArgumentTypeError(f"{_shown(text)} has a NUL character, which no path has")
    try:
        return os.stat(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise argparse.ArgumentTypeError(f"{_shown(text)} can't be a path here: {reason}") from None


def _regular_file(text: str) -> pathlib.Path:
    status = _status(text)
    if status is None:
        raise argparse.ArgumentTypeError(f"{_shown(text)} does not exist")
    if stat.S_ISDIR(status.st_mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a regular file")
    if not os.access(text, os.R_OK):
        raise argparse.ArgumentTypeError(f"{_shown(text)} can't be read")
    return pathlib.Path(text)


def _check_writable(folder: pathlib.Path, wanted: str) -> None:
    wanted = _shown(wanted)
    try:
        folder_is_there = folder.is_dir()
        something_is_there = folder_is_there or folder.exists()
    except NotADirectoryError:
        folder_is_there = something_is_there = False
    if not something_is_there:
        raise argparse.ArgumentTypeError(f"{wanted}: the folder {_shown(str(folder))} does not exist")
    if not folder_is_there:
        raise argparse.ArgumentTypeError(f"{wanted}: {_shown(str(folder))} is not a folder")
    try:
        # Permission bits say too little: root has them all, and a file system may be read-only.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{wanted}: nothing can be written in {_shown(str(folder))}: {error.strerror}"
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


def add_results(parser: argparse.ArgumentParser, default: pathlib.Path) -> None:
    """Adds `--results`, the folder of measurements that later runs find again."""
    parser.add_argument(
        "--results",
        type=output_folder,
        default=default,
        metavar="FOLDER",
        help="the folder of the measurements, of which none is made twice (default: %(default)s)",
    )
