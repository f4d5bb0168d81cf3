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
    """Returns the stubs of the module that this interpreter imports."""
    from pybind11_stubgen import main as stubgen

    import thaw
    from thaw import _native

    # The names claim the module thaw; the stubs describe the module that defines them.
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
    # Readers need no list of the types that pybind11 accepts as an int or a float.
    text = text.replace("typing.SupportsInt | typing.SupportsIndex", "int")
    text = text.replace("typing.SupportsFloat | typing.SupportsIndex", "float")
    text = re.sub(r"(\| None)( \| None)+", r"\1", text)
    # Members of enums in the form that type checkers expect.
    text = re.sub(r"    ([A-Z0-9_]+): typing\.ClassVar\[([A-Z]\w+)\]\n", r"    \1 = ...\n", text)
    text = text.replace("    @classmethod\n    def __new__(cls, value):\n        ...\n", "")
    # Only the base class declares the attributes that every exception carries.
    text = text.replace("    failure = None\n", "    failure: ExchangeFailure | None\n", 1)
    text = text.replace("    failure = None\n", "")
    text = text.replace("def to_dict(self) -> dict:", "def to_dict(self) -> dict[str, typing.Any]:")
    text = re.sub(r"def __eq__\(self, arg0: \w+\)", "def __eq__(self, other: object, /)", text)
    text = text.replace(
        "__hash__: typing.ClassVar[None] = None",
        "__hash__: typing.ClassVar[None]  # type: ignore[assignment]",
    )
    text = text.replace("*args)", "*args: object)")
    # Readers need neither the pickling methods nor the attributes that inspect.signature reads.
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
