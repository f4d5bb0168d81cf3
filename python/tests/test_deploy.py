"""docs/deploy.md and its files are accepted by the tools that read them, and agree with the code."""

from __future__ import annotations

import json
import pathlib
import py_compile
import re
import subprocess
import sys
from typing import Any

import hcl2
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "deploy.md"
FOLDER = ROOT / "docs" / "deploy"
OPTIONS = ROOT / "cc" / "config" / "options.inc"
KEYS = ROOT / "cc" / "lambda" / "keys"

# Beyond it the page lists variables of Datadog's layer alone.
DIFFERENCES = "This layer lacks these features of Datadog's:"
_VARIABLE = re.compile(r"\bDD_[A-Z0-9_]+")
# The services' names in requests that the extension signs, and those in IAM's actions.
_SERVICES = {"TrentService": "kms", "secretsmanager": "secretsmanager", "AmazonSSM": "ssm"}


def options() -> set[str]:
    return set(_VARIABLE.findall(OPTIONS.read_text()))


def test_each_variable_of_the_page_and_its_files_is_an_option() -> None:
    known = options()
    texts = {PAGE: PAGE.read_text().partition(DIFFERENCES)[0]}
    texts |= {file: file.read_text() for file in FOLDER.rglob("*") if file.is_file()}
    for file, text in texts.items():
        assert set(_VARIABLE.findall(text)) - known == set(), file
    assert _VARIABLE.findall(texts[PAGE])


def test_what_the_page_says_to_be_missing_is_no_option() -> None:
    _, found, missing = PAGE.read_text().partition(DIFFERENCES)
    assert found
    assert _VARIABLE.findall(missing)
    assert set(_VARIABLE.findall(missing)) & options() == set()


def test_each_file_is_named_by_the_page_and_is_there() -> None:
    named = set(re.findall(r"\(deploy/([^)]+)\)", PAGE.read_text())) - {""}
    there = {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*") if file.is_file()}
    assert named == there


def test_the_policies_allow_the_calls_that_the_extension_signs_and_no_other() -> None:
    sources = "".join(file.read_text() for file in KEYS.glob("*.cc") if "_test" not in file.name)
    signed = set(re.findall(r'"(TrentService|secretsmanager|AmazonSSM)\.(\w+)"', sources))
    calls = {f"{_SERVICES[service]}:{operation}" for service, operation in signed}
    assert len(calls) == 3
    allowed = set()
    for file in (FOLDER / "iam").glob("*.json"):
        policy = json.loads(file.read_text())
        assert policy["Version"] == "2012-10-17"
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            assert statement["Resource"].startswith("arn:aws:" + statement["Action"].partition(":")[0] + ":")
            allowed.add(statement["Action"])
    assert allowed == calls
    assert set(re.findall(r"`((?:kms|secretsmanager|ssm):\w+)`", PAGE.read_text())) == calls
    # It needs no permission, so that no policy has it.
    assert "Action=GetCallerIdentity" in sources


def lint(template: pathlib.Path) -> subprocess.CompletedProcess[str]:
    command = pathlib.Path(sys.executable).with_name("cfn-lint")
    return subprocess.run(
        [command, "--regions", "eu-west-1", "--", template], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_sam_template_is_accepted_by_cfn_lint(tmp_path: pathlib.Path) -> None:
    accepted = lint(FOLDER / "template.yaml")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    broken = tmp_path / "template.yaml"
    broken.write_text((FOLDER / "template.yaml").read_text().replace("!Ref ThawLayer", "!Ref NoLayer"))
    refused = lint(broken)
    assert refused.returncode != 0
    assert "NoLayer" in refused.stdout


def _variables_of(environment: dict[str, Any]) -> set[str]:
    return {name.strip('"') for name in environment}


def test_each_tool_sets_the_same_variables() -> None:
    terraform = hcl2.loads((FOLDER / "main.tf").read_text())
    (function,) = (
        each['"orders"'] if '"orders"' in each else each["orders"]
        for resource in terraform["resource"]
        for name, each in resource.items()
        if name.strip('"') == "aws_lambda_function"
    )
    of_terraform = _variables_of(function["environment"][0]["variables"])
    serverless = yaml.safe_load((FOLDER / "serverless.yml").read_text())
    of_serverless = set(serverless["provider"]["environment"])
    assert of_terraform == of_serverless
    for name in ("template.yaml", "cdk_stack.py"):
        assert set(_VARIABLE.findall((FOLDER / name).read_text())) == of_serverless, name


def test_the_serverless_function_has_the_layer_that_the_file_declares() -> None:
    declared = yaml.safe_load((FOLDER / "serverless.yml").read_text())
    (layer,) = declared["layers"]
    assert declared["functions"]["orders"]["layers"] == [{"Ref": f"{layer.capitalize()}LambdaLayer"}]


def test_the_cdk_stack_compiles(tmp_path: pathlib.Path) -> None:
    py_compile.compile(str(FOLDER / "cdk_stack.py"), cfile=str(tmp_path / "stack.pyc"), doraise=True)


def test_the_image_has_the_layers_files_where_lambda_looks() -> None:
    lines = [line for line in (FOLDER / "Dockerfile").read_text().splitlines() if line[:1] not in ("", "#")]
    instructions = [line.split() for line in lines]
    assert [words[0] for words in instructions] == ["FROM", "COPY", "COPY", "CMD"]
    assert instructions[1] == ["COPY", "--from=layer", ".", "/opt/"]


def test_files_name_the_layer_of_this_version() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    names = set()
    for file in (PAGE, *(each for each in FOLDER.rglob("*") if each.is_file())):
        names |= set(re.findall(r"thaw-layer-[\d.]+-\w+\.zip", file.read_text()))
    assert names == {f"thaw-layer-{version}-x86_64.zip"}


def test_commands_of_the_page_are_options_of_the_programs() -> None:
    page = PAGE.read_text()
    sources = {
        "tools/release": (ROOT / "tools" / "make_release.py").read_text(),
        "extensions/datadog-agent": (ROOT / "cc" / "extension" / "command_line.cc").read_text(),
    }
    for program, source in sources.items():
        used = re.findall(rf"{program}((?: --?[\w-]+| \w+)*)", page)
        flags = {flag for words in used for flag in re.findall(r"--[\w-]+", words)}
        assert flags, program
        assert all(f'"{flag}"' in source for flag in flags), (program, flags)
