"""Errors of Lambda's three local APIs, and the failures that end an environment.

The Extensions API answers 403 to everything that an extension did wrong, the Runtime API 400 and 403, the
Telemetry API 400 to a bad subscription and 202 where there is no telemetry. The types are AWS's; extensions
and runtimes tell the cases apart by them.
"""

from __future__ import annotations

import json


class ApiError(Exception):
    """An error as the answer of a local API."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.status = status
        self.error_type = error_type
        self.message = message

    @property
    def body(self) -> bytes:
        return json.dumps({"errorMessage": self.message, "errorType": self.error_type}).encode()


# -- Extensions API


def invalid_extension_name() -> ApiError:
    return ApiError(403, "Extension.InvalidExtensionName", "Lambda-Extension-Name: missing or empty")


def invalid_request_format(why: str) -> ApiError:
    return ApiError(403, "InvalidRequestFormat", f"the body of the request is not valid: {why}")


def invalid_event_type(event: str, why: str) -> ApiError:
    return ApiError(403, "Extension.InvalidEventType", f"{event!r} can't be registered for: {why}")


def invalid_extension_state(what: str) -> ApiError:
    return ApiError(403, "Extension.InvalidExtensionState", what)


def registration_closed() -> ApiError:
    return ApiError(403, "Extension.RegistrationClosed", "extensions register before the runtime is ready")


def too_many_extensions(limit: int) -> ApiError:
    return ApiError(
        403, "Extension.TooManyExtensions", f"{limit} extensions are registered, which is the limit"
    )


def missing_extension_identifier() -> ApiError:
    return ApiError(403, "Extension.MissingExtensionIdentifier", "Lambda-Extension-Identifier: missing")


def invalid_extension_identifier(given: str) -> ApiError:
    return ApiError(403, "Extension.InvalidExtensionIdentifier", f"{given!r} is not a UUID")


def unknown_extension_identifier(given: str) -> ApiError:
    return ApiError(403, "Extension.UnknownExtensionIdentifier", f"no extension has the identifier {given}")


def missing_header(name: str) -> ApiError:
    return ApiError(403, "Extension.MissingHeader", f"{name}: missing")


# -- Runtime API


def invalid_request_id(given: str) -> ApiError:
    return ApiError(400, "InvalidRequestID", f"no invocation with the id {given!r} is under way")


def invalid_state_transition(what: str) -> ApiError:
    return ApiError(403, "InvalidStateTransition", what)


def response_too_large(limit: int) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"a response has at most {limit} bytes")


# -- Telemetry API


def telemetry_not_supported() -> ApiError:
    return ApiError(202, "Telemetry.NotSupported", "there is no Telemetry API in this environment")


def telemetry_invalid(why: str) -> ApiError:
    return ApiError(400, "ValidationError", why)


def telemetry_closed() -> ApiError:
    return ApiError(
        403, "Telemetry.SubscriptionClosed", "extensions subscribe before their first /event/next"
    )


class SandboxFailure(Exception):
    """The reason why an environment ended otherwise than by a shutdown.

    `error_type` is Lambda's word for it: Extension.Crash, Extension.InitError, Extension.ExitError,
    Runtime.ExitError, Runtime.OutOfMemory, Sandbox.Timedout, or what a runtime gave to /init/error, whose
    body is the `payload` that the caller gets.
    """

    def __init__(self, error_type: str, message: str, payload: bytes | None = None) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.payload = payload

    @property
    def is_timeout(self) -> bool:
        return self.error_type == "Sandbox.Timedout"


class EmulatorError(RuntimeError):
    """The emulator can't go on: a program is missing, or a process can't be frozen."""
