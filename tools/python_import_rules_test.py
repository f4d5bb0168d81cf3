"""Each rule about the laboratory's imports is shown files that keep it and files that break it."""

import pytest

from tools.problem import Problem
from tools.python_import_rules import imports_go_one_way, lazy_imports_say_why

LAB = "python/thaw/lab"


@pytest.mark.parametrize(
    "text",
    [
        "from thaw.lab import a\n",
        "def f():\n    from thaw.lab import a  # takes a second\n",
        "def f():\n    # Takes a second.\n    from thaw.lab import a\n",
        "def f():\n    import numpy\n",
        "if TYPE_CHECKING:\n    from thaw.lab import a\n",
    ],
)
def test_an_import_at_the_top_and_one_with_a_reason_are_accepted(text: str) -> None:
    assert list(lazy_imports_say_why({f"{LAB}/b.py": text})) == []


@pytest.mark.parametrize(
    "text",
    [
        "class C:\n    def f(self):\n        from thaw.lab import a\n",
        "async def f():\n    if True:\n        import thaw.lab.a\n",
        "def f():\n    try:\n        from thaw.lab.a import g\n    except ImportError:\n        pass\n",
    ],
)
def test_an_import_within_a_function_without_a_reason_is_found(text: str) -> None:
    (found,) = lazy_imports_say_why({f"{LAB}/b.py": text})
    assert (found.path, found.line) == (f"{LAB}/b.py", 3)
    assert "imports `thaw.lab.a" in found.text
    assert list(lazy_imports_say_why({"python/tests/test_b.py": text})) == []


def test_imports_that_go_one_way_are_accepted() -> None:
    tree = {
        f"{LAB}/a.py": "import json\n",
        f"{LAB}/b/__init__.py": "from thaw.lab.b.c import g\nfrom thaw.lab.b.d import h\n",
        f"{LAB}/b/c.py": "from thaw.lab import a\nfrom thaw.lab.b import d\n",
        f"{LAB}/b/d.py": "from thaw.lab.a import f\n",
    }
    assert list(imports_go_one_way(tree)) == []


def test_a_circle_is_found_once_with_its_modules() -> None:
    tree = {
        f"{LAB}/a.py": "import json\nfrom thaw.lab.b.c import g\n",
        f"{LAB}/b/__init__.py": "",
        f"{LAB}/b/c.py": "from thaw.lab.b import d\n",
        f"{LAB}/b/d.py": "def f():\n    from thaw.lab import a  # not above: a imports this file\n",
        f"{LAB}/e.py": "from thaw.lab import a\n",
    }
    assert list(imports_go_one_way(tree)) == [
        Problem(
            f"{LAB}/a.py",
            2,
            "imports go in a circle: thaw.lab.a → thaw.lab.b.c → thaw.lab.b.d → thaw.lab.a",
        )
    ]


def test_imports_for_type_checkers_alone_make_no_circle() -> None:
    tree = {
        f"{LAB}/a.py": "from thaw.lab import b\n",
        f"{LAB}/b.py": "if TYPE_CHECKING:\n    from thaw.lab import a\n",
    }
    assert list(imports_go_one_way(tree)) == []
