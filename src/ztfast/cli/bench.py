"""`ztfast bench`: what a user's own rules cost on a user's own frames.

Contract: figures on standard output; the frames are the first of the capture, or made up
(seeded) where none is given.  Tested by tests/cli/test_bench.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ztfast.frames.batch import FrameBatch
    from ztfast.model.policy import Policy
    from ztfast.pipeline.timing import Timing

_DEFAULT_RULES = """\
drop not ethertype ipv4 and not ethertype arp and not ethertype ipv6;
accept;
"""


@click.command()
@click.argument("rules", metavar="[RULES]", required=False)
@click.argument("capture", metavar="[CAPTURE]", required=False)
@click.option(
    "--frames",
    type=click.IntRange(1, 2_000_000),
    default=200_000,
    show_default=True,
    help="How many frames to take from the capture, or to make up.",
)
@click.option(
    "--backend",
    type=click.Choice(["auto", "native", "reference"]),
    default="auto",
    help="The evaluator.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def command(
    rules: str | None, capture: str | None, frames: int, backend: str, as_json: bool
) -> None:
    """Measure RULES on the frames of CAPTURE: each stage, and each set, slowest first.

    Without CAPTURE 200,000 different IPv4 frames are made up; without RULES as well, ZeroTier's
    default rules are measured. Figures vary with the machine's load: compare runs made one after
    the other.

    \b
    Example: ztfast bench rules.ztrules capture.pcap
    """
    import ztfast
    from ztfast.cli.inputs import read_policy
    from ztfast.lang import compile_text
    from ztfast.pipeline.timing import measure

    policy = compile_text(_DEFAULT_RULES, "default rules") if rules is None else read_policy(rules)
    batch = _captured(capture, frames) if capture is not None else made_up(frames)
    timing = measure(policy, batch, backend)
    if as_json:
        click.echo(json.dumps(_as_json(policy, timing), indent=2))
        return
    level = ztfast.simd if backend != "reference" else "none"
    repeated = f" repeated to {timing.timed:,}" if timing.timed > timing.frames else ""
    click.echo(f"{timing.frames:,} frames{repeated}, instruction level {level}")
    click.echo(f"encode the rules       {timing.encode * 1e3:10.3f} ms")
    each = timing.judge / max(1, timing.timed)
    click.echo(
        f"decode and evaluate    {each * 1e9:10.2f} ns a frame   {1e-6 / each:,.1f} M frames/s"
    )
    click.echo("\n  share      ns   decided  line  rule")
    for item in timing.sets:
        click.echo(_row(policy, timing, item))


def _row(policy: Policy, timing: Timing, item: Any) -> str:
    ns = item.seconds / max(1, timing.timed) * 1e9
    line = "-" if item.line is None else str(item.line)
    return f"{item.share:7.1%} {ns:7.2f} {item.hits:9,}  {line:>4}  {_text(policy, item)}"


def _text(policy: Policy, item: Any) -> str:
    if item.line is None or policy.source is None:
        return f"entries {item.first}–{item.last}"
    text = policy.source.line_text(item.line).strip()
    return text if len(text) <= 60 else text[:59] + "…"


def _as_json(policy: Policy, timing: Timing) -> dict[str, Any]:
    return {
        "frames": timing.frames,
        "timed_frames": timing.timed,
        "encode_seconds": timing.encode,
        "judge_seconds": timing.judge,
        "sets": [{**item._asdict(), "rule": _text(policy, item)} for item in timing.sets],
    }


def _captured(path: str, max_frames: int) -> FrameBatch:
    """The first frames of a capture, joined into one batch of headers."""
    import numpy as np

    from ztfast.capture import open_capture
    from ztfast.errors import CaptureError, Diagnostic
    from ztfast.frames.batch import FrameBatch

    headers: list[bytes] = []
    lengths: list[int] = []
    with open_capture(path, limit=max_frames) as capture:
        for packets in capture:
            if packets.linktype == 1:
                headers.extend(frame[:128] for frame in packets.frames())
                lengths.extend(packets.lengths.tolist())
    if not headers:
        text = "has no Ethernet frames to measure with"
        raise CaptureError(Diagnostic("ZT503", text, path=path, help="leave CAPTURE out"))
    return FrameBatch.from_frames(headers, np.array(lengths, dtype=np.uint32))


def made_up(count: int) -> FrameBatch:
    """Different IPv4 frames of TCP, UDP and ICMP; the same ones in every run."""
    import numpy as np

    from ztfast.frames.batch import FrameBatch

    rng = np.random.default_rng(20261122)
    data = rng.integers(0, 256, (count, 64), dtype=np.uint8)
    data[:, [0, 6]] = 2
    data[:, 12:16] = [0x08, 0x00, 0x45, 0x00]
    data[:, 23] = rng.choice(np.array([6, 17, 1], np.uint8), count, p=[0.75, 0.2, 0.05])
    data[:, [26, 30]] = 10
    data[:, 36] = 0
    data[:, 37] = rng.choice(np.array([22, 25, 53, 80, 123], np.uint8), count)
    data[:, 47] = rng.choice(np.array([2, 16, 18, 24], np.uint8), count)
    return FrameBatch.from_array(data, np.full(count, 64, np.uint32))
