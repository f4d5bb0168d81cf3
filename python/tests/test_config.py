from __future__ import annotations

import json
import os

import pytest

import thaw


def test_environment_wins_over_yaml():
    config = thaw.Config.from_environment(
        {"DD_SITE": "datadoghq.eu", "DD_API_KEY": "environmentkey"},
        yaml="site: us3.datadoghq.com\napi_key: yamlkey\nflush_timeout: 2.5\n",
    )
    assert config.site == "datadoghq.eu"
    assert config.api_key == "environmentkey"
    assert config.flush_timeout == 2.5
    assert config.warnings == []


def test_the_json_names_the_origin_of_each_value():
    config = thaw.Config.from_environment(
        {"DATADOG_SITE": "datadoghq.eu"}, yaml="env: a\nproxy: {https: p}\n"
    )
    assert json.loads(config.to_json())["origins"] == {
        "client.proxy_url": "datadog.yaml, line 2: proxy.https",
        "env": "datadog.yaml, line 1: env",
        "site": "DATADOG_SITE",
    }


def test_bad_values_are_warnings():
    config = thaw.Config.from_environment({"DD_MAX_IDLE_PER_HOST": "-1"}, yaml="site: [\n")
    assert config.client_options.max_idle_per_host == 4
    assert [warning.split()[0] for warning in config.warnings] == ["datadog.yaml", "DD_MAX_IDLE_PER_HOST"]


def test_the_flush_strategy_and_the_outbox_follow_the_environment():
    config = thaw.Config.from_environment(
        {"DD_SERVERLESS_FLUSH_STRATEGY": "end, 500", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}
    )
    assert config.flush_strategy == "end,500"
    assert config.outbox_bytes == 16 << 20
    assert thaw.Config.from_environment({}).flush_strategy == "default"


def test_this_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DD_SITE", "us5.datadoghq.com")
    assert thaw.Config.from_environment().site == "us5.datadoghq.com"
    assert thaw.Config.from_environment(os.environ).site == "us5.datadoghq.com"
    assert thaw.Config.from_environment({}).site == "datadoghq.com"


def test_secrets_are_masked():
    config = thaw.Config.from_environment(
        {
            "DD_API_KEY": "0123456789abcdef",
            "DD_APM_ADDITIONAL_ENDPOINTS": '{"https://b": ["a-second-key", "third"]}',
            "HTTPS_PROXY": "http://user:password@proxy:3128",
        }
    )
    assert config.additional_endpoints == [("https://b", "a-second-key"), ("https://b", "third")]
    shown = json.loads(config.to_json())
    assert shown["api_key"] == "****cdef"
    assert shown["additional_endpoints"] == {"https://b": ["****-key", "****"]}
    assert shown["client"]["proxy_url"] == "http://****@proxy:3128"
    for text in (config.to_json(), repr(config), repr(config.client_options)):
        assert not any(secret in text for secret in ("0123", "second", "third", "password"))


@pytest.mark.parametrize(
    ("environment", "idle", "connections"),
    [
        ({}, 4, 8),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, 0, 6),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, 0, 6),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}, 4, 8),
    ],
)
def test_client_options_follow_where_the_process_runs(
    environment: dict[str, str], idle: int, connections: int, monkeypatch: pytest.MonkeyPatch
):
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_INITIALIZATION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for options in (thaw.ClientOptions(), thaw.Config.from_environment(environment).client_options):
        assert (options.max_idle_per_host, options.max_connections_per_host) == (idle, connections)
