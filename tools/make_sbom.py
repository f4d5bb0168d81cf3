"""Writes the list of what an artefact contains (an SBOM), as CycloneDX 1.6; equal inputs give equal bytes.

    make_sbom.py --artefact layer --name thaw-layer --version 0.1.0 --output sbom.cdx.json \
        --table third_party/README.md --dependencies third_party/deps.bzl

Outside libraries are those whose row in the table says that they ship in the artefact; archive and sha256 are
those of the dependencies. `--optional PACKAGE` adds a Python package that the artefact does not contain but
can be installed with; its version is that of `--lock`, which is given with it.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools import third_party_rules

_AUTHORS = "The thaw authors"


def python_versions(lock: str) -> dict[str, str]:
    """Returns the version of each package in a lock file."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))


def sbom(
    artefact: str,
    name: str,
    version: str,
    *,
    table: str,
    dependencies: str,
    optional: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the list as JSON's values. `optional`: package to version."""
    own = {
        "type": "application",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "supplier": {"name": _AUTHORS},
        "licenses": [{"expression": "Apache-2.0"}],
        "purl": f"pkg:{'pypi' if artefact == 'wheel' else 'generic'}/{name}@{version}",
    }
    libraries = list(_libraries(artefact, table, dependencies))
    components = libraries + [_package(*each) for each in sorted((optional or {}).items())]
    contents: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": [
            {"ref": own["bom-ref"], "dependsOn": sorted(each["bom-ref"] for each in components)},
            *({"ref": each["bom-ref"]} for each in components),
        ],
    }
    # A number that depends on nothing but the content, where others take time and chance.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(contents, sort_keys=True))
    return {**contents, "serialNumber": f"urn:uuid:{serial}"}


def _libraries(artefact: str, table: str, dependencies: str) -> Iterable[dict[str, Any]]:
    archives = {each.name: each for each in third_party_rules.repositories(dependencies)}
    for row in third_party_rules.rows(table):
        if artefact not in row.ships_in.split(", "):
            continue
        archive = next(archives[repository] for repository in row.repositories if repository in archives)
        package, version = archive.source.split()
        library: dict[str, Any] = {
            "type": "data" if "certificates" in row.library else "library",
            "bom-ref": re.sub(r"[^a-z0-9+]+", "-", row.library.lower()),
            "name": row.library,
            "version": f"as in {archive.source}" if row.version.startswith("the version") else row.version,
            "licenses": [{"expression": row.licence}],
            "purl": _purl(row.source, package, version),
            "externalReferences": [
                {
                    "type": "source-distribution",
                    "url": _purl(row.source, package, version),
                    "hashes": [{"alg": "SHA-256", "content": archive.sha256}],
                }
            ],
        }
        yield library


def _purl(source: str, package: str, version: str) -> str:
    """Returns the package URL of the archive that a library comes from, with the library's folder in it."""
    quoted = urllib.parse.quote(version, safe=".-")
    if "Debian" in source:
        return f"pkg:deb/debian/{package}@{quoted}?arch=source"
    folder = re.search(r"`([^`]+)`", source)
    return f"pkg:pypi/{package}@{quoted}" + (f"#{folder[1]}" if folder else "")


def _package(name: str, version: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"pypi-{name}",
        "name": name,
        "version": version,
        "scope": "optional",
        "purl": f"pkg:pypi/{name}@{urllib.parse.quote(version, safe='.-')}",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        fromfile_prefix_chars="@", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--artefact", choices=["layer", "wheel"], required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--table", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--dependencies", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--lock", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--optional", action="append", default=[], metavar="PACKAGE")
    options = parser.parse_args(arguments)
    locked = python_versions(options.lock.read_text()) if options.lock else {}
    if unknown := [package for package in options.optional if package not in locked]:
        parser.error(f"--optional {unknown[0]}: the lock has no such package")
    contents = sbom(
        options.artefact,
        options.name,
        options.version,
        table=options.table.read_text(),
        dependencies=options.dependencies.read_text(),
        optional={package: locked[package] for package in options.optional},
    )
    options.output.write_text(json.dumps(contents, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
