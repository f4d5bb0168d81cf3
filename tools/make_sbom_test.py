"""The list of what an artefact contains is CycloneDX, and has the table's libraries."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import make_sbom, third_party_rules

ROOT = pathlib.Path(__file__).resolve().parent.parent

DEPENDENCIES = """def third_party_dependencies():
    pip_archive(
        name = "archive",
        package = "bundle",
        version = "1.8",
        sha256 = "0000000000000000000000000000000000000000000000000000000000000001",
    )
    subrepository(
        name = "part",
        archive = "@archive//:BUILD.bazel",
    )
    debian_source(
        name = "yaml",
        package = "yaml-cpp",
        version = "0.7+dfsg-8",
        archive = "yaml.orig.tar.xz",
        sha256 = "0000000000000000000000000000000000000000000000000000000000000002",
    )
"""
TABLE = """
| library | repository | version | from | licence | ships in |
|---|---|---|---|---|---|
| The archive | `archive` | 1.8 | bundle 1.8, source | MIT | – |
| Part | `part` | the version in bundle | bundle 1.8, `part` | Zlib | layer, wheel |
| Yaml | `yaml` | 0.7 | yaml-cpp 0.7+dfsg-8, Debian source package | MIT | layer |
"""


def sbom(artefact: str, **more: Any) -> dict[str, Any]:
    return make_sbom.sbom(artefact, "thaw-x", "1.0", table=TABLE, dependencies=DEPENDENCIES, **more)


def test_an_artefact_has_the_libraries_that_ship_in_it() -> None:
    layer = {each["name"]: each for each in sbom("layer")["components"]}
    assert layer.keys() == {"Part", "Yaml"}
    assert [each["name"] for each in sbom("wheel")["components"]] == ["Part"]
    assert layer["Part"]["purl"] == "pkg:pypi/bundle@1.8#part"
    assert layer["Part"]["version"] == "as in bundle 1.8"
    assert layer["Part"]["licenses"] == [{"expression": "Zlib"}]
    assert layer["Yaml"]["purl"] == "pkg:deb/debian/yaml-cpp@0.7%2Bdfsg-8?arch=source"


def test_a_library_has_the_digest_of_the_archive_it_comes_from() -> None:
    digests = {
        each["name"]: each["externalReferences"][0]["hashes"][0]["content"][-1]
        for each in sbom("layer")["components"]
    }
    assert digests == {"Part": "1", "Yaml": "2"}


def test_a_package_that_can_be_installed_is_optional() -> None:
    (part, package) = sbom("wheel", optional={"numpy": "2.4.6"})["components"]
    assert "scope" not in part
    assert (package["scope"], package["purl"]) == ("optional", "pkg:pypi/numpy@2.4.6")


def test_the_serial_number_follows_from_the_content() -> None:
    assert sbom("layer") == sbom("layer")
    assert sbom("layer")["serialNumber"] != sbom("wheel")["serialNumber"]


@pytest.mark.parametrize("artefact", ["layer", "wheel"])
def test_the_list_of_this_tree_is_valid_and_whole(tmp_path: pathlib.Path, artefact: str) -> None:
    outputs = [tmp_path / "a.json", tmp_path / "b.json"]
    for output in outputs:
        make_sbom.main(
            [
                *("--artefact", artefact, "--name", "thaw-x", "--version", "0.1.0", "--output", str(output)),
                *("--table", str(ROOT / third_party_rules.TABLE)),
                *("--dependencies", str(ROOT / third_party_rules.DEPS)),
                *("--lock", str(ROOT / "third_party" / "requirements.lock"), "--optional", "numpy"),
            ]
        )
    text = outputs[0].read_text()
    assert text == outputs[1].read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    rows = third_party_rules.rows((ROOT / third_party_rules.TABLE).read_text())
    names = {each["name"] for each in json.loads(text)["components"]}
    assert names - {"numpy"} == {row.library for row in rows if artefact in row.ships_in.split(", ")}
    assert {"BoringSSL", "musl"} < names


def test_a_package_that_is_not_locked_is_refused(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make_sbom.main(
            [
                *("--artefact", "wheel", "--name", "thaw-x", "--version", "0.1.0"),
                *("--output", str(tmp_path / "sbom.json"), "--optional", "no-such-package"),
                *("--table", str(ROOT / third_party_rules.TABLE)),
                *("--dependencies", str(ROOT / third_party_rules.DEPS)),
                *("--lock", str(ROOT / "third_party" / "requirements.lock")),
            ]
        )
    assert "no-such-package" in capsys.readouterr().err
    assert not (tmp_path / "sbom.json").exists()
