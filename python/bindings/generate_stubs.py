"""Writes python/thaw/_native.pyi, the types of the native module, from the module itself.

python python/bindings/generate_stubs.py            # writes the file
python python/bindings/generate_stubs.py --check    # fails with the difference if it is out of date
"""

from __future__ import annotations

import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

PACKAGE = pathlib.Path(__file__).resolve().parent.parent / "thaw"
COMMITTED = PACKAGE / "_native.pyi"


def generate() -> str:
    """The stubs of the module that this interpreter imports."""
    from pybind11_stubgen import main as stubgen

    import thaw
    from thaw import _native

    # thaw says that its names are its own; the stubs describe the module they come from.
    for name in thaw.__all__:
        if getattr(_native, name, None) is not None:
            getattr(_native, name).__module__ = "thaw._native"
    try:
        with tempfile.TemporaryDirectory() as folder:
            stubgen(
                [
                    "thaw._native",
                    "--output-dir",
                    folder,
                    "--exit-code",
                    "--enum-class-locations",
                    "^$:thaw._native",
                ]
            )
            text = (pathlib.Path(folder) / "thaw" / "_native.pyi").read_text()
    finally:
        for name in thaw.__all__:
            if getattr(_native, name, None) is not None:
                getattr(_native, name).__module__ = "thaw"
    return _tidy(text)


def _tidy(text: str) -> str:
    # What pybind11 takes for an int or a float is more than a reader wants to know.
    text = text.replace("typing.SupportsInt | typing.SupportsIndex", "int")
    text = text.replace("typing.SupportsFloat | typing.SupportsIndex", "float")
    text = re.sub(r"(\| None)( \| None)+", r"\1", text)
    # Members of enums, as type checkers want them written.
    text = re.sub(r"    ([A-Z0-9_]+): typing\.ClassVar\[([A-Z]\w+)\]\n", r"    \1 = ...\n", text)
    text = text.replace("    @classmethod\n    def __new__(cls, value):\n        ...\n", "")
    # Only the base class declares what every exception carries.
    text = text.replace("    failure = None\n", "    failure: ExchangeFailure | None\n", 1)
    text = text.replace("    failure = None\n", "")
    text = text.replace("def to_dict(self) -> dict:", "def to_dict(self) -> dict[str, typing.Any]:")
    text = re.sub(r"def __eq__\(self, arg0: \w+\)", "def __eq__(self, other: object, /)", text)
    text = text.replace(
        "__hash__: typing.ClassVar[None] = None",
        "__hash__: typing.ClassVar[None]  # type: ignore[assignment]",
    )
    text = text.replace("*args)", "*args: object)")
    # How objects are pickled, and what inspect.signature asks for, is no business of a reader.
    text = re.sub(r'    __signature__: .*\n    """\n.*\n    """\n', "", text)
    body = r'(?:        """\n(?:        .*\n|\n)*?        """\n|        \.\.\.\n)'
    text = re.sub(rf"    def __(?:reduce_ex|getstate|setstate)__\(.*\n{body}", "", text)
    text = re.sub(rf"(\.setter\n    def .* -> None:)\n{body}", r"\1 ...\n", text)
    text = text.replace("import inspect\n", "").replace(" = list()", " = []")
    for command in (["check", "--select=I", "--fix", "--quiet"], ["format", "--quiet"]):
        text = subprocess.run(
            [sys.executable, "-m", "ruff", *command, f"--stdin-filename={COMMITTED}", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


def main() -> int:
    text = generate()
    if "--check" not in sys.argv[1:]:
        COMMITTED.write_text(text)
        return 0
    difference = list(
        difflib.unified_diff(
            COMMITTED.read_text().splitlines(), text.splitlines(), "committed", "generated", lineterm=""
        )
    )
    print("\n".join(difference))
    return 1 if difference else 0


if __name__ == "__main__":
    sys.path.insert(0, str(PACKAGE.parent))
    sys.exit(main())
