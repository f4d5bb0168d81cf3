"""The table of outside libraries is compared with the fetched archives, and NOTICE with the table."""

import pytest

from tools.problem import Problem
from tools.third_party_rules import licences_of_what_ships, repositories, rows, sections, table_of_libraries

DEPS = """def third_party_dependencies():
    pip_archive(
        name = "archive",
        package = "bundle",
        version = "1.8",
    )
    subrepository(
        name = "part",
        archive = "@archive//:BUILD.bazel",
    )
    labels(name = "part_labels")
    debian_source(
        name = "yaml",
        package = "yaml-cpp",
        version = "0.7+dfsg-8",
        archive = "yaml.orig.tar.xz",
    )
"""
TABLE = """# Outside libraries

| library | repository | version | from | licence | ships in |
|---|---|---|---|---|---|
| The archive | `archive` | 1.8 | bundle 1.8, source | MIT | – |
| Part | `part`, `part_labels` | 3 | bundle 1.8, `part` | Zlib | layer, wheel |
| Yaml | `yaml` | 0.7 | yaml-cpp 0.7+dfsg-8, Debian | MIT | layer |
"""
NOTICE = """ours

=====
Part
In: layer, wheel
Licence: Zlib
=====

The text.

=====
Yaml
In: layer
Licence: MIT
=====

The other text.
"""
TREE = {"third_party/deps.bzl": DEPS, "third_party/README.md": TABLE, "NOTICE": NOTICE}


def problems(old: str = "", new: str = "") -> list[Problem]:
    tree = {path: text.replace(old, new) if old else text for path, text in TREE.items()}
    return [*table_of_libraries(tree), *licences_of_what_ships(tree)]


def test_fetched_archives_are_read_with_their_sources() -> None:
    assert {each.name: each.source for each in repositories(DEPS)} == {
        "archive": "bundle 1.8",
        "part": "bundle 1.8",
        "part_labels": "",
        "yaml": "yaml-cpp 0.7+dfsg-8",
    }
    assert [row.library for row in rows(TABLE)] == ["The archive", "Part", "Yaml"]
    assert sections(NOTICE) == {"Part": ("layer, wheel", "Zlib", 4), "Yaml": ("layer", "MIT", 12)}


def test_a_tree_in_which_all_agree_has_no_problem() -> None:
    assert problems() == []
    assert [*table_of_libraries({}), *licences_of_what_ships({})] == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        # The archive is bumped, and neither of its rows.
        ('version = "1.8"', 'version = "1.9"', ["archive from bundle 1.9", "part from bundle 1.9"]),
        # A version that begins as the right one does.
        ("bundle 1.8, `part`", "bundle 1.80, `part`", ["part from bundle 1.8"]),
        ("`yaml`", "`other`", ["yaml has no row", "no repository other"]),
        ("Part\nIn", "Part of it\nIn", ["no licence of it", "Part of it ships in nothing"]),
        ("Licence: MIT", "Licence: Zlib", ["Yaml: Zlib in layer; third_party/README.md says MIT"]),
        ("In: layer\n", "In: layer, wheel\n", ["Yaml: MIT in layer, wheel"]),
        # A title without a text is no licence.
        ("The other text.\n", "", ["NOTICE has no licence of it"]),
    ],
)
def test_a_disagreement_is_a_problem(old: str, new: str, says: list[str]) -> None:
    found = problems(old, new)
    assert len(found) == len(says)
    for text in says:
        assert any(text in problem.text for problem in found)
