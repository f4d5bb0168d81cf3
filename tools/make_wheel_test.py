"""The wheel writer: its output follows PEP 427, byte for byte the same each time."""

import base64
import csv
import hashlib
import pathlib
import zipfile

import pytest

from tools.make_wheel import locked_requirements, write_wheel

FILES = {"toy/__init__.py": b"ANSWER = 42\n", "toy/_native.so": b"\x7fELF", "toy/py.typed": b""}


@pytest.fixture
def wheel(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "toy-1.0-py3-none-any.whl"
    write_wheel(
        path,
        FILES,
        name="toy",
        version="1.0",
        tag="py3-none-any",
        summary="A toy.",
        extras={"lab": ["rich>=15.0.0"]},
        scripts={"toy": "toy:main"},
        readme="# Toy\n",
        licence_expression="Apache-2.0 AND MIT",
        licences={"NOTICE": b"Others' work.", "LICENSE": b"Ours."},
    )
    return path


def test_the_same_files_give_the_same_bytes(tmp_path: pathlib.Path) -> None:
    paths = [tmp_path / "a.whl", tmp_path / "b.whl"]
    for path, files in zip(paths, (FILES, dict(reversed(FILES.items()))), strict=True):
        write_wheel(path, files, name="toy", version="1.0", tag="py3-none-any")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_record_lists_every_file_with_its_digest(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        rows = list(csv.reader(archive.read("toy-1.0.dist-info/RECORD").decode().splitlines()))
        assert {row[0] for row in rows} == set(archive.namelist())
        assert set(FILES) < set(archive.namelist())
        for path, digest, size in rows:
            if path.endswith("RECORD"):
                assert (digest, size) == ("", "")
                continue
            data = archive.read(path)
            want = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={want}", str(len(data)))


def test_metadata_names_what_it_needs(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("toy-1.0.dist-info/METADATA").decode()
        assert "Name: toy\nVersion: 1.0\n" in metadata
        assert 'Provides-Extra: lab\nRequires-Dist: rich>=15.0.0 ; extra == "lab"\n' in metadata
        assert metadata.endswith("\n\n# Toy\n")
        assert archive.read("toy-1.0.dist-info/entry_points.txt") == b"[console_scripts]\ntoy = toy:main\n"


def test_licences_are_among_the_records_and_metadata_names_them(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("toy-1.0.dist-info/METADATA").decode()
        assert archive.read("toy-1.0.dist-info/licenses/NOTICE") == b"Others' work."
        assert archive.read("toy-1.0.dist-info/licenses/LICENSE") == b"Ours."
    assert metadata.startswith("Metadata-Version: 2.4\n")
    assert "License-Expression: Apache-2.0 AND MIT\nLicense-File: LICENSE\nLicense-File: NOTICE\n" in metadata


def test_only_programs_are_executable(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["toy/_native.so"] == 0o100755
    assert modes["toy/__init__.py"] == 0o100644


def test_an_extra_takes_its_version_from_the_pins() -> None:
    assert locked_requirements("a==1.2\nb\nc==3\n", ["c", "a"]) == ["c>=3", "a>=1.2"]
    with pytest.raises(KeyError, match="b"):
        locked_requirements("a==1.2\nb\n", ["b"])
