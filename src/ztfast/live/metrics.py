"""A tap's figures for Prometheus: served over HTTP, or written to a file for its node exporter.

Contract: needs `pip install 'ztfast[tap]'`.  Names and labels are in docs/tap.md; counters only
grow, but those by rule begin anew when rules are read again.  Tested by tests/live/test_metrics.py.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ztfast.errors import Diagnostic, OutputError, usage
from ztfast.live.counters import Latency
from ztfast.live.stats import Snapshot
from ztfast.pipeline.tally import VERDICTS

EXTRA = "pip install 'ztfast[tap]'"
_ADDRESS = re.compile(r"(\[[^\]]+\]|[^:/\[\]]*):(\d{1,5})", re.ASCII)
_FILE_PAUSE = 5.0
_SERVED_PAUSE = 1.0
_MICROSECOND = 1e-6


def read_address(text: str) -> tuple[str, int] | None:
    """HOST:PORT or :PORT (this machine only); None: it is a file's name."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    port = int(match[2])
    if not 0 < port < 1 << 16:
        raise usage(f"--metrics {text[:60]!r}: port {port} is none", "write 1 to 65535")
    return match[1].strip("[]") or "127.0.0.1", port


class FileMetrics:
    """A reporter that writes a file, whole each time."""

    pause = _FILE_PAUSE

    def __init__(self, path: str) -> None:
        self._path, self._client = path, _client()

    def show(self, now: Snapshot, last: bool) -> None:
        """Write the figures; raises OutputError."""
        registry = self._client.CollectorRegistry()
        registry.register(_Collector(lambda: now))
        try:
            self._client.write_to_textfile(self._path, registry)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise OutputError(
                Diagnostic("ZT641", f"cannot be written: {why}", path=self._path)
            ) from None


class ServedMetrics:
    """A reporter that keeps the last figures for a server's thread.

    That thread must not read them where they are counted: they change meanwhile.
    """

    pause = _SERVED_PAUSE

    def __init__(self, address: tuple[str, int], now: Snapshot) -> None:
        self._latest = now
        self.end = serve(address, lambda: self._latest)

    def show(self, now: Snapshot, last: bool) -> None:
        """Serve these from now on."""
        self._latest = now


def serve(address: tuple[str, int], snapshot: Callable[[], Snapshot]) -> Callable[[], None]:
    """Serve what `snapshot` gives in a thread of its own; call what is returned to end it."""
    client = _client()
    registry = client.CollectorRegistry()
    registry.register(_Collector(snapshot))
    host, port = address
    try:
        server, thread = client.start_http_server(port, host, registry)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise OutputError(
            Diagnostic("ZT641", f"cannot be served: {why}", path=f"{host}:{port}")
        ) from None

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


class _Collector:
    """What prometheus_client asks for."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def describe(self) -> list[Any]:
        """Nothing before it is asked: registering must not need figures."""
        return []

    def collect(self) -> Iterator[Any]:
        """Every metric."""
        now = self._snapshot()
        yield from _inputs(now)
        yield from _verdicts(now)
        yield from _outputs(now)
        yield _latency(now.latency)
        yield _family("reloads", "Times that rules were read again.", (), [((), now.reloads)])


def _inputs(now: Snapshot) -> Iterator[Any]:
    for name, text in (
        ("received", "Frames that came in, those dropped by the kernel included."),
        ("dropped", "Frames that the kernel had no room for."),
        ("judged", "Frames that rules were asked about."),
    ):
        values = [((input,), getattr(counts, name)) for input, counts in now.inputs.items()]
        yield _family(f"{name}_frames", text, ("interface",), values)
    octets = [((input,), counts.bytes) for input, counts in now.inputs.items()]
    yield _family("judged_bytes", "Bytes of the frames judged.", ("interface",), octets)


def _verdicts(now: Snapshot) -> Iterator[Any]:
    tally = now.tally
    values = [((name,), tally.verdict(name).frames) for name in VERDICTS.values()]
    yield _family("verdict_frames", "Frames by verdict.", ("verdict",), values)
    labels = ("verdict", "side", "capability", "line", "rule")
    rows = [
        (tuple("" if row[label] is None else str(row[label]) for label in labels), row["frames"])
        for row in tally.rows()
    ]
    yield _family("rule_frames", "Frames by the rule that decided.", labels, _summed(rows))


def _summed(rows: list[tuple[tuple[str, ...], int]]) -> list[tuple[tuple[str, ...], int]]:
    """One value for each set of labels: two entries of one line can look alike."""
    sums: dict[tuple[str, ...], int] = {}
    for labels, value in rows:
        sums[labels] = sums.get(labels, 0) + value
    return list(sums.items())


def _outputs(now: Snapshot) -> Iterator[Any]:
    for name, text in (
        ("copies", "Frames that were meant for an output."),
        ("sent", "Frames sent to it."),
        ("deduplicated", "Doubles that were not sent."),
    ):
        values = [((output,), getattr(counts, name)) for output, counts in now.outputs.items()]
        yield _family(f"output_{name}_frames", text, ("output",), values)
    octets = [((output,), counts.bytes) for output, counts in now.outputs.items()]
    yield _family("output_sent_bytes", "Bytes sent to it.", ("output",), octets)
    refused = [
        ((output, why), frames)
        for output, counts in now.outputs.items()
        for why, frames in counts.refused.items()
    ]
    text = "Frames that could not be sent, by reason."
    yield _family("output_refused_frames", text, ("output", "reason"), refused)


def _family(
    name: str, text: str, labels: tuple[str, ...], values: Sequence[tuple[tuple[str, ...], int]]
) -> Any:
    core = importlib.import_module("prometheus_client.core")
    family = core.CounterMetricFamily(f"ztfast_tap_{name}", text, labels=labels)
    for row, value in values:
        family.add_metric(row, value)
    return family


def _latency(latency: Latency) -> Any:
    core = importlib.import_module("prometheus_client.core")
    text = "Seconds from the kernel's time stamp to behind the sending."
    family = core.HistogramMetricFamily("ztfast_tap_latency_seconds", text)
    total = 0
    buckets: list[tuple[str, int]] = []
    for step, count in enumerate(latency.counts.tolist()):
        total += count
        if step % 4 == 3:  # powers of two are enough here
            buckets.append((repr(latency.bound(step) * _MICROSECOND), total))
    buckets[-1] = ("+Inf", total)
    family.add_metric([], buckets=buckets, sum_value=latency.nanoseconds * 1e-9)
    return family


def _client() -> Any:
    try:
        return importlib.import_module("prometheus_client")
    except ImportError:
        raise usage("--metrics needs prometheus-client, which is not installed", EXTRA) from None
