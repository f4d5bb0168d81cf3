"""Tables of an experiment, from the JSON that `python -m thaw.lab compare --json` writes."""

from __future__ import annotations

from collections.abc import Sequence

from thaw.lab.report import COLUMNS, race
from thaw.lab.results import ExperimentResult
from tools.documents.markdown import markdown_table

# The figures that a document shows of each arm, beside the times of its flushes.
_SHOWN = {
    *("delivered", "lost", "duplicated", "possible_duplicate"),
    *("connections", "handshakes_full", "handshakes_resumed", "cpu_us_per_payload"),
}
_COLUMNS = [column for column in COLUMNS if column.path in _SHOWN]


def command(result: ExperimentResult) -> str:
    """Returns the command that makes this result: the one it names, or one rebuilt from its settings."""
    if result.command is not None:
        return result.command
    arms = result.arms
    payloads = max(arm.payloads for arm in arms.values())
    return (
        f"python -m thaw.lab compare --arms {','.join(arms)} --world {result.world}"
        f" --scenario {result.scenario} --close {result.close} --cycles {result.cycles}"
        f" --payloads {payloads // result.cycles} --seed {result.seed}"
    )


def _commit(result: ExperimentResult) -> str:
    """Returns the commit, shortened; the mark that files were changed stays."""
    commit, dash, dirty = result.commit.partition("-")
    return commit[:12] + dash + dirty


def _what(result: ExperimentResult) -> str:
    """Returns the words that tell one experiment of a document from the others."""
    far = f", round trip {_milliseconds(result.round_trip)}" if result.round_trip else ""
    return f"World {result.world}, frozen {result.scenario}, peer's close: {result.close}{far};"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:g} ms"


def _freeze(freeze: float | str) -> str:
    """Returns a freeze's least length, or the distribution of seconds that it is drawn from."""
    return f"{freeze} s" if isinstance(freeze, str) else _milliseconds(freeze)


def _conditions(result: ExperimentResult) -> str:
    """Returns the other conditions of the experiment, in parentheses; empty for a result that has none."""
    if result.freeze is None or result.round_trip is None:
        return ""
    return (
        f" ({result.payloads} a flush, {result.workload};"
        f" round trip {_milliseconds(result.round_trip)}, TLS {result.tls_version},"
        f" freeze {_freeze(result.freeze)})"
    )


def with_experiment(text: str, result: ExperimentResult) -> str:
    """Returns a document with this experiment in place of the one of the same kind that it has, or at its
    end.
    """
    begin = text.find(_what(result))
    if begin < 0:
        return text.rstrip("\n") + "\n\n" + experiment(result)
    end = text.index("\n", text.index("\nMade by ", begin) + 1) + 1
    return text[:begin] + experiment(result) + text[end:]


def experiment(result: ExperimentResult) -> str:
    """Returns one experiment: a line that says what was done, the table, and where it comes from."""
    arms = result.arms
    payloads = sorted({arm.payloads for arm in arms.values()})
    rows = [["arm", *(column.title for column in _COLUMNS), "flush p50 / p99 ms"]]
    for name, arm in arms.items():
        rows.append(
            [
                name,
                *(column.text(arm) for column in _COLUMNS),
                f"{arm.flush_ms.p50:.1f} / {arm.flush_ms.p99:.1f}",
            ]
        )
    return (
        f"{_what(result)} {result.cycles} cycles,"
        f" {' or '.join(map(str, payloads))} payloads for each arm{_conditions(result)}.\n\n"
        f"{markdown_table(rows)}\n\n"
        f"{_race(result)}"
        f"Made by `{command(result)}` at commit {_commit(result)}.\n"
    )


def _race(result: ExperimentResult) -> str:
    """Returns a paragraph that says when racing closes came; empty where none raced."""
    text = race(result)
    return f"{text[0].upper()}{text[1:]}.\n\n" if text else ""


# -- What keeping a promise costs --------------------------------------------------------------------------


def is_price(result: ExperimentResult) -> bool:
    """Returns whether a result shows the cost of flushes without any fault."""
    return (result.scenario, result.close) == ("idle", "none")


def price(results: Sequence[ExperimentResult]) -> str:
    """Returns a table of what each arm loses where the peer ends connections, beside what its flushes take
    where it does not, at each round trip. Empty if the results have not both.
    """
    prices = sorted(filter(is_price, results), key=lambda result: result.round_trip or 0.0)
    promises = [each for each in results if each.scenario == "idle" and not is_price(each)]
    if not prices or not promises:
        return ""
    promise = max(promises, key=lambda result: len(result.arms))
    closes = promise.close
    title = [
        "arm",
        f"lost (close: {closes})",
        "duplicated",
        "connections a flush",
        *(f"flush p50, round trip {_milliseconds(each.round_trip or 0.0)}" for each in prices),
    ]
    rows = [title]
    for name, kept in promise.arms.items():
        if all(name in each.arms for each in prices):
            arms = [each.arms[name] for each in prices]
            cycles = prices[-1].cycles
            rows.append(
                [
                    name,
                    f"{kept.lost} of {kept.payloads}",
                    str(kept.duplicated),
                    f"{arms[-1].connections / cycles:.2g}",
                    *(f"{arm.flush_ms.p50:.1f} ms" for arm in arms),
                ]
            )
    made = "\n".join(f"* `{command(each)}` at commit {_commit(each)}" for each in (promise, *prices))
    return f"{markdown_table(rows)}\n\nMade by\n{made}\n"
