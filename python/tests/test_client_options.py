from __future__ import annotations

import math

import pytest

import thaw


def test_round_trip():
    options = thaw.ClientOptions(
        max_idle_per_host=3,
        share_patience=0.25,
        on_resume="keep",
        liveness=thaw.Liveness.REACTOR_ONLY,
        no_proxy=["*.x"],
    )
    assert thaw.ClientOptions(**options.to_dict()) == options
    assert options.on_resume is thaw.OnResume.KEEP
    assert options.share_patience == 0.25
    assert options.to_dict()["liveness"] == "reactor_only"


def test_repr_has_what_differs_and_no_password():
    options = thaw.ClientOptions.lambda_defaults()
    assert repr(options) == "ClientOptions()"
    options.proxy_url = "http://user:secret@proxy:3128"
    options.exchange_timeout = 5
    assert repr(options) == "ClientOptions(exchange_timeout=5.0, proxy_url='http://****@proxy:3128')"
    for password in ("pass@secret", "pass/secret", "pass#secret"):
        options.proxy_url = f"http://user:{password}@proxy:3128"
        assert "secret" not in repr(options)


def test_replace_leaves_the_original():
    options = thaw.ClientOptions.lambda_defaults()
    assert options.replace(max_attempts=7).max_attempts == 7
    assert options.max_attempts == 3


def test_unknown_field():
    with pytest.raises(TypeError, match="max_idle"):
        thaw.ClientOptions(max_idle=3)


def test_unknown_name():
    with pytest.raises(thaw.InvalidArgument, match='on_resume is "melt", not one of: keep, probe, drain'):
        thaw.ClientOptions(on_resume="melt")


@pytest.mark.parametrize(
    ("field", "value"), [("max_idle_per_host", -1), ("max_attempts", 0), ("exchange_timeout", -1.0)]
)
def test_impossible_values_are_named(field: str, value: float):
    with pytest.raises(thaw.InvalidArgument, match=field) as caught:
        thaw.ClientOptions(**{field: value})
    assert isinstance(caught.value, ValueError)
    assert caught.value.failure is None


def test_infinite_is_a_duration():
    assert math.isinf(thaw.ClientOptions(idle_timeout=math.inf).idle_timeout)
