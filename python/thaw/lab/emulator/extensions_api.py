"""The Extensions API of one environment: its extensions and their events.

    POST /2020-01-01/extension/register     GET  /2020-01-01/extension/event/next
    POST /2020-01-01/extension/init/error   POST /2020-01-01/extension/exit/error

An extension that was started from a file is external; any other name is an internal one, registered by the
runtime's process. A call to /event/next is answered when there is an event, and its connection may be gone by
then: as Lambda does, the emulator does not notice, and a second call meanwhile is an error.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from thaw.lab.emulator import errors
from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.settings import Settings
from thaw.lab.emulator.timestamps import now_ns

_MOST_EXTENSIONS = 10
_EVENTS = ("INVOKE", "SHUTDOWN")

ExtensionState = Literal["registered", "ready", "running", "shutting down", "failed"]


@dataclass(frozen=True)
class Answer:
    """An answer of a local API."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass(eq=False)
class Extension:
    """A registered extension.

    `registered` is before its first /event/next, `ready` while it waits for an event.
    """

    name: str
    identifier: str
    internal: bool
    events: tuple[str, ...]
    state: ExtensionState = "registered"
    first_next_ns: int = 0
    last_next_ns: int = 0
    shutdown_sent_ns: int = 0
    error_type: str | None = None
    waiting: asyncio.Future[Answer] | None = None
    # The SHUTDOWN event, which it gets whenever it comes to /event/next.
    shutdown: Answer | None = None

    def tell(self, event: Mapping[str, Any], *, headers: Mapping[str, str]) -> None:
        """Answers its /event/next."""
        assert self.waiting is not None
        self.waiting.set_result(Answer(json.dumps(event).encode(), headers))
        self.waiting = None


class ExtensionsApi:
    """The extensions of one environment.

    Args:
      settings: the function's settings.
      launched: the names of the extensions that are started from files.
      changed: called after every change of state.
      on_next: called when an extension asks for an event, before it is answered.
      on_failure: called with the error that an extension reports.
    """

    def __init__(
        self,
        settings: Settings,
        launched: Collection[str],
        *,
        changed: Callable[[], None],
        on_next: Callable[[Extension], None],
        on_failure: Callable[[SandboxFailure], None],
    ) -> None:
        self._settings = settings
        self._launched = frozenset(launched)
        self._changed, self._on_next, self._on_failure = changed, on_next, on_failure
        self._by_identifier: dict[str, Extension] = {}
        self._registration_open = True

    @property
    def extensions(self) -> Collection[Extension]:
        return self._by_identifier.values()

    def find(self, name: str) -> Extension | None:
        return next((each for each in self.extensions if each.name == name), None)

    @property
    def all_launched_registered(self) -> bool:
        return self._launched <= {each.name for each in self.extensions}

    @property
    def all_ready(self) -> bool:
        return all(each.state == "ready" for each in self.extensions)

    def close_registration(self) -> None:
        self._registration_open = False

    # -- The calls

    def register(self, headers: Mapping[str, str], body: bytes) -> Answer:
        name = headers.get("Lambda-Extension-Name", "").strip()
        if not name:
            raise errors.invalid_extension_name()
        try:
            asked = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise errors.invalid_request_format(str(error)) from None
        if not isinstance(asked, dict):
            raise errors.invalid_request_format("it is not a JSON object")
        if "configurationKeys" in asked:
            raise errors.invalid_request_format("configurationKeys is not allowed")
        events = asked.get("events", [])
        if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
            raise errors.invalid_request_format("events is not a list of names")
        internal = name not in self._launched
        for event in events:
            self._check_event(event, internal)
        if self.find(name) is not None:
            raise errors.invalid_extension_state(f"{name} is registered already")
        if not self._registration_open:
            raise errors.registration_closed()
        if len(self._by_identifier) >= _MOST_EXTENSIONS:
            raise errors.too_many_extensions(_MOST_EXTENSIONS)
        extension = Extension(name, str(uuid.uuid4()), internal, tuple(dict.fromkeys(events)))
        self._by_identifier[extension.identifier] = extension
        self._changed()
        answer = {
            "functionName": self._settings.name,
            "functionVersion": self._settings.version,
            "handler": self._settings.handler,
        }
        features = [each.strip() for each in headers.get("Lambda-Extension-Accept-Feature", "").split(",")]
        if "accountId" in features and self._settings.knows_account_id:
            answer["accountId"] = self._settings.account_id
        return Answer(json.dumps(answer).encode(), {"Lambda-Extension-Identifier": extension.identifier})

    async def next_event(self, headers: Mapping[str, str]) -> Answer:
        extension = self.identify(headers)
        if extension.waiting is not None:
            raise errors.invalid_extension_state(f"{extension.name} waits in /event/next already")
        if extension.state == "failed":
            raise errors.invalid_extension_state(f"{extension.name} has said that it failed")
        extension.last_next_ns = now_ns()
        if extension.shutdown is not None:
            extension.shutdown_sent_ns = extension.last_next_ns
            return extension.shutdown
        extension.first_next_ns = extension.first_next_ns or extension.last_next_ns
        extension.waiting = asyncio.get_running_loop().create_future()
        extension.state = "ready"
        self._on_next(extension)
        self._changed()
        return await extension.waiting

    def error(self, headers: Mapping[str, str], body: bytes, *, phase: Literal["init", "exit"]) -> Answer:
        extension = self.identify(headers)
        header = "Lambda-Extension-Function-Error-Type"
        error_type = headers.get(header, "")
        if not error_type:
            raise errors.missing_header(header)
        if extension.state == "failed":
            raise errors.invalid_extension_state(f"{extension.name} has said already that it failed")
        extension.state, extension.error_type = "failed", error_type
        said = body.decode("utf-8", "replace")
        kind = "Extension.InitError" if phase == "init" else "Extension.ExitError"
        self._on_failure(SandboxFailure(kind, f"{extension.name} says {error_type}: {said}"))
        self._changed()
        return Answer(b'{"status":"OK"}', status=202)

    def identify(self, headers: Mapping[str, str]) -> Extension:
        """Returns the extension that calls. Raises ApiError if it is not registered."""
        given = headers.get("Lambda-Extension-Identifier", "")
        if not given:
            raise errors.missing_extension_identifier()
        try:
            identifier = str(uuid.UUID(given))
        except ValueError:
            raise errors.invalid_extension_identifier(given) from None
        if identifier not in self._by_identifier:
            raise errors.unknown_extension_identifier(given)
        return self._by_identifier[identifier]

    # -- Events

    def tell_invoke(self, event: Mapping[str, Any]) -> None:
        """Sends INVOKE to every extension that registered for it. All of them are in /event/next."""
        for extension in self.extensions:
            if "INVOKE" in extension.events:
                extension.state = "running"
                extension.tell(event, headers={"Lambda-Extension-Event-Identifier": str(uuid.uuid4())})

    def tell_shutdown(self, extension: Extension, event: Mapping[str, Any]) -> None:
        """Sends SHUTDOWN at once, or when the extension comes to /event/next; again if it asks again."""
        extension.state = "shutting down"
        extension.shutdown = Answer(json.dumps(event).encode())
        if extension.waiting is not None:
            extension.shutdown_sent_ns = now_ns()
            extension.tell(event, headers={})

    def close(self) -> None:
        """Ends the API with its environment: calls that wait are not answered any more."""
        for extension in self.extensions:
            if extension.waiting is not None:
                extension.waiting.cancel()
                extension.waiting = None

    def _check_event(self, event: str, internal: bool) -> None:
        if event not in _EVENTS:
            raise errors.invalid_event_type(event, f"there are {' and '.join(_EVENTS)}")
        if event == "SHUTDOWN" and internal:
            raise errors.invalid_event_type(event, "internal extensions are not told of the end")
        if event == "INVOKE" and self._settings.is_managed_instance:
            raise errors.invalid_event_type(event, "managed instances have no INVOKE event")
