"""The layer writer: where Lambda looks for an extension, with its run bit, byte for byte the same."""

import pathlib
import stat
import zipfile

import pytest

from tools.make_layer import write_layer

EXECUTABLE = b"\x7fELF and the rest"


def test_the_extension_lies_where_lambda_looks_and_may_run(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "layer.zip"
    write_layer(path, "datadog-agent", EXECUTABLE)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["extensions/datadog-agent"]
        mode = archive.getinfo("extensions/datadog-agent").external_attr >> 16
        assert archive.read("extensions/datadog-agent") == EXECUTABLE
    assert stat.S_ISREG(mode)
    assert stat.S_IMODE(mode) == 0o755


def test_licences_lie_where_lambda_starts_nothing(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "layer.zip"
    write_layer(path, "datadog-agent", EXECUTABLE, {"NOTICE": b"Others' work.", "LICENSE": b"Ours."})
    with zipfile.ZipFile(path) as archive:
        names = [
            "extensions/datadog-agent",
            "licenses/datadog-agent/LICENSE",
            "licenses/datadog-agent/NOTICE",
        ]
        assert archive.namelist() == names
        assert archive.read("licenses/datadog-agent/NOTICE") == b"Others' work."
        mode = archive.getinfo("licenses/datadog-agent/NOTICE").external_attr >> 16
    assert mode == 0o100644


def test_scripts_lie_where_the_exec_wrapper_is_named_and_may_run(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "layer.zip"
    write_layer(path, "datadog-agent", EXECUTABLE, scripts={"datadog_wrapper": b"#!/bin/sh\n"})
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["extensions/datadog-agent", "datadog_wrapper"]
        assert archive.read("datadog_wrapper") == b"#!/bin/sh\n"
        assert archive.getinfo("datadog_wrapper").external_attr >> 16 == 0o100755


def test_the_same_executable_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    paths = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path in paths:
        write_layer(path, "datadog-agent", EXECUTABLE)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_file_that_is_no_executable_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="extensions/datadog-agent"):
        write_layer(tmp_path / "layer.zip", "datadog-agent", b"#!/bin/sh\n")
