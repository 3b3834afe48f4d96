"""Cases as they run: verdicts, replies, copies, redirects, captures, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ztfast.frames.batch import FrameBatch
from ztfast.frames.build import ethernet_bytes
from ztfast.frames.notation import parse_frame
from ztfast.lang import compile_text
from ztfast.model.policy import Policy
from ztfast.suite.coverage import Coverage
from ztfast.suite.file import read_suite
from ztfast.suite.run import CaseResult, run_suite

MEMBERS = """
[[member]]
name = "anna"
ips = ["10.0.0.1"]
[[member]]
name = "ben"
ips = ["10.0.0.2"]
"""
RULES = """\
redirect 3333333333 dport 99;
tee -1 4444444444 ipprotocol udp;
accept ipprotocol udp;
accept dport 80;
drop sport 80;
accept chr inbound and not chr tcp_syn;
"""


def results(
    case: str, tmp_path: Path, rules: str = RULES, coverage: Coverage | None = None
) -> list[CaseResult]:
    path = tmp_path / "t.toml"
    path.write_text(f"{MEMBERS}\n{case}")
    policy = compile_text(rules) if coverage is None else coverage.policy
    suite = read_suite(str(path), policy)
    return list(run_suite(suite, policy, batches, coverage=coverage))


def batches(path: str) -> Iterator[FrameBatch]:
    """Frames instead of a capture: three, in batches of two and one."""
    flows = ("udp 10.0.0.1 > 10.0.0.2:53", "tcp 10.0.0.1 > 10.0.0.2:80")
    texts = (*flows, "tcp 10.0.0.1 > 10.0.0.2:81")
    frames = [ethernet_bytes(parse_frame(text).frame) for text in texts]
    yield FrameBatch.from_frames(frames[:2])
    yield FrameBatch.from_frames(frames[2:])


def flow(more: str) -> str:
    return f'[[case]]\nname = "x"\nfrom = "anna"\nto = "ben"\n{more}\n'


@pytest.mark.parametrize(
    ("case", "got", "failures"),
    [
        ('proto = "tcp"\nport = 80\nexpect = "accept"', "accept", ()),
        ('proto = "tcp"\nport = 80\nexpect = "drop"', "accept", ("expected drop, got accept",)),
        (
            'proto = "tcp"\nport = 80\nexpect = "accept"\nreply = "accept"',
            "accept, reply drop",
            ("the reply: expected accept, got drop",),
        ),
        ('proto = "udp"\nport = 1\nexpect = "accept"\ntee = "4444444444"', "accept", ()),
        (
            'proto = "udp"\nport = 1\nexpect = "accept"\ntee = false',
            "accept",
            ("expected copies to nobody, got 4444444444",),
        ),
        (
            'proto = "tcp"\nport = 80\nexpect = "accept"\ntee = ["anna"]',
            "accept",
            ("expected copies to 7e57000001, got nobody",),
        ),
        ('proto = "tcp"\nport = 99\nredirect = "3333333333"', "redirect", ()),
        (
            'proto = "tcp"\nport = 99\nredirect = "4444444444"',
            "redirect",
            ("expected a redirect to 4444444444, got 3333333333",),
        ),
        ('proto = "tcp"\nport = 9\nflags = "ack"\nexpect = "drop"', "drop", ()),
        (
            'proto = "tcp"\nport = 9\nflags = "ack"\nexpect = "accept"\ndirection = "in"',
            "accept",
            (),
        ),
    ],
)
def test_flows(case: str, got: str, failures: tuple[str, ...], tmp_path: Path) -> None:
    (found,) = results(flow(case), tmp_path)
    assert (found.got, found.failures) == (got, failures)
    assert bool(found.explanations) == bool(failures)


def test_captures(tmp_path: Path) -> None:
    right, wrong = results(
        '[[case]]\ncapture = "x"\naccepted = 2\ndropped = 1\nframes = 3\n'
        '[[case]]\ncapture = "x"\nside = "in"\naccepted = 1\nredirected = 0\n',
        tmp_path,
    )
    assert right.passed
    assert right.got == "3 frames, 2 accepted, 1 dropped"
    assert wrong.failures == ("expected 1 accepted, got 3",)


def test_coverage_counts_both_outcomes(tmp_path: Path) -> None:
    policy = compile_text(RULES)
    coverage = Coverage(policy)
    assert coverage.outcomes() == (0, 7 * 2 + 6)
    results(flow('proto = "tcp"\nport = 80\nexpect = "accept"'), tmp_path, coverage=coverage)
    found = {entry.text: entry for entry in coverage.entries()}
    assert (found["dport 99"].true, found["dport 99"].false) == (0, 2)
    assert found["dport 99"].missing == ("true",)
    assert found["sport 80"].missing == ("true", "false")
    assert found["redirect 3333333333"].missing == ("taken",)
    # dport 99 and both `ipprotocol udp` were false, dport 80 was true, its accept was taken
    assert coverage.outcomes() == (5, 20)
    assert coverage.percent == pytest.approx(25)


def test_coverage_of_captures_is_that_of_their_frames(tmp_path: Path) -> None:
    by_capture, by_flow = Coverage(compile_text(RULES)), Coverage(compile_text(RULES))
    results('[[case]]\ncapture = "x"\naccepted = 2\n', tmp_path, coverage=by_capture)
    flows = (
        flow('proto = "udp"\nport = 53\nexpect = "accept"')
        + flow('proto = "tcp"\nport = 80\nexpect = "accept"\nflags="ack"')
        + flow('proto = "tcp"\nport = 81\nexpect = "drop"')
    )
    results(flows, tmp_path, coverage=by_flow)
    mine, its = ([e.missing for e in c.entries()] for c in (by_capture, by_flow))
    assert mine == its


def test_nothing_to_cover() -> None:
    assert Coverage(Policy(rules=())).percent == 100.0
