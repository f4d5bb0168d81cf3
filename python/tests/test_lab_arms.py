"""Arms with options: every field of ClientOptions, its type, and what is said about a wrong one."""

from __future__ import annotations

import enum
import json
import pathlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thaw
from thaw.lab import arm_options, arms, named_values, needs, report
from thaw.lab.__main__ import main
from thaw.lab.experiments import spec_file
from thaw.lab.intake import Intake

VARIANTS = ("thaw(max_idle_per_host=1,on_resume=keep)", "thaw(share_within_flush=false)")


def test_options_reach_the_client_and_leave_the_rest() -> None:
    arm = arms.parse(
        "thaw(max_idle_per_host=1, share_within_flush=false, on_resume=KEEP, share_patience=0.5)"
    )
    assert arm.name == (
        "thaw(max_idle_per_host=1,on_resume=keep,share_patience=0.5,share_within_flush=false)"
    )
    assert (arm.base, arm.keeps, arm.tells_resume) == ("thaw", True, True)
    options = arm.client_options("", use_public_roots=True)
    assert (options.max_idle_per_host, options.share_within_flush, options.share_patience) == (1, False, 0.5)
    assert options.on_resume is thaw.OnResume.KEEP
    assert options.max_connections_per_host == 6  # of arm thaw
    # An option in an arm's name holds whatever the experiment sets for every arm.
    limited = arms.parse("thaw(exchange_timeout=0.25)")
    assert limited.client_options("", use_public_roots=True, exchange_timeout=1.0).exchange_timeout == 0.25


def another_value(value: Any) -> Any:
    """A value of the same type that the field may have and that is not its default."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, enum.Enum):
        return next(each for each in type(value) if each is not value).name.lower()
    if isinstance(value, int | float):
        return value + 1
    return 0.25 if value is None else "x" if isinstance(value, str) else ("a.example", "b.example")


@pytest.mark.parametrize("name", arm_options.fields())
def test_every_field_can_be_given(name: str) -> None:
    value = another_value(arm_options.fields()[name])
    together = {"tls_min_version": {"tls_max_version": "tls13"}}.get(name, {})
    value = "http://127.0.0.1:9" if name == "proxy_url" else value
    text = named_values.text_of("v93", [*together.items(), (name, arm_options.text_of(value))])
    arm = arms.parse(text)
    assert dict(arm.given)[name] == value
    assert arms.parse(arm.name) == arm
    options = arm.client_options("ca.pem")
    got = getattr(options, name)
    got = got.name.lower() if isinstance(got, enum.Enum) else tuple(got) if isinstance(got, list) else got
    assert got == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("taw", "there is no arm 'taw'; the nearest is thaw; there are v92"),
        ("thaw(max_idle=1)", "no field 'max_idle'; the nearest is max_idle_per_host (a whole number)"),
        ("thaw(share_within=1)", "the nearest is share_within_flush (true or false)"),
        ("thaw(zzz=1)", "ClientOptions has no field 'zzz'; there are max_idle_per_host, "),
        ("thaw(max_idle_per_host=x)", "arm thaw: max_idle_per_host is 'x', not a whole number"),
        ("thaw(max_idle_per_host=true)", "max_idle_per_host is 'true', not a whole number"),
        ("thaw(share_within_flush=1)", "share_within_flush is '1', not true or false"),
        ("thaw(idle_timeout=soon)", "idle_timeout is 'soon', not a number of seconds"),
        ("thaw(share_patience=soon)", "share_patience is 'soon', not a number of seconds, or none"),
        ("thaw(on_resume=dra)", "on_resume is 'dra', not one of keep, probe, drain"),
        ("thaw(max_attempts=0)", "arm thaw: max_attempts is 0; it must be 1 or more"),
        ("requests(max_attempts=1)", "arm requests takes no options"),
        ("thaw(max_attempts=1", "a bracket that is not closed"),
        ("thaw)", "closes a bracket that it has not opened"),
        ("thaw(max_attempts)", "'max_attempts' is not of the form name=value"),
        ("thaw(max_attempts=1,max_attempts=2)", "gives max_attempts twice"),
        ('thaw(user_agent="x', "a quote that is not closed"),
        ("thaw(max_attempts=1)x", "does not end with its closing bracket"),
    ],
)
def test_a_wrong_option_is_named_with_the_nearest_right_one(
    text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--arms", text])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text("abc_", min_size=1, max_size=9), st.text(max_size=20), max_size=4))
def test_named_values_come_back_from_their_text(values: dict[str, str]) -> None:
    text = named_values.text_of("name", values.items())
    assert named_values.parse(text) == ("name", values)
    assert named_values.split(f"{text},{text}") == [text, text]


def test_one_arm_has_one_name() -> None:
    assert arms.find("v93(idle_timeout=3.0,max_attempts=2), v93(max_attempts=2,idle_timeout=3)") == [
        arms.parse("v93(idle_timeout=3,max_attempts=2)")
    ]
    assert arms.parse("thaw()") == arms.ARMS["thaw"]
    exact = arms.parse("thaw(exchange_timeout=0.12345678901234568)")
    assert arms.parse(exact.name) == exact  # the client's process has the name alone


def test_variants_are_every_combination_of_the_options() -> None:
    made = arms.variants(
        ["thaw", "requests"], {"max_idle_per_host": ["0", "1"], "share_within_flush": ["true", "false"]}
    )
    assert [arm.name for arm in made] == [
        "thaw(max_idle_per_host=0,share_within_flush=true)",
        "thaw(max_idle_per_host=0,share_within_flush=false)",
        "thaw(max_idle_per_host=1,share_within_flush=true)",
        "thaw(max_idle_per_host=1,share_within_flush=false)",
        "requests",
    ]


def test_an_arm_with_options_needs_what_its_base_needs() -> None:
    assert needs.of_arms(["requests(x=1)", *VARIANTS]) == {"requests": "requests"}


def test_two_variants_stand_side_by_side(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, file, page = tmp_path / "rows", tmp_path / "result.json", tmp_path / "page.html"
    outputs = [f"--rows={rows}", f"--json={file}", f"--report={page}"]
    given = ["--cycles=3", "--payloads=2", "--workload=generated", "--close=none", *outputs]
    assert main(["compare", "--arms", ",".join(VARIANTS), *given]) == 0
    table = capsys.readouterr().out
    result = json.loads(file.read_text())
    html = page.read_text(encoding="utf-8")
    measurements = report.read_run(rows).measurements
    assert measurements is not None
    assert list(result["arms"]) == list(VARIANTS)
    for arm in VARIANTS:
        assert f"\n{arm} " in table
        assert f"<th scope=row>{arm}" in html
        assert arms.parse(arm).text in html
    assert list(dict.fromkeys(row.arm for row in measurements.cycles)) == list(VARIANTS)
    kept, unshared = (result["arms"][arm] for arm in VARIANTS)
    # The child parsed the same text: one connection for life, and one for each flush.
    assert (kept["connections"], unshared["connections"]) == (1, 3)
    assert (
        "--arms 'thaw(max_idle_per_host=1,on_resume=keep),thaw(share_within_flush=false)'"
        in result["command"]
    )


_OTHER_DATA = ("logs", "metrics", "proxied")


@pytest.mark.parametrize("release", ["v93", "v98"])
@pytest.mark.parametrize("data", _OTHER_DATA)
def test_the_peers_clients_of_other_data_have_the_options_of_their_release(release: str, data: str) -> None:
    arm = arms.parse(f"{release}-{data}")
    assert (arm.keeps, arm.tells_resume, arm.client_per_flush) == (False, False, False)
    client = arm.client_options("ca.pem")
    pooled = release == "v93"
    assert client.max_idle_per_host == (arms.UNLIMITED if pooled else 0)
    assert client.share_within_flush is pooled
    assert client.idle_timeout == (270.0 if pooled and data != "metrics" else 90.0)
    assert (client.max_attempts, client.backoff_base, client.resend_rule) == (
        3,
        0.0,
        thaw.ResendRule.HYPER_ZONE1,
    )
    flusher = arm.flusher_options("idle")
    assert flusher.on_failure is thaw.OnFailure.DISCARD
    assert arm.flusher_options("inflight").on_failure is thaw.OnFailure.REDRIVE_AT_SHUTDOWN
    assert flusher.sequential is (data == "metrics")
    assert flusher.drop_refused is (data == "metrics")
    assert (flusher.return_all_on_failure, flusher.retry_all_statuses) == (False, False)
    traces = arms.parse(release).flusher_options("idle")
    assert (traces.sequential, traces.return_all_on_failure, traces.retry_all_statuses) == (True, True, True)


@pytest.mark.parametrize("release", ["v93", "v98"])
@pytest.mark.parametrize("data", _OTHER_DATA)
def test_the_peers_clients_of_other_data_pool_until_v98(release: str, data: str) -> None:
    arm = arms.parse(f"{release}-{data}")
    with Intake() as intake, thaw.Client(arm.client_options(intake.ca_file)) as client:
        flusher = thaw.LogsFlusher(client, intake.url, "key", options=arm.flusher_options("idle"))
        for flush in range(3):
            flusher.add(thaw.LogsPayload.from_lines([str(flush)], timestamp=1.0))
            assert flusher.flush(deadline=10.0).delivered == 1
        connections = {each["connection"] for each in intake.requests()}
    assert len(connections) == (1 if release == "v93" else 3)


def test_three_attempts_outlive_a_connection_that_the_peer_reset(tmp_path: pathlib.Path) -> None:
    names = ("v93", "v93-logs", "v93-metrics", "v93-proxied", "v98-logs")
    file = tmp_path / "result.json"
    given = ["--world=W0", "--cycles=6", "--workload=generated", "--close=silent", f"--json={file}"]
    assert main(["compare", "--arms", ",".join(names), *given]) == 0
    result = json.loads(file.read_text())["arms"]
    assert {name for name in names if result[name]["lost"] > 0} == {"v93"}


def test_arms_of_other_data_stand_in_specs(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "spec.toml"
    file.write_text('version = 1\nworld = "W0"\narms = ["v93-logs", "v98-metrics(idle_timeout=30)"]\n')
    read = spec_file.read(str(file))
    assert read.base.arms == ("v93-logs", "v98-metrics(idle_timeout=30)")
