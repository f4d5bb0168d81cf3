"""The checker of stored experiments: its rules on histories written by hand, and its command on files."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest

from thaw.lab import checker, line
from thaw.lab.checker import Counts, Entry, History, command
from thaw.lab.checker.history import Outcome
from thaw.lab.command_line import main
from thaw.lab.report import measure

GOOD = (
    Entry(0, 0, times=1, arrived_in=0),
    Entry(0, 1, times=2, flagged=True, arrived_in=0),
    Entry(1, 0, times=0, retained=True),
    Entry(1, 1, times=0, dropped_reason="evicted"),
    Entry(2, 0, times=1, retained=True, flagged=True, arrived_in=3),
    Entry(2, 1, times=1, arrived_in=2),
)


def history(*entries: Entry, keeps: bool | None = True, **others: object) -> History:
    made = History("thaw", keeps, cycles=3, payloads=2, entries=entries or GOOD, times_known=True)
    return dataclasses.replace(made, **others)  # type: ignore[arg-type]


def changed(number: int, **fields: object) -> History:
    """The good history with one entry changed."""
    entries = list(GOOD)
    entries[number] = dataclasses.replace(entries[number], **fields)  # type: ignore[arg-type]
    return history(*entries)


def test_a_good_history_is_valid_and_its_counts_are_told() -> None:
    good = history()
    assert checker.check(good) == checker.Verdict("valid")
    assert good.known_counts == Counts(6, 4, 0, 1, 2, 2, 1)
    assert (good.late, good.unflagged) == (1, 0)
    assert command.line(good, checker.check(good)) == (
        "arm thaw: valid: 6 payloads, 4 delivered, 0 lost, 1 duplicated (0 unflagged), 1 late, 2 kept,"
        " 1 dropped"
    )


@pytest.mark.parametrize(
    ("broken", "witness"),
    [
        (
            changed(2, retained=False),
            "payload 0 of cycle 1 was lost: not accepted, not kept, not dropped",
        ),
        (
            changed(3, dropped_reason="discarded", phase="written"),
            "payload 1 of cycle 1 (frozen in phase written) was lost: not accepted, and thrown away"
            " (discarded)",
        ),
        (
            changed(1, flagged=False),
            "payload 1 of cycle 0 was accepted 2 times and not flagged as a possible duplicate",
        ),
        (
            changed(2, dropped_reason="evicted"),
            "payload 0 of cycle 1 is kept, and was dropped as well (evicted)",
        ),
        (
            changed(2, arrived_in=1),
            "payload 0 of cycle 1 did not arrive, and has cycle 1 as that of its arrival",
        ),
        (changed(0, arrived_in=None), "payload 0 of cycle 0 arrived, and has no cycle of its arrival"),
        (changed(5, arrived_in=1), "payload 1 of cycle 2 arrived in cycle 1, before it was made"),
        (changed(0, times=-1, arrived_in=None), "payload 0 of cycle 0 arrived -1 times"),
        (history(*GOOD[:3], *GOOD[4:]), "payload 1 of cycle 1 has no entry"),
        (history(*GOOD, GOOD[0]), "payload 0 of cycle 0 has 2 entries"),
        (
            history(*GOOD, Entry(7, 0, times=1, arrived_in=7)),
            "payload 0 of cycle 7 was not sent: there are 3 cycles of 2 payloads",
        ),
        (
            history(counts=Counts(6, 4, 0, 1, 1, 2, 1)),
            "possible_duplicate is 1, and by the entries it is 2",
        ),
    ],
)
def test_each_rule_can_be_broken(broken: History, witness: str) -> None:
    assert checker.check(broken) == checker.Verdict("invalid", witness)


def test_the_witness_is_the_shortest() -> None:
    entries = [dataclasses.replace(each, retained=False, flagged=False) for each in GOOD]
    # Cycle 0 shows an unflagged duplicate, cycle 1 a loss.
    assert checker.check(history(*reversed(entries))).witness.startswith(
        "payload 1 of cycle 0 was accepted 2"
    )


def test_an_arm_without_a_promise_may_lose_and_not_lie() -> None:
    lossy = dataclasses.replace(changed(2, retained=False), arm="v93", keeps=False)
    assert checker.check(lossy).outcome == "valid"
    assert checker.check(dataclasses.replace(changed(5, arrived_in=1), keeps=False)).outcome == "invalid"


def test_a_history_that_was_stopped_has_what_was_done() -> None:
    assert checker.check(history(*GOOD[:4], complete=False)).outcome == "valid"
    assert checker.check(history(*GOOD[:4])).witness == "payload 0 of cycle 2 has no entry"
    assert checker.check(history(*GOOD[:3], complete=False)).witness == "payload 1 of cycle 1 has no entry"


@pytest.mark.parametrize(
    ("counts", "outcome", "witness"),
    [
        (Counts(6, 6, 0, 0, 0, 0, 0), "valid", ""),
        (
            Counts(6, 6, 0, 2, 3, 0, 0),
            "unknown",
            "2 payloads arrived more than once, and which ones are flagged",
        ),
        (Counts(6, 6, 0, 2, 1, 0, 0), "invalid", "2 payloads arrived more than once, 1 are flagged"),
        (Counts(6, 5, 1, 0, 0, 0, 0), "invalid", "1 payloads were lost"),
        (Counts(6, 5, 0, 0, 0, 0, 0), "invalid", "1 of 6 payloads are in no count"),
        (Counts(5, 5, 0, 0, 0, 0, 0), "invalid", "5 payloads are counted, and 6 were sent"),
        (Counts(6, 7, 0, 0, 0, 0, 0), "invalid", "delivered is 7, of 6 payloads"),
        (Counts(6, 3, 0, 4, 4, 3, 0), "invalid", "4 payloads arrived more than once, and 3 arrived"),
        (None, "unknown", "neither payloads nor counts were stored"),
    ],
)
def test_counts_alone_show_what_they_can(counts: Counts | None, outcome: Outcome, witness: str) -> None:
    verdict = checker.check(history(entries=None, counts=counts))
    assert verdict.outcome == outcome
    assert verdict.witness.startswith(witness)


def test_a_history_without_its_facts_is_unknown() -> None:
    assert checker.check(history(keeps=None)).witness == "the promise of arm thaw is not known here"
    nothing = history(entries=(), complete=False, counts=Counts(0, 0, 0, 0, 0, 0, 0))
    assert checker.check(nothing).witness == "no payload was sent"
    assert command.worst([]) == "unknown"
    assert command.worst(["valid", "unknown"]) == "unknown"
    assert command.worst(["valid", "unknown", "invalid"]) == "invalid"


# -- The command


def compare(folder: pathlib.Path, world: str = "W1", *more: str) -> None:
    given = [
        "compare",
        f"--world={world}",
        "--scenario=inflight",
        "--close=rst",
        "--cycles=3",
        "--payloads=1",
    ]
    assert main([*given, "--arms=thaw,v93", "--workload=generated", *more, f"--rows={folder}"]) == 0


def check(path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    capsys.readouterr()
    code = main(["check", str(path)])
    return code, capsys.readouterr().out.splitlines()


def test_stored_runs_of_each_kind_are_checked(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(tmp_path / "W1")
    compare(tmp_path / "W0", "W0")
    if line.why_not() is None:
        compare(tmp_path / "W2", "W2", "--blocks=2")
    swept = ["sweep", "--world=W0", "--close=fin,silent", "--cycles=20", f"--out={tmp_path / 'sweep'}"]
    assert main(swept) == 0
    code, said = check(tmp_path, capsys)
    assert code in (0, 3)  # counts alone can't tell which of W0's duplicates are flagged
    assert not any("invalid" in each for each in said)
    assert any(each.startswith("W1: arm thaw: valid: 3 payloads, 3 delivered, 0 lost") for each in said)
    assert sum(each.startswith("sweep/W0-idle-") for each in said) == 4
    assert not any("exchanges.parquet" in each for each in said)
    assert said[-1].startswith("verdict: ")


def test_a_stored_run_that_was_changed_is_found_out(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(tmp_path)
    stored = measure.read(tmp_path)
    rows = [
        dataclasses.replace(row, times_delivered=0, arrived_in=None)
        if (row.arm, row.cycle) == ("thaw", 1)
        else row
        for row in stored.payloads
    ]
    measure.write(tmp_path, rows, stored.cycles, stored.provenance)
    code, said = check(tmp_path, capsys)
    assert code == 1
    assert (
        ".: arm thaw: invalid: payload 0 of cycle 1 (frozen in phase tls) was lost: not accepted, not kept,"
        " not dropped" in said
    )
    assert said[-1] == "verdict: invalid (1 invalid, 1 valid)"


def test_a_file_that_can_not_be_read_is_unknown_and_no_other_suffers(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(tmp_path / "good")
    (tmp_path / "half.parquet").write_bytes(b"PAR1")
    (tmp_path / "other.json").write_text('{"nothing": 1}')
    (tmp_path / "broken.json").write_text('{"arms": ')
    code, said = check(tmp_path, capsys)
    assert code == 3
    assert any(each.startswith("half.parquet: unknown: ") for each in said)
    assert any(each.startswith("broken.json: unknown: ") for each in said)
    assert said[-1] == "verdict: unknown (2 unknown, 2 valid)"


def test_a_result_alone_is_checked_by_its_counts(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(tmp_path)
    value = json.loads((tmp_path / "result.json").read_text())
    value["arms"]["thaw"]["lost"] = 1
    value["arms"]["thaw"]["delivered"] = 2
    file = tmp_path / "alone.json"
    file.write_text(json.dumps(value))
    code, said = check(file, capsys)
    assert code == 1
    assert said[0] == "alone.json: arm thaw: invalid: 1 payloads were lost"


def test_an_empty_folder_is_unknown_and_a_missing_one_is_an_invalid_argument(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, capsys) == (3, ["verdict: unknown (no stored experiment was found)"])
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "none")])
    assert ended.value.code == 2
