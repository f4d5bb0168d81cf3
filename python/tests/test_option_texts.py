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


def test_an_infinite_duration_is_inf() -> None:
    header = "struct EggOptions {\n  // InfiniteDuration: boils on.\n  absl::Duration limit;\n};\n"
    assert option_texts.texts(header, "EggOptions") == {"limit": "Inf: boils on. In seconds."}


CLIENT = {"ClientOptions": "cc/net/client_options.h"}
FLUSHER = {
    "BreakerOptions": "cc/flush/breaker.h",
    "FlusherOptions": "cc/flush/flusher_options.h",
    "LimitOptions": "cc/flush/shared_resources.h",
    "OutageOptions": "cc/flush/outage_budget.h",
    "PeersOptions": "cc/flush/peers_options.h",
}
# Fields that have another name in Python, and those that only Python has.
NAMES = {"strikes": "breaker_strikes"}
ONLY_IN_PYTHON = {"flush_timeout"}


@pytest.mark.parametrize(
    ("options", "structs"), [(thaw.ClientOptions, CLIENT), (thaw.FlusherOptions, FLUSHER)]
)
def test_each_option_has_the_text_of_its_header_as_docstring(
    options: type[thaw.ClientOptions | thaw.FlusherOptions], structs: dict[str, str]
) -> None:
    texts = {
        NAMES.get(name, name): text
        for struct, header in structs.items()
        for name, text in option_texts.texts((ROOT / header).read_text(), struct).items()
    }
    for name in set(options().to_dict()) - ONLY_IN_PYTHON:
        assert " ".join(str(getattr(options, name).__doc__).split()) == texts[name]
        assert "::" not in texts[name], name
        assert ".h)" not in texts[name], name
        assert "InfiniteDuration" not in texts[name], name
