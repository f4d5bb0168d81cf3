"""A Datadog intake on this machine, which closes, resets, forgets, stalls and refuses as a script says.

    with Intake(Script(idle_close="fin", idle_after=0.01)) as intake:
        requests.post(intake.url + "/api/v0.2/traces", data=body, verify=intake.ca_file)
        intake.spans()

`client` starts the server's process and asks it what it saw; `script` is what the server does. `server`,
`connection`, `request_parsing`, `stored_requests`, `arrivals` and `timers` run in that process. `decode`,
`decode_logs`, `decode_metrics` and `decode_events` read what arrived, `protobuf_schema` makes their messages,
`encode` writes what other projects' clients send.
"""

from __future__ import annotations

from thaw.lab.intake.client import Intake, IntakeError
from thaw.lab.intake.decode_logs import Line
from thaw.lab.intake.decode_metrics import Point, PointKey
from thaw.lab.intake.script import (
    CLOSE_KINDS,
    FORMS,
    PHASES,
    Action,
    Answer,
    CloseKind,
    Form,
    Phase,
    Script,
)

__all__ = [
    "CLOSE_KINDS",
    "FORMS",
    "PHASES",
    "Action",
    "Answer",
    "CloseKind",
    "Form",
    "Intake",
    "IntakeError",
    "Line",
    "Phase",
    "Point",
    "PointKey",
    "Script",
]
