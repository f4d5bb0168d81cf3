"""The docstring of an option is the comment of its field in C++."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest

import thaw

ROOT = pathlib.Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("option_texts", ROOT / "python/bindings/option_texts.py")
assert _spec is not None
assert _spec.loader is not None
option_texts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(option_texts)

HEADER = """
struct EggOptions {
  // -- Boiling ------------------------------------------------------------------
  // Limits the eggs in the pot; kUnlimited: no limit. Further eggs
  // wait (pot.h).
  static constexpr int kUnlimited = 1 << 30;
  int max_eggs = 6;
  // Ends the boiling. Unset: the eggs say "done".
  std::optional<absl::Duration> limit;
  Shell shell = Shell::kTakeOff;  // kTakeOff or kKeep

  absl::Status Validate() const;
};
"""


def test_texts_are_the_comments_in_the_words_of_python() -> None:
    assert option_texts.texts(HEADER, "EggOptions") == {
        "max_eggs": "Limits the eggs in the pot; EggOptions.UNLIMITED: no limit. Further eggs wait.",
        "limit": 'Ends the boiling. None: the eggs say "done". In seconds.',
        "shell": "Take_off or keep.",
    }


def test_the_declaration_is_cpp() -> None:
    text = option_texts.declaration(HEADER, "EggOptions", "cc/egg.h")
    assert (
        '  static constexpr char limit[] = "Ends the boiling. None: the eggs say \\"done\\". In seconds.";\n'
        in text
    )
    assert "#ifndef THAW_PYTHON_BINDINGS_EGG_OPTIONS_TEXTS_H_\n" in text


def test_a_field_without_a_comment_is_an_error(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = tmp_path / "egg.h"
    header.write_text(HEADER.replace('  // Ends the boiling. Unset: the eggs say "done".\n', ""))
    assert option_texts.main(str(header), "EggOptions", str(tmp_path / "out.h")) == 1
    assert capsys.readouterr().err == f"{header}: EggOptions.limit has no comment\n"
    assert option_texts.main(str(header), "HenOptions", str(tmp_path / "out.h")) == 1


def test_each_option_of_a_client_has_a_text_without_names_of_cpp() -> None:
    texts = option_texts.texts((ROOT / "cc/net/client_options.h").read_text(), "ClientOptions")
    assert set(texts) >= set(thaw.ClientOptions().to_dict())
    for name, text in texts.items():
        assert "::" not in text, name
        assert ".h)" not in text, name
