"""The laboratory's stores of secrets throttle and fail as they are told to, and then give the key."""

from __future__ import annotations

import base64
import http.client
import json
import pathlib
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from thaw.lab.certificates import Authority
from thaw.lab.secrets_server import FAULTS, HOSTS, STORES, Fault, SecretsServer, Store, variables

KEY = "0123456789abcdef0123456789abcdef"
OPERATIONS = {
    "secretsmanager": "secretsmanager.GetSecretValue",
    "kms": "TrentService.Decrypt",
    "ssm": "AmazonSSM.GetParameter",
}


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path, ("127.0.0.1", *HOSTS))


@pytest.fixture
def server(authority: Authority) -> Iterator[SecretsServer]:
    with SecretsServer(authority, key=KEY, port=0) as made:
        yield made


def ask(server: SecretsServer, authority: Authority, operation: str) -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=10)
    try:
        headers = {"X-Amz-Target": operation, "Content-Type": "application/x-amz-json-1.1"}
        connection.request("POST", "/", json.dumps({"SecretId": "lab"}), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def key_of(store: Store, answer: Any) -> str:
    if store == "kms":
        return base64.b64decode(answer["Plaintext"]).decode()
    return str(answer["Parameter"]["Value"] if store == "ssm" else answer["SecretString"])


@pytest.mark.parametrize("store", STORES)
def test_each_store_gives_the_key(server: SecretsServer, authority: Authority, store: Store) -> None:
    status, answer = ask(server, authority, OPERATIONS[store])
    assert (status, key_of(store, answer)) == (200, KEY)
    assert server.asked == [OPERATIONS[store]]
    assert server.answered == 1


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("throttled", 400, "ThrottlingException"),
        ("too_many", 429, "TooManyRequestsException"),
        ("failed", 500, "InternalServiceError"),
        ("unavailable", 503, "ServiceUnavailable"),
    ],
)
def test_faults_come_first_and_are_used_up(
    server: SecretsServer, authority: Authority, fault: Fault, status: int, kind: str
) -> None:
    server.fail([fault, fault])
    for _ in range(2):
        assert ask(server, authority, OPERATIONS["ssm"]) == (
            status,
            {"__type": kind, "message": "Rate exceeded"},
        )
    assert server.answered == 0
    assert ask(server, authority, OPERATIONS["ssm"])[0] == 200
    assert (len(server.asked), server.answered) == (3, 1)


def test_a_reset_is_a_reset(server: SecretsServer, authority: Authority) -> None:
    server.fail(["reset"])
    with pytest.raises((ConnectionError, http.client.BadStatusLine, ssl.SSLError)):
        ask(server, authority, OPERATIONS["kms"])
    assert (server.asked, server.answered) == ([OPERATIONS["kms"]], 0)
    assert ask(server, authority, OPERATIONS["kms"])[0] == 200


def test_an_unknown_operation_is_refused(server: SecretsServer, authority: Authority) -> None:
    assert ask(server, authority, "secretsmanager.PutSecretValue")[0] == 400
    assert server.answered == 0


def test_every_store_has_its_variable_and_every_fault_its_answer() -> None:
    names = [set(variables(store)) for store in STORES]
    assert names == [{"DD_API_KEY_SECRET_ARN"}, {"DD_KMS_API_KEY"}, {"DD_API_KEY_SSM_ARN"}]
    assert set(FAULTS) == {"throttled", "too_many", "failed", "unavailable", "reset"}
