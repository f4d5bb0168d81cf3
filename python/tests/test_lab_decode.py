"""The laboratory's decoders."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from thaw.lab.intake import decode


def test_reads_bytes_encoded_by_hand() -> None:
    # AgentPayload{5: TracerPayload{6: TraceChunk{1: -1, 3: Span{5: 300, 11: {"m": 1.5}}}}}
    metric = b"\x0a\x01m\x11" + b"\x00\x00\x00\x00\x00\x00\xf8\x3f"
    span = b"\x28\xac\x02" + b"\x5a" + bytes([len(metric)]) + metric
    chunk = b"\x08" + b"\xff" * 9 + b"\x01" + b"\x1a" + bytes([len(span)]) + span
    tracer = b"\x32" + bytes([len(chunk)]) + chunk
    payload = decode.agent_payload(zstandard.compress(b"\x2a" + bytes([len(tracer)]) + tracer))
    assert decode.span_ids(payload) == [300]
    decoded = payload.tracerPayloads[0].chunks[0]
    assert decoded.priority == -1
    assert dict(decoded.spans[0].metrics) == {"m": 1.5}


def test_all_messages_of_the_schema_make_a_round_trip() -> None:
    payload = decode.message_class("AgentPayload")()
    span = payload.tracerPayloads.add().chunks.add().spans.add(spanID=2**64 - 1)
    span.meta_struct["x"] = b"\x00\xff"
    span.spanLinks.add(traceID=1, traceID_high=2, flags=1 << 31).attributes["k"] = "v"
    span.spanEvents.add(time_unix_nano=3, name="e").attributes["a"].array_value.values.add(int_value=-5)
    again = decode.agent_payload(payload.SerializeToString(), "")
    assert again == payload


@pytest.mark.parametrize("encoding", ["zstd", "gzip", "br"])
def test_broken_bodies_are_value_errors(encoding: str) -> None:
    with pytest.raises(ValueError, match=encoding):
        decode.decompress(b"broken", encoding)


def test_truncated_gzip_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="gzip"):
        decode.decompress(gzip.compress(b"x" * 1000)[:-4], "gzip")
