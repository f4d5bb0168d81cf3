"""Makes what is published: run by tools/release.

The folder then has the Lambda layers for both processors, the wheels for each CPython whose headers the
machine has, what each contains (CycloneDX), the licences, and SHA256SUMS, which `sha256sum --check` reads.
Equal sources give equal bytes, wherever and whenever they are built.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from tools import pythons

ROOT = pathlib.Path(__file__).resolve().parent.parent
BAZEL = os.environ.get("BAZEL", "bazel")
SUMS = "SHA256SUMS"

# The processors: Bazel's name of the layer, and Lambda's name of the architecture.
_LAYERS = {"x86_64": ("layer", "x86_64"), "aarch64": ("layer_arm64", "arm64")}
_PLATFORM: str = runpy.run_path(str(ROOT / "tools" / "wheel_platform.bzl"))["WHEEL_PLATFORM"]


@dataclasses.dataclass(frozen=True)
class Artefact:
    """A published file. `label`: the target that makes it, or empty for a file of the sources."""

    name: str
    source: pathlib.Path
    label: str = ""


def version() -> str:
    return (ROOT / "VERSION").read_text().strip()


def artefacts(parts: Sequence[str], tags: Sequence[str], processors: Sequence[str]) -> Iterator[Artefact]:
    """Yields what a release has. `tags`: of the CPythons that wheels are made for, such as cp312."""
    built = pathlib.Path("bazel-bin")
    if "layers" in parts:
        for processor in processors:
            target, architecture = _LAYERS[processor]
            name = f"thaw-layer-{version()}-{architecture}.zip"
            yield Artefact(name, built / "cc" / f"{target}.zip", f"//cc:{target}")
        yield Artefact(
            f"thaw-layer-{version()}.cdx.json", built / "cc" / "thaw-layer.cdx.json", "//cc:layer_sbom"
        )
    if "wheels" in parts:
        for tag in tags:
            for processor in processors:
                name = f"thaw_lambda-{version()}-{tag}-{tag}-{_PLATFORM.format(processor)}.whl"
                yield Artefact(name, built / "python" / name, f"//python:wheel_{tag}_{processor}")
        yield Artefact(
            f"thaw_lambda-{version()}.cdx.json",
            built / "python" / "thaw-lambda.cdx.json",
            "//python:wheel_sbom",
        )
    for name in ("LICENSE", "NOTICE"):
        yield Artefact(name, pathlib.Path(name))


def checksums(folder: pathlib.Path) -> str:
    """Returns the lines of SHA256SUMS for every other file of the folder."""
    files = sorted(file for file in folder.iterdir() if file.name != SUMS)
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def collect(wanted: Sequence[Artefact], root: pathlib.Path, folder: pathlib.Path) -> None:
    """Fills the folder, which is made anew, with the artefacts of a checkout that has built them.

    The folder is filled under another name, so that a release that stops half-way leaves the previous one.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        made = pathlib.Path(scratch) / folder.name
        made.mkdir()
        for artefact in wanted:
            shutil.copyfile(root / artefact.source, made / artefact.name)
        (made / SUMS).write_text(checksums(made))
        if folder.exists():
            folder.rename(pathlib.Path(scratch) / "previous")
        made.rename(folder)


def differences(one: pathlib.Path, other: pathlib.Path) -> list[str]:
    """Returns the names of files that are in one folder alone, or whose bytes differ."""
    names = {file.name for folder in (one, other) for file in folder.iterdir()}

    def content(folder: pathlib.Path, name: str) -> bytes | None:
        return (folder / name).read_bytes() if (folder / name).exists() else None

    return sorted(name for name in names if content(one, name) != content(other, name))


class _Failed(Exception):
    """The release can't be made; the text says why."""


class _Steps:
    """Prints which of the steps is being done, and how long each took."""

    def __init__(self, count: int) -> None:
        self._count, self._number = count, 0
        self._since = time.monotonic()

    def begin(self, what: str) -> None:
        self._number += 1
        self._since = time.monotonic()
        print(f"[{self._number}/{self._count}] {what}", flush=True)

    def end(self, result: str) -> None:
        print(f"      {result} ({time.monotonic() - self._since:.0f} s)", flush=True)


def _build(labels: Sequence[str], root: pathlib.Path, options: Sequence[str] = ()) -> None:
    plain = ("--color=no", "--curses=no", "--show_progress_rate_limit=30")
    if subprocess.run([BAZEL, "build", *plain, *options, *labels], cwd=root, check=False).returncode:
        raise _Failed(f"bazel build {' '.join(labels)} failed in {root}")


def _build_again(labels: Sequence[str], folder: pathlib.Path) -> None:
    """Builds this commit in a new clone, without anything that was compiled before."""
    if folder.exists():
        raise _Failed(f"{folder} exists already; --verify makes the folder itself")
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no"], cwd=ROOT, capture_output=True, text=True
    )
    if changed.returncode or changed.stdout:
        raise _Failed("--verify compares with a clone of the last commit, and files here differ from it")
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    if (ROOT / ".bazelrc.user").exists():
        shutil.copy(ROOT / ".bazelrc.user", folder)
    _build(labels, folder, ["--disk_cache="])


def _left_out(parts: Sequence[str]) -> list[str]:
    if "wheels" not in parts:
        return []
    return [pythons.why_not(each) for each in pythons.VERSIONS if pythons.find(each) is None]


def release(options: argparse.Namespace) -> None:
    tags = [pythons.tag(each) for each in pythons.VERSIONS if pythons.find(each) is not None]
    wanted = list(artefacts(options.parts, tags, options.processors))
    labels = [artefact.label for artefact in wanted if artefact.label]
    for reason in _left_out(options.parts):
        print(f"left out: a wheel, since {reason}")
    if options.dry_run:
        print(f"version {version()}; into {options.output}:")
        for artefact in wanted:
            print(f"  {artefact.name}  from {artefact.label or artefact.source}")
        print(f"  {SUMS}")
        return
    steps = _Steps(4 if options.verify else 2)
    steps.begin(f"building {len(labels)} targets; the first build for a processor takes a quarter of an hour")
    _build(labels, ROOT)
    steps.end("built")
    steps.begin(f"collecting into {options.output}")
    collect(wanted, ROOT, options.output)
    steps.end(f"{len(wanted)} files and {SUMS}")
    if options.verify:
        steps.begin(f"building all again in {options.verify}, from nothing")
        _build_again(labels, options.verify)
        steps.end("built")
        steps.begin("comparing")
        again = options.verify / "dist"
        collect(wanted, options.verify, again)
        if different := differences(options.output, again):
            raise _Failed(f"two builds differ: {', '.join(different)}")
        steps.end("equal, byte for byte")
    print((options.output / SUMS).read_text(), end="")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path("dist"), metavar="FOLDER", help="default: dist"
    )
    parser.add_argument(
        "--only", choices=["layers", "wheels"], help="makes only layers, or only wheels (default: both)"
    )
    parser.add_argument(
        "--processor",
        choices=_LAYERS,
        action="append",
        help="makes only what is for this processor (default: both)",
    )
    parser.add_argument("--dry-run", action="store_true", help="prints what would be made, and stops")
    parser.add_argument(
        "--verify",
        type=pathlib.Path,
        metavar="FOLDER",
        help="builds all a second time in a clone at FOLDER, from nothing, and compares every byte",
    )
    options = parser.parse_args(arguments)
    options.parts = [options.only] if options.only else ["layers", "wheels"]
    options.processors = options.processor or list(_LAYERS)
    options.output = options.output.resolve()
    options.verify = options.verify.resolve() if options.verify else None
    try:
        release(options)
    except (_Failed, OSError, subprocess.CalledProcessError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("release: stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
