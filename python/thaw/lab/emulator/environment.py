"""The variables that Lambda sets for the processes of an environment, and its local credentials."""

from __future__ import annotations

import datetime
import json
import os
import secrets

from thaw.lab.emulator.settings import Settings

# Credentials that are obviously made up: what is signed with them is refused everywhere.
_ACCESS_KEY = "ASIAEMULATED00000000"
_SECRET_KEY = "emulated-secret-access-key"
_SESSION_TOKEN = "emulated-session-token"

CREDENTIALS_PATH = "/2021-04-23/credentials"


class Environment:
    """The variables of an environment's processes.

    Args:
      settings: the function's settings.
      address: the address of the local APIs, "host:port".
    """

    def __init__(self, settings: Settings, address: str) -> None:
        self._settings = settings
        self._address = address
        self.authorization_token = secrets.token_urlsafe(24)
        today = datetime.datetime.now(datetime.UTC)
        self.log_group = f"/aws/lambda/{settings.name}"
        self.log_stream = f"{today:%Y/%m/%d}/[{settings.version}]{secrets.token_hex(16)}"

    def of_extensions(self) -> dict[str, str]:
        """Variables of an extension: those of the runtime without what belongs to the runtime alone."""
        settings = self._settings
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            "AWS_LAMBDA_FUNCTION_NAME": settings.name,
            "AWS_LAMBDA_FUNCTION_VERSION": settings.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": settings.initialization_type,
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_RUNTIME_API": self._address,
            "LAMBDA_TASK_ROOT": str(settings.folder.resolve()),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
        }
        if settings.log_format != "Text":
            variables["AWS_LAMBDA_LOG_FORMAT"] = settings.log_format
        if settings.initialization_type == "snap-start":
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://{self._address}{CREDENTIALS_PATH}"
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.authorization_token
        else:
            variables["AWS_ACCESS_KEY_ID"] = _ACCESS_KEY
            variables["AWS_SECRET_ACCESS_KEY"] = _SECRET_KEY
            variables["AWS_SESSION_TOKEN"] = _SESSION_TOKEN
        return {**variables, **settings.environment}

    def of_runtime(self) -> dict[str, str]:
        settings = self._settings
        variables = {
            "_HANDLER": settings.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{settings.runtime}",
        }
        if settings.is_managed_instance:
            variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(settings.max_concurrency)
        return {**self.of_extensions(), **variables}

    def credentials(self) -> bytes:
        """Returns the body that AWS_CONTAINER_CREDENTIALS_FULL_URI gives."""
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=6)
        return json.dumps(
            {
                "AccessKeyId": _ACCESS_KEY,
                "SecretAccessKey": _SECRET_KEY,
                "Token": _SESSION_TOKEN,
                "Expiration": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            }
        ).encode()
