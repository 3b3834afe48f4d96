"""Figures for Prometheus: every number of a snapshot, served and in a file."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest

from tests.live.snapshots import snapshot
from tests.needs import needs
from ztfast.errors import OutputError, UsageError
from ztfast.live.metrics import FileMetrics, ServedMetrics, read_address, serve

EXPECTED = [
    'ztfast_tap_received_frames_total{interface="zt0"} 5.0',
    'ztfast_tap_dropped_frames_total{interface="zt0"} 1.0',
    'ztfast_tap_judged_frames_total{interface="zt0"} 4.0',
    'ztfast_tap_judged_bytes_total{interface="zt0"} 240.0',
    'ztfast_tap_verdict_frames_total{verdict="accept"} 3.0',
    'ztfast_tap_output_copies_frames_total{output="packet:to"} 6.0',
    'ztfast_tap_output_sent_frames_total{output="packet:to"} 1.0',
    'ztfast_tap_output_deduplicated_frames_total{output="packet:to"} 2.0',
    'ztfast_tap_output_refused_frames_total{output="packet:to",reason="queue full"} 3.0',
    'ztfast_tap_latency_seconds_bucket{le="0.000512"} 0.0',
    'ztfast_tap_latency_seconds_bucket{le="0.001024"} 4.0',
    "ztfast_tap_latency_seconds_count 4.0",
    "ztfast_tap_reloads_total 0.0",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:1", ("::1", 1)),
        ("/run/metrics.prom", None),
        ("metrics.prom", None),
        ("a:b", None),
    ],
)
def test_an_address_or_a_file(text: str, expected: tuple[str, int] | None) -> None:
    assert read_address(text) == expected


def test_a_port_that_is_none() -> None:
    with pytest.raises(UsageError, match="port 99999"):
        read_address(":99999")


@needs("prometheus_client")
def test_a_file_of_all_figures(tmp_path: Path) -> None:
    path = tmp_path / "tap.prom"
    FileMetrics(str(path)).show(snapshot(), False)
    lines = path.read_text().splitlines()
    assert [line for line in EXPECTED if line not in lines] == []
    rule = 'rule="drop ethertype arp"'
    assert any(rule in line and line.endswith(" 1.0") for line in lines)
    with pytest.raises(OutputError, match="cannot be written"):
        FileMetrics(str(tmp_path / "none" / "tap.prom")).show(snapshot(), False)


@needs("prometheus_client")
def test_figures_of_the_moment_are_served() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def fetched() -> list[str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return answer.read().decode().splitlines()

    served = ServedMetrics(("127.0.0.1", port), snapshot())
    try:
        assert EXPECTED[0] in fetched()
        served.show(snapshot(times=3), False)
        assert 'ztfast_tap_received_frames_total{interface="zt0"} 15.0' in fetched()
        with pytest.raises(OutputError, match="cannot be served"):
            serve(("127.0.0.1", port), snapshot)
    finally:
        served.end()
