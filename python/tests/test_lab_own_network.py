"""Ports that experiments need."""

from __future__ import annotations

import socket

import pytest

from thaw.lab import own_network


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ValueError, match=f"port {port} .* taken"):
            own_network.require_free([port])
    own_network.require_free([port])
