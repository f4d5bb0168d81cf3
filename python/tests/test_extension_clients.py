"""Real clients beside the executable: what ddtrace sends to an agent besides traces reaches its intake; and
Data Streams of tracers that leave them to the executable.

The intakes of LLM Observability and profiles have names of their own, so a proxy leads each of them to the
laboratory's intake.
"""

from __future__ import annotations

import json
import pathlib
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from thaw.lab.emulator import Lambda, Settings
from thaw.lab.intake import Intake
from thaw.lab.proxy import Proxy

from . import emulated
from .conftest import BeginIntake
from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

# Uses the part of the tracer that the event names, and says what it lacks.
_FUNCTION = """
def data_streams():
    from ddtrace.data_streams import set_consume_checkpoint, set_produce_checkpoint
    from ddtrace.internal.datastreams import data_streams_processor
    carrier = {}
    set_produce_checkpoint("sqs", "orders", carrier.__setitem__)
    set_consume_checkpoint("sqs", "orders", carrier.get)
    data_streams_processor().periodic()

def llm_observability():
    from ddtrace.llmobs import LLMObs
    LLMObs.enable(ml_app="shop", agentless_enabled=False)
    with LLMObs.workflow(name="answer"):
        LLMObs.annotate(input_data="how many?", output_data="three")
    LLMObs.flush()

def profiling():
    from ddtrace.profiling import Profiler
    profiler = Profiler()
    profiler.start()
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        sum(range(1000))
    profiler.stop(flush=True)

for request_id, event, _ in invocations():
    try:
        globals()[event["use"]]()
        lacks = ""
    except ImportError as error:
        lacks = str(error)
    respond(request_id, {"lacks": lacks})
"""


@pytest.fixture
def intake(begin_intake: BeginIntake) -> Intake:
    return begin_intake(None)


@pytest.fixture
def proxy(intake: Intake) -> Iterator[Proxy]:
    address = urllib.parse.urlsplit(intake.url)
    assert address.hostname is not None
    assert address.port is not None
    with Proxy(leads_to=(address.hostname, address.port)) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("use", "host", "path"),
    [
        ("data_streams", "127.0.0.1", "/api/v0.1/pipeline_stats"),
        ("llm_observability", "llmobs-intake.datadoghq.com", "/api/v2/llmobs"),
        ("profiling", "intake.profile.datadoghq.com", "/api/v2/profile"),
    ],
)
async def test_what_ddtrace_sends_besides_traces_is_delivered(
    use: str, host: str, path: str, tmp_path: pathlib.Path, intake: Intake, proxy: Proxy
) -> None:
    pytest.importorskip("ddtrace", reason="the package ddtrace is not installed")
    environment = {
        **intake.agent_variables,
        "DD_SERVERLESS_FLUSH_STRATEGY": "end",
        "DD_PROXY_HTTPS": proxy.url,
        "DD_SKIP_SSL_VALIDATION": "true",  # the intake's certificate has its own name
        "DD_DATA_STREAMS_ENABLED": "true",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_SERVICE": "shop",
        # Of a trace that is kept, LLM Observability is a part.
        "DD_TRACE_SAMPLING_RULES": '[{"sample_rate": 0}]',
    }
    settings = Settings(environment=environment, memory_mb=1024, timeout=60.0)
    # Without the flags that hide this interpreter's packages.
    command = [sys.executable, emulated.runtime(tmp_path, _FUNCTION)[-1]]
    async with Lambda(command, extension=EXTENSION, settings=settings) as sandbox:
        invocation = await sandbox.invoke({"use": use})
        assert invocation.status == "success", invocation
        if lacks := json.loads(invocation.payload)["lacks"]:
            pytest.skip(f"ddtrace has no {use} for this interpreter: {lacks}")
        await sandbox.shutdown("spindown")
    arrived = [each for each in intake.requests() if each["target"].startswith(path)]
    assert arrived, intake.requests()
    assert all(each["accepted"] and each["bytes"] > 0 for each in arrived)
    assert any(target.startswith(f"{host}:") for target in proxy.targets), proxy.targets
    assert all(each["headers"]["dd-api-key"] == environment["DD_API_KEY"] for each in arrived)


# Tells the extension of its event, as tracers for Java, .NET and Go do.
_CALLER = """
for request_id, event, _ in invocations():
    connection = http.client.HTTPConnection("127.0.0.1", 8124, timeout=5)
    headers = {"lambda-runtime-aws-request-id": request_id}
    connection.request("POST", "/lambda/start-invocation", json.dumps(event), headers)
    assert connection.getresponse().status == 200
    respond(request_id, "done")
"""


@pytest.mark.parametrize("enabled", [True, False])
async def test_messages_of_a_queue_are_checkpoints(
    enabled: bool, tmp_path: pathlib.Path, intake: Intake
) -> None:
    counts: list[dict[str, Any]] = []

    def log(source: str, line: str) -> None:
        _, _, text = line.partition("THAW | DEBUG | ")
        if source == "extension" and text.startswith("{"):
            counts.append(json.loads(text))

    environment = {
        **intake.agent_variables,
        "DD_SERVERLESS_FLUSH_STRATEGY": "end",
        "DD_LOG_LEVEL": "debug",
        "DD_DATA_STREAMS_ENABLED": str(enabled).lower(),
    }
    record = {
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
        "body": "1 pound of tea",
        "messageAttributes": {
            "_datadog": {
                "dataType": "String",
                "stringValue": json.dumps({"dd-pathway-ctx-base64": "Z7CzXmXArPrE58Cfj2LI2cOfj2I="}),
            }
        },
    }
    settings = Settings(environment=environment, timeout=20.0)
    command = emulated.runtime(tmp_path, _CALLER)
    async with Lambda(command, extension=EXTENSION, settings=settings, on_log=log) as sandbox:
        for _ in range(2):
            assert (await sandbox.invoke({"Records": [record, record]})).status == "success"
        await sandbox.shutdown("spindown")
    arrived = [each for each in intake.requests() if each["target"] == "/api/v0.1/pipeline_stats"]
    assert len(arrived) == (2 if enabled else 0), "one before each freeze"
    assert all(each["accepted"] for each in arrived)
    assert counts[-1].get("data_streams", {}).get("checkpoints") == (4 if enabled else None)
