"""Writes the docstrings of an option struct's fields, as C++, from the comments of its header.

python python/bindings/option_texts.py HEADER STRUCT OUTPUT

An option's text stands once, in the header: users of C++ read it there, users of Python in the docstring. The
output declares `struct STRUCTTexts` with one constant for each field. Names of C++ are replaced by those of
Python: `kUnlimited`, a constant of the struct, by `STRUCT.UNLIMITED`; the enumerator `kKeep` by `keep`;
"Unset" by "None"; "InfiniteDuration" by "inf". Names of headers in parentheses are left out, and "In
seconds." is added for a duration.
"""

from __future__ import annotations

import pathlib
import re
import sys
import textwrap

_COMMENT = re.compile(r"^  // (.*)$")
_RULE = "-- "  # begins the title of a group of fields
_FIELD = re.compile(r"^  (?P<type>[\w:<>]+) (?P<name>\w+)(?: = [^;]+)?;(?:\s*// (?P<comment>.*))?$")
_CONSTANT = re.compile(r"^  static constexpr \w+ (k[A-Z]\w*)\b")
_ENUMERATOR = re.compile(r"\bk([A-Z]\w*)")
_HEADER = re.compile(r" \([\w/]+\.h\)")


_WIDTH = 96  # columns of a docstring's line


class OptionTextError(Exception):
    """A header without the struct, or with a field that has no comment."""


def _upper(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _python(text: str, kind: str, struct: str, constants: set[str]) -> str:
    def name(match: re.Match[str]) -> str:
        upper = _upper(match[1])
        return f"{struct}.{upper}" if match[0] in constants else upper.lower()

    text = _HEADER.sub("", text)
    text = _ENUMERATOR.sub(name, text)
    text = re.sub(r"\bUnset\b", "None", text)
    text = re.sub(r"\bunset\b", "None", text)
    text = re.sub(r"\bInfiniteDuration\b", "inf", text)
    text = text[0].upper() + text[1:]
    text += "" if text.endswith(".") else "."
    return text + (" In seconds." if "absl::Duration" in kind else "")


def texts(header: str, struct: str) -> dict[str, str]:
    """Returns the docstring of each field of `struct`, in order.

    Raises OptionTextError if `header` has no such struct, or if a field has no comment.
    """
    match = re.search(rf"^struct {struct} {{\n(.*?)^}};", header, re.DOTALL | re.MULTILINE)
    if not match:
        raise OptionTextError(f"there is no struct {struct}")
    found: dict[str, str] = {}
    constants: set[str] = set()
    comment: list[str] = []
    for line in match[1].splitlines():
        if part := _COMMENT.match(line):
            if not part[1].startswith(_RULE):
                comment.append(part[1])
            continue
        if constant := _CONSTANT.match(line):
            constants.add(constant[1])
            continue  # its comment is that of the field below
        if field := _FIELD.match(line):
            text = " ".join(comment) or field["comment"]
            if not text:
                raise OptionTextError(f"{struct}.{field['name']} has no comment")
            found[field["name"]] = _python(text, field["type"], struct, constants)
        comment = []
    return found


def declaration(header: str, struct: str, source: str) -> str:
    """Returns a C++ header that declares the texts."""
    guard = f"THAW_PYTHON_BINDINGS_{_upper(struct)}_TEXTS_H_"
    lines = [f"// Made from {source} by option_texts.py.", "", f"#ifndef {guard}", f"#define {guard}", ""]
    lines += ["namespace thaw::python {", "", f"struct {struct}Texts {{"]
    for name, text in texts(header, struct).items():
        lines_of_text = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
        literal = "\n".join(lines_of_text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'  static constexpr char {name}[] = "{literal}";')
    lines += ["};", "", "}  // namespace thaw::python", "", f"#endif  // {guard}", ""]
    return "\n".join(lines)


def main(header: str, struct: str, output: str) -> int:
    try:
        text = declaration(pathlib.Path(header).read_text(encoding="utf-8"), struct, header)
    except OptionTextError as error:
        print(f"{header}: {error}", file=sys.stderr)
        return 1
    pathlib.Path(output).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
