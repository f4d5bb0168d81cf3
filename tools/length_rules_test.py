"""Lengths are measured as a reader counts them, and only those of production code."""

from __future__ import annotations

import pytest

from tools import length_rules
from tools.problem import Problem


def cpp(lines: int, head: str = "int Long(int a) {") -> str:
    """Returns a function of `lines` lines, from its head to its closing brace."""
    return "\n".join([head, *(["  a = 1;"] * (lines - head.count("\n") - 2)), "}", ""])


def python(lines: int) -> str:
    return "\n".join(["def long() -> None:", *(["    a = 1"] * (lines - 1)), ""])


def measured(text: str) -> list[tuple[str, int, int]]:
    return [(each[0], each[1], each[2]) for each in length_rules.functions_of_cpp(text)]


@pytest.mark.parametrize(
    "head",
    [
        "int Long(int a) {",
        "template <typename T>\nint Long(T a) {",
        "Task<int> Long(int a) const noexcept {",
        "absl::StatusOr<std::map<int, std::string>>\nLong(int a = 3, std::vector<int> b = {1, 2}) {",
        "Long::Long(int a)\n    : a_(a), b_{a}, c_{{a, a}}, d_(a) {",
    ],
)
def test_a_function_of_cpp_has_the_lines_from_its_head_to_its_brace(head: str) -> None:
    before = "#define A(x) \\\n  void x() {\n\nnamespace thaw {\nnamespace {\n\nint before = 1;\n\n"
    found = measured(before + cpp(70, head) + "\n}  // namespace\n}  // namespace thaw\n")
    assert [(line, lines) for _, line, lines in found] == [(9, 70)]


def test_methods_are_measured_each_and_their_class_is_not() -> None:
    text = "class A : public B {\n public:\n" + cpp(3, "  void One() {") + "\n" + cpp(4, "  ~A() override {")
    text += (
        " private:\n  struct C {\n    int x = 1;\n  };\n  std::vector<int> a_ = {1, 2};\n  int b_{3};\n};\n"
    )
    text += "enum class Kind { kOne };\n" + cpp(5, "A::operator bool() const {")
    assert [(line, lines) for _, line, lines in measured(text)] == [(3, 3), (7, 4), (19, 5)]


def test_a_lambda_and_a_brace_in_a_text_are_part_of_their_function() -> None:
    text = 'void F() {\n  const auto f = [](int a) {\n    return "}";  // }\n  };\n}\nvoid G() {}\n'
    assert [(name, lines) for name, _, lines in measured(text)] == [("F", 5), ("G", 1)]


def test_a_function_of_python_has_its_decorators() -> None:
    text = "class A:\n    @property\n    def a(self) -> int:\n        return 1\n"
    assert list(length_rules.functions_of_python(text)) == [("a", 2, 3)]


def problems(tree: dict[str, str]) -> list[Problem]:
    return [problem for rule in length_rules.RULES for problem in rule(tree)]


@pytest.mark.parametrize(("path", "make"), [("cc/a/a.cc", cpp), ("cc/a/a.h", cpp), ("tools/a.py", python)])
def test_a_function_has_sixty_lines_at_most(path: str, make: object) -> None:
    assert callable(make)
    assert problems({path: "\n" + make(60)}) == []
    (found,) = problems({path: "\n" + make(61)})
    assert (found.path, found.line, found.note) == (path, 2, False)
    assert "has 61 lines" in found.text


@pytest.mark.parametrize(
    "path",
    [
        "cc/a/a_test.cc",
        "cc/a/a_benchmark.cc",
        "cc/a/testing/a.cc",
        "python/tests/test_a.py",
        "tools/a_test.py",
    ],
)
def test_tests_are_as_long_as_they_need(path: str) -> None:
    text = python(61) if path.endswith(".py") else cpp(61)
    assert problems({path: text + "\n" * 500}) == []


def test_a_file_has_450_lines_at_most() -> None:
    assert problems({"cc/a/a.cc": "int a;\n" * 450}) == []
    (found,) = problems({"cc/a/a.cc": "int a;\n" * 451})
    assert (found.path, found.line) == ("cc/a/a.cc", 1)
    assert "has 451 lines" in found.text


@pytest.mark.parametrize(
    ("path", "top", "accepted"),
    [
        ("cc/a/a.cc", "// Longer than 450 lines because the table is read as a whole.\n", True),
        (
            "tools/a.py",
            '"""What it does.\n\nLonger than 450 lines because the table is a whole.\n"""\n',
            True,
        ),
        ("cc/a/a.cc", "// Longer than 450 lines because\n", False),
        ("cc/a/a.cc", "\n" * 30 + "// Longer than 450 lines because it grew.\n", False),
    ],
)
def test_a_file_may_say_on_its_first_lines_why_it_is_longer(path: str, top: str, accepted: bool) -> None:
    body = "a = 1\n" if path.endswith(".py") else "int a;\n"
    assert (problems({path: top + body * 451}) == []) == accepted
