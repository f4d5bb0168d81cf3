"""`--check-config` and `--connect` of the executable, and what it says when it starts."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess

import pytest

from thaw.lab.intake import Intake

from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

KEY = "0123456789abcdef"


def check(
    *arguments: str, folder: pathlib.Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    if folder is not None:
        variables["LAMBDA_TASK_ROOT"] = str(folder)
    return subprocess.run(
        [EXTENSION, "--check-config", *arguments], capture_output=True, text=True, timeout=30, env=variables
    )


def test_nothing_is_wrong() -> None:
    checked = check(DD_API_KEY=KEY)
    assert checked.returncode == 0
    assert checked.stderr == ""
    assert KEY not in checked.stdout
    assert json.loads(checked.stdout)["warnings"] == []


@pytest.mark.parametrize("argument", ["--check-config", "--help", "--version"])
@pytest.mark.parametrize(
    ("output", "why"), [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")]
)
def test_an_output_that_takes_nothing_is_named(argument: str, output: str, why: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" {argument} {output}', str(EXTENSION)],
        env={"DD_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr == f"datadog-agent: standard output can't be written: {why}\n"


def test_a_secret_store_that_can_not_be_reached_is_one_line() -> None:
    checked = check(
        "--connect",
        DD_API_KEY_SECRET_ARN="arn:aws:secretsmanager:us-east-1:1:secret:dd",
        AWS_REGION="us-east-1",
    )
    assert checked.returncode == 1
    assert len(checked.stderr.splitlines()) == 1
    assert checked.stderr.startswith("no API key: Secrets Manager: ")


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({}, "there is no API key"),
        ({"DD_TLS_CERT_FILE": "/nowhere/roots.pem"}, "/nowhere/roots.pem"),
        ({"DD_APM_REPLACE_TAGS": '[{"name": "*", "pattern": "(", "repl": ""}]'}, "replace rule 0"),
        ({"DD_APM_FILTER_TAGS_REGEX_REJECT": "a:("}, "DD_APM_FILTER_TAGS_REGEX_REJECT"),
        ({"DD_SITE": "datadog.com"}, "not one of Datadog's sites"),
        ({"DD_SERVERLESS_FLUSH_STRATGY": "end"}, "did you mean DD_SERVERLESS_FLUSH_STRATEGY?"),
        ({"DD_TAGS": ":b"}, "a tag without a name"),
        ({"DD_API_KEY_SECRET_ARN": "nope"}, 'DD_API_KEY_SECRET_ARN is "nope": it is not an ARN'),
        ({"DD_KMS_API_KEY": "!!"}, "DD_KMS_API_KEY is not base64"),
        ({"DD_APM_FILTER_TAGS_REJECT": ":"}, "does not begin with the name of a tag"),
        ({"DD_FLUSH_STRATEGY": "end"}, "did you mean DD_SERVERLESS_FLUSH_STRATEGY?"),
        ({"HTTP_PROXY": "proxy:3128"}, "the variable HTTP_PROXY is not read"),
    ],
)
def test_each_fault_is_one_line_and_exit_code_1(variables: dict[str, str], what: str) -> None:
    given = {"DD_API_KEY": KEY, **variables} if variables else {}
    checked = check(**given)
    assert checked.returncode == 1
    assert len(checked.stderr.splitlines()) == 1
    assert what in checked.stderr


@pytest.mark.parametrize("text", ["<your-api-key>", "https://secret.example", "secret0123,secret4567"])
def test_text_that_can_not_be_a_key_is_named_and_not_shown(text: str) -> None:
    checked = check(DD_API_KEY=text)
    assert checked.returncode == 1
    problem, without_key = checked.stderr.splitlines()
    assert "DD_API_KEY is " in problem
    assert "there is no API key" in without_key
    assert text not in checked.stderr + checked.stdout


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("datadog.yml", "site: datadoghq.eu\n", "rename it to datadog.yaml"),
        ("datadog.yaml", "logs_enabeld: true\n", 'line 1: the key "logs_enabeld"'),
        ("datadog.yaml", 'env: a\nsite: "datadoghq.eu\nlog_level: debug\n', "line 2, column 7: quotes"),
        ("datadog.yaml", "env: a\nsite datadoghq.eu\n", "line 2, column 1: a key without a colon"),
    ],
)
def test_faults_of_the_file_are_named(tmp_path: pathlib.Path, name: str, text: str, what: str) -> None:
    (tmp_path / name).write_text(text)
    checked = check(folder=tmp_path, DD_API_KEY=KEY)
    assert checked.returncode == 1
    assert what in checked.stderr
    effective = json.loads(checked.stdout)
    assert effective["site"] == "datadoghq.com"
    assert effective["env"] == "", "nothing of a file that can't be parsed is used"


def test_connect_tries_the_intake_once() -> None:
    with Intake() as intake:
        tried = check("--connect", **{**intake.agent_variables, "DD_API_KEY": KEY})
        assert tried.returncode == 0, tried.stderr
        assert "accepts it" in tried.stderr
        assert KEY not in tried.stderr
        assert intake.counts()["requests"] == 1


def test_connect_says_why_the_intake_can_not_be_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        tried = check("--connect", DD_API_KEY=KEY, DD_APM_DD_URL=f"http://127.0.0.1:{port}")
    assert tried.returncode == 1
    assert f"http://127.0.0.1:{port}/api/v0.2/traces did not accept a request" in tried.stderr
