"""Stand-ins for AWS's stores of secrets (Secrets Manager, KMS, Systems Manager) that throttle and fail.

    with SecretsServer(authority, key="abc", faults=["throttled", "reset"]) as server:
        server.asked                          # operations, in their order

One TLS server stands for all three: it answers each call with the key, once the faults are used up. AWS's
names (`HOSTS`) have to resolve to it (`nameserver`), and its certificate has to name them. It is not an
`intake`, since its answers depend on the operation that is called.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import http.server
import socket
import ssl
import struct
import threading
from collections.abc import Iterable
from typing import Literal, get_args

from thaw.lab.certificates import Authority, server_context
from thaw.lab.json_handler import JsonHandler

# The store of the secret; each store has a variable of its own.
Store = Literal["secretsmanager", "kms", "ssm"]
STORES: tuple[Store, ...] = get_args(Store)

# The reaction to a call instead of an answer:
#   throttled   400 with ThrottlingException, as Secrets Manager and Systems Manager say it
#   too_many    429
#   failed      500
#   unavailable 503
#   reset       RST
Fault = Literal["throttled", "too_many", "failed", "unavailable", "reset"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

PORT = 443
REGION = "us-east-1"
HOSTS = tuple(f"{store}.{REGION}.amazonaws.com" for store in STORES)

_ERRORS = {
    "throttled": (400, "ThrottlingException"),
    "too_many": (429, "TooManyRequestsException"),
    "failed": (500, "InternalServiceError"),
    "unavailable": (503, "ServiceUnavailable"),
}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_OPERATIONS = {
    "secretsmanager.GetSecretValue": "secretsmanager",
    "TrentService.Decrypt": "kms",
    "AmazonSSM.GetParameter": "ssm",
}


def variables(store: Store) -> dict[str, str]:
    """Returns the variables with which an extension asks this store for its key."""
    return {
        "secretsmanager": {
            "DD_API_KEY_SECRET_ARN": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:lab-AbCdEf"
        },
        "kms": {"DD_KMS_API_KEY": base64.b64encode(b"encrypted by nobody").decode()},
        "ssm": {"DD_API_KEY_SSM_ARN": f"arn:aws:ssm:{REGION}:123456789012:parameter/lab"},
    }[store]


class SecretsServer:
    """A store of secrets that answers while its context is entered.

    Args:
      authority: the authority whose leaf is for `HOSTS`.
      key: the secret.
      faults: the faults of the first calls, in turn.
      port: the port to listen on; 0 for one that is free.

    Attributes:
      asked: the operation of each call, in the order of the calls.
      answered: the number of calls that were answered with the key.
    """

    def __init__(
        self, authority: Authority, *, key: str, faults: Iterable[Fault] = (), port: int = PORT
    ) -> None:
        self.asked: list[str] = []
        self.answered = 0
        self._key = key
        self._faults = collections.deque(faults)
        context = server_context(str(authority.chain_file), str(authority.key_file))
        self._server = _TlsServer(port, self, context)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def fail(self, faults: Iterable[Fault]) -> None:
        """Sets what the next calls get; none: they get their answer."""
        self._faults = collections.deque(faults)

    def take(self, operation: str) -> Fault | None:
        """Notes a call. Returns what the call gets instead of its answer."""
        self.asked.append(operation)
        with contextlib.suppress(IndexError):
            return self._faults.popleft()
        return None

    def answer(self, operation: str) -> dict[str, object] | None:
        """Returns the answer to a call; None if there is no such operation."""
        store = _OPERATIONS.get(operation)
        if store is None:
            return None
        self.answered += 1
        if store == "kms":
            return {"KeyId": "lab", "Plaintext": base64.b64encode(self._key.encode()).decode()}
        if store == "ssm":
            return {"Parameter": {"Name": "lab", "Type": "SecureString", "Value": self._key}}
        return {"Name": "lab", "SecretString": self._key}

    def __enter__(self) -> SecretsServer:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)


class _TlsServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, server: SecretsServer, context: ssl.SSLContext) -> None:
        self.secrets, self._context = server, context
        super().__init__(("127.0.0.1", port), _Handler)

    def finish_request(self, request: object, client_address: object) -> None:
        # Runs in the connection's own thread: a slow handshake delays no other connection.
        assert isinstance(request, socket.socket)
        request.settimeout(30.0)
        with contextlib.suppress(OSError), self._context.wrap_socket(request, server_side=True) as wrapped:
            _Handler(wrapped, client_address, self)


class _Handler(JsonHandler):
    content_type = "application/x-amz-json-1.1"
    server: _TlsServer

    def do_POST(self) -> None:  # noqa: N802  http.server's name
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get("X-Amz-Target", "")
        secrets = self.server.secrets
        fault = secrets.take(operation)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.close_connection = True
        elif fault is not None:
            status, kind = _ERRORS[fault]
            self.answer({"__type": kind, "message": "Rate exceeded"}, status)
        elif (answer := secrets.answer(operation)) is not None:
            self.answer(answer)
        else:
            self.answer({"__type": "UnknownOperationException"}, 400)
