"""A tap's figures at one moment: one object for lines, JSON, the screen and Prometheus.

Contract: `Snapshot` holds plain values; `line` says it in one line.  Pure.
Tested by tests/live/test_stats.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ztfast.live.counters import InputCounts, Latency, OutputCounts
from ztfast.pipeline.tally import VERDICTS, Tally
from ztfast.report.progress import scaled


class Snapshot(NamedTuple):
    """seconds: since the tap began.  tally: by the present rules, since they were read."""

    seconds: float
    inputs: Mapping[str, InputCounts]
    outputs: Mapping[str, OutputCounts]
    tally: Tally
    latency: Latency
    uncertain: int
    reloads: int
    forgotten: int

    @property
    def received(self) -> int:
        """Frames that came in."""
        return sum(counts.received for counts in self.inputs.values())

    @property
    def dropped(self) -> int:
        """Frames that the kernel had no room for."""
        return sum(counts.dropped for counts in self.inputs.values())

    @property
    def adds_up(self) -> bool:
        """Is nothing missing from any sum?  Asked once the tap has ended."""
        missing = [counts.missing for counts in self.inputs.values()]
        return not any(missing) and not any(out.missing for out in self.outputs.values())

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        tally = self.tally
        return {
            "seconds": round(self.seconds, 3),
            "inputs": {name: counts.to_json() for name, counts in self.inputs.items()},
            "outputs": {name: counts.to_json() for name, counts in self.outputs.items()},
            "verdicts": {name: tally.verdict(name)._asdict() for name in VERDICTS.values()},
            "rules": tally.rows(),
            "uncertain": self.uncertain,
            "latency_us": {str(share): self.latency.at_most(share) for share in (0.5, 0.9, 0.99)},
            "reloads": self.reloads,
            "forgotten": self.forgotten,
        }


def line(now: Snapshot, before: Snapshot | None = None) -> str:
    """One line: what came, what became of it, what every output got; rates since `before`."""
    since = before.seconds if before is not None else 0.0
    frames = now.received - (before.received if before is not None else 0)
    rate = frames / (now.seconds - since) if now.seconds > since else 0.0
    parts = [f"{now.seconds:.1f} s", f"received {now.received:,} ({scaled(rate)}/s)"]
    parts.append(f"dropped by the kernel {now.dropped:,}")
    parts += [f"{name} {now.tally.verdict(name).frames:,}" for name in VERDICTS.values()]
    parts += [f"{name}: {_output(counts)}" for name, counts in now.outputs.items()]
    return ", ".join(parts)


def _output(counts: OutputCounts) -> str:
    more = [
        *([f"{counts.deduplicated:,} doubles"] if counts.deduplicated else []),
        *([f"{counts.waiting:,} waiting"] if counts.waiting else []),
        *(f"{frames:,} refused ({why})" for why, frames in counts.refused.items()),
    ]
    return " ".join([f"{counts.sent:,} sent", *(f"+ {part}" for part in more)])


def copied(counts: OutputCounts) -> OutputCounts:
    """These counts as they are now."""
    return replace(counts, refused=dict(counts.refused))
