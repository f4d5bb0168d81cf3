"""Full expressions of C++ source, found by brackets and clang-format's spacing: enough for a house rule.

code = cpp_code.code_only(text)              # without comments and literals
expression = full_expression(code, code.index("co_await"))
"""

from __future__ import annotations

import re

_CONTROL = r"(?:if(?:\s+constexpr)?|while|switch|for)\s*"
_CONTROL_BEFORE = re.compile(rf"\b{_CONTROL}$")
_HEAD = re.compile(rf"\s*(?:(?:else|co_return)\b|(?P<control>{_CONTROL})(?=\())")
# A braced initializer's brace follows its type, a bracket, a comma or an equals sign; a block's is set apart.
_INITIALIZER_BEFORE = re.compile(r"[\w>(]$|[=,(]\s*$|\breturn\s*$")
_LONGEST_LOOK_BACK = 20


def _matching(code: str, at: int) -> int:
    """Returns the place of the bracket that matches the one at `at`."""
    step = 1 if code[at] in "([{" else -1
    depth, place = 0, at
    while 0 <= place < len(code):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return place
        place += step
    return min(max(place, 0), len(code) - 1)


def _begin(code: str, at: int) -> int:
    place = at - 1
    while place >= 0:
        char, before = code[place], code[max(0, place - _LONGEST_LOOK_BACK) : place]
        ends_a_block = char == "}" and not re.match(r"\s*[,).;\]]", code[place + 1 :])
        opens_a_block = char == "{" and not _INITIALIZER_BEFORE.search(before)
        if char == ";" or ends_a_block or opens_a_block:
            return place + 1
        if char == "(" and _CONTROL_BEFORE.search(before):
            return place + 1
        if char in ")]}":
            place = _matching(code, place)
        place -= 1
    return 0


def _end(code: str, begin: int) -> int:
    place = begin
    while place < len(code):
        if code[place] in ")]};":
            return place
        if code[place] in "([{":
            place = _matching(code, place)
        place += 1
    return len(code)


def full_expression(code: str, at: int) -> str:
    """Returns the statement, or the condition of a statement, that contains `at`."""
    begin = _begin(code, at)
    while head := _HEAD.match(code, begin):
        after = _matching(code, head.end()) + 1 if head["control"] else head.end()
        if after > at:
            break
        begin = after
    return code[begin : _end(code, begin)]
