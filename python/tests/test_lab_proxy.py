"""The laboratory's proxy opens tunnels, and misbehaves as it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from thaw.lab.intake import Intake
from thaw.lab.proxy import Proxy


@pytest.fixture(scope="module")
def intake() -> Iterator[Intake]:
    with Intake() as made:
        yield made


def through(proxy_url: str, intake: Intake, timeout: float = 10) -> int:
    with requests.Session() as session:
        session.trust_env = False
        proxies = {"https": proxy_url}
        answer = session.post(
            f"{intake.url}/x", data=b"x" * 5000, proxies=proxies, verify=intake.ca_file, timeout=timeout
        )
        return answer.status_code


def test_tunnels_are_counted(intake: Intake) -> None:
    with Proxy() as proxy:
        assert [through(proxy.url, intake) for _ in range(2)] == [202, 202]
        assert (proxy.tunnels, proxy.refused) == (2, 0)
        assert proxy.targets == [f"127.0.0.1:{intake.port}"] * 2


def test_credentials(intake: Intake) -> None:
    with Proxy(credentials="user:secret") as proxy:
        assert through(proxy.url, intake) == 202
        with pytest.raises(requests.exceptions.ProxyError, match="407"):
            through(f"http://127.0.0.1:{proxy.port}", intake)
        assert (proxy.tunnels, proxy.refused) == (1, 1)


@pytest.mark.parametrize("behaviour", ["refuse", "garbage", "cut"])
def test_connections_that_the_proxy_refuses_or_breaks(intake: Intake, behaviour: str) -> None:
    with Proxy(behaviour, cut_after=1000) as proxy:  # type: ignore[arg-type]
        with pytest.raises(requests.exceptions.ConnectionError):
            through(proxy.url, intake)
        assert proxy.tunnels == (1 if behaviour == "cut" else 0)


def test_stall(intake: Intake) -> None:
    with Proxy("stall") as proxy, pytest.raises(requests.exceptions.RequestException):
        through(proxy.url, intake, timeout=0.1)


def test_nothing_behind_it_is_a_502() -> None:
    with Proxy() as proxy, pytest.raises(requests.exceptions.ProxyError, match="502"):
        requests.post("https://127.0.0.1:1/", proxies={"https": proxy.url}, timeout=10)
