"""A release's folder has what was built, its digests, and the same bytes from any checkout."""

from __future__ import annotations

import hashlib
import pathlib
import subprocess

import pytest

from tools import make_layer, make_release, make_sbom, make_wheel, pythons, third_party_rules

ROOT = pathlib.Path(__file__).resolve().parent.parent

TAGS = ["cp311", "cp312"]


def built(root: pathlib.Path) -> list[make_release.Artefact]:
    """Packs a stand-in for each executable and module where Bazel would, by the tools that Bazel runs."""
    wanted = list(make_release.artefacts(["layers", "wheels"], TAGS, ["x86_64", "aarch64"]))
    for artefact in wanted:
        output = root / artefact.source
        output.parent.mkdir(parents=True, exist_ok=True)
        if output.suffix == ".zip":
            make_layer.write_layer(output, "datadog-agent", b"\x7fELF of " + artefact.name.encode())
        elif output.suffix == ".whl":
            tag = output.stem.split("-", 2)[2]
            files = {"thaw/_native.so": b"\x7fELF", "thaw/__init__.py": b""}
            make_wheel.write_wheel(output, files, name="thaw-lambda", version="0.1.0", tag=tag)
        elif output.suffix == ".json":
            make_sbom.main(
                [
                    *("--artefact", "layer", "--name", "thaw-layer", "--version", "0.1.0"),
                    *("--output", str(output), "--table", str(ROOT / third_party_rules.TABLE)),
                    *("--dependencies", str(ROOT / third_party_rules.DEPS)),
                ]
            )
        else:
            output.write_bytes((ROOT / artefact.source).read_bytes())
    return wanted


def test_two_builds_in_two_folders_are_equal(tmp_path: pathlib.Path) -> None:
    folders = []
    for name in ("one", "another"):
        checkout = tmp_path / name
        folders.append(checkout / "dist")
        make_release.collect(built(checkout), checkout, folders[-1])
    assert make_release.differences(*folders) == []
    names = {file.name for file in folders[0].iterdir()}
    assert {make_release.SUMS, "LICENSE", "NOTICE"} < names
    assert sum(name.endswith(".whl") for name in names) == 4
    assert sum(name.endswith(".zip") for name in names) == 2
    # A byte that differs is found, and so is a file that one of the two lacks.
    (folders[1] / "LICENSE").write_text("another's")
    (folders[0] / "NOTICE").unlink()
    assert make_release.differences(*folders) == ["LICENSE", "NOTICE"]


def test_the_digests_are_those_of_the_files(tmp_path: pathlib.Path) -> None:
    dist = tmp_path / "dist"
    make_release.collect(built(tmp_path), tmp_path, dist)
    check = subprocess.run(["sha256sum", "--check", "--strict", make_release.SUMS], cwd=dist, check=False)
    assert check.returncode == 0
    lines = (dist / make_release.SUMS).read_text().splitlines()
    assert len(lines) == len(list(dist.iterdir())) - 1
    digest, _, name = lines[0].partition("  ")
    assert digest == hashlib.sha256((dist / name).read_bytes()).hexdigest()


def test_a_release_that_lacks_a_file_leaves_the_previous_one(tmp_path: pathlib.Path) -> None:
    dist = tmp_path / "dist"
    wanted = built(tmp_path)
    make_release.collect(wanted, tmp_path, dist)
    before = (dist / make_release.SUMS).read_text()
    (tmp_path / wanted[0].source).unlink()
    with pytest.raises(FileNotFoundError):
        make_release.collect(wanted, tmp_path, dist)
    assert (dist / make_release.SUMS).read_text() == before
    assert {path.name for path in tmp_path.iterdir()} == {"bazel-bin", "dist", "LICENSE", "NOTICE"}


def test_a_dry_run_lists_and_builds_nothing(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_release, "BAZEL", "/nonexistent/bazel")
    monkeypatch.setattr(
        pythons, "find", lambda each: None if each == "3.13" else pathlib.Path("/usr/bin/python3")
    )
    arguments = ["--dry-run", "--output", str(tmp_path / "dist"), "--processor", "x86_64"]
    assert make_release.main(arguments) == 0
    told = capsys.readouterr().out
    version = (ROOT / "VERSION").read_text().strip()
    assert f"thaw-layer-{version}-x86_64.zip  from //cc:layer" in told
    assert f"thaw_lambda-{version}-cp312-cp312-manylinux2014_x86_64" in told
    assert "arm64" not in told
    assert "cp313" not in told
    assert "left out: a wheel, since this machine has no CPython 3.13 with its headers" in told
    assert not (tmp_path / "dist").exists()


def test_a_build_that_fails_is_one_line(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_release, "BAZEL", "false")
    arguments = ["--only", "layers", "--processor", "x86_64", "--output", str(tmp_path / "dist")]
    assert make_release.main(arguments) == 1
    assert capsys.readouterr().err.startswith("release: bazel build //cc:layer ")
    assert not (tmp_path / "dist").exists()
