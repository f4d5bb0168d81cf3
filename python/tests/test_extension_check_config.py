"""`--check-config` and `--connect` of the executable, and what it says when it starts."""

from __future__ import annotations

import ast
import json
import pathlib
import socket
import subprocess
import sys

import pytest

from thaw.lab.child_environment import child_environment
from thaw.lab.intake import Intake
from thaw.lab.secrets_server import STORES

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


# Runs in a network of its own, where the secret store's name leads to this machine.
PROGRAM = """
import contextlib, pathlib, subprocess, sys, tempfile
from thaw.lab import own_network
from thaw.lab.certificates import Authority
from thaw.lab.intake import Intake
from thaw.lab.nameserver import Nameserver
from thaw.lab.secrets_server import HOSTS, REGION, SecretsServer, variables

extension, store, key, faults = sys.argv[1:]
if (note := own_network.enter(65536)) is not None:
    sys.exit(f"skip: {note}")
with contextlib.ExitStack() as stack:
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    authority = Authority(folder, ("127.0.0.1", *HOSTS))
    intake = stack.enter_context(Intake(authority=authority))
    server = stack.enter_context(SecretsServer(authority, key=key, faults=faults.split()))
    stack.enter_context(Nameserver({host: "127.0.0.1" for host in HOSTS}, "empty"))
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.1\\n")
    environment = {
        **intake.agent_variables,
        **variables(store),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    environment.pop("DD_API_KEY", None)
    script = 'mount --bind "$1" /etc/resolv.conf && exec "$2" --check-config --connect'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(resolv_conf), extension]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    keys = {request["headers"].get("dd-api-key") for request in intake.requests()}
    print([done.returncode, done.stderr, done.stdout, server.asked, sorted(map(str, keys))])
"""


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("faults", ["", "throttled"])
def test_connect_tries_the_key_that_a_secret_store_gives(store: str, faults: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(EXTENSION), store, KEY, faults],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "skip: " in ran.stderr or "Operation not permitted" in ran.stderr:
        pytest.skip(ran.stderr)
    assert ran.returncode == 0, ran.stderr
    code, said, configuration, asked, keys = ast.literal_eval(ran.stdout)
    assert code == 0, said
    assert "accepts it" in said
    assert KEY not in said + configuration
    assert len(asked) == len(faults.split()) + 1
    assert keys == [KEY]


def test_connect_says_why_the_intake_can_not_be_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        tried = check("--connect", DD_API_KEY=KEY, DD_APM_DD_URL=f"http://127.0.0.1:{port}")
    assert tried.returncode == 1
    assert f"http://127.0.0.1:{port}/api/v0.2/traces did not accept a request" in tried.stderr
