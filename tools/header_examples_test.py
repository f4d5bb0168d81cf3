"""Examples are found in headers' comments, and become code."""

import pytest

from tools.header_examples import compilable, examples_of, expanded

HEADER = """// Cooks.
//
//   Pan pan;            // any
//   ... pan.Fry("...");
//
//   if (pan.hot()) ...
//
//   time      food
//   1 min     eggs
//
//   * item;
//
//   $ bazel run //cc:cook
//
// Rules
//   are text that continues
#ifndef PAN
class Pan {
  // Washes.
  //
  //   pan.Wash();
  void Wash();
};
"""


def test_paragraphs_of_code_are_one_example_and_tables_lists_and_commands_are_none() -> None:
    first, second = examples_of(HEADER)
    assert first == (3, 'Pan pan;            // any\n... pan.Fry("...");\n\nif (pan.hot()) ...\n')
    assert second == (21, "pan.Wash();\n")


def test_a_statement_that_is_left_out_is_an_empty_one_outside_of_texts_and_comments() -> None:
    assert compilable(examples_of(HEADER)[0], "pan.h") == (
        '#line 3 "pan.h"\nPan pan;            // any\n{} pan.Fry("...");\n\nif (pan.hot()) {}\n'
    )


def test_examples_stand_where_they_are_included_and_keep_their_lines() -> None:
    source = 'void A() {\n#include "pan.h.example"\n}\nvoid B() {\n#include "pan.h.2.example"\n}\n'
    assert expanded("x.cc", source, {"pan.h": HEADER}.__getitem__) == (
        '#line 1 "x.cc"\nvoid A() {\n#line 3 "pan.h"\nPan pan;            // any\n{} pan.Fry("...");\n\n'
        'if (pan.hot()) {}\n#line 3 "x.cc"\n}\nvoid B() {\n#line 21 "pan.h"\npan.Wash();\n#line 6 "x.cc"\n}\n'
    )


def test_an_example_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"x.cc includes \"pan.h.3.example\", but pan.h has 2 examples"):
        expanded("x.cc", '#include "pan.h.3.example"\n', {"pan.h": HEADER}.__getitem__)
