"""The table of figures: what is in it, aligned, and nothing that nobody asked for."""

from __future__ import annotations

import io

import pytest

import ztfast
from ztfast.pipeline.tally import Tally
from ztfast.report.figures import print_figures
from ztfast.sinks.files import Written

POLICY = ztfast.compile("tee 16 8e30f50a25 ethertype arp;\ndrop ethertype 0x86dd;\naccept;\n")
ARP, IPV6 = (bytes(12) + kind + bytes(46) for kind in (b"\x08\x06", b"\x86\xdd"))


def figures(tally: Tally, *files: Written) -> list[str]:
    out = io.StringIO()
    print_figures(tally, out, files)
    return out.getvalue().splitlines()


def judged(*frames: bytes) -> Tally:
    tally = Tally(POLICY)
    batch = ztfast.FrameBatch.from_frames(list(frames))
    tally.add(ztfast.Engine(POLICY, side="out").evaluate(batch), batch.lengths)
    return tally


def test_verdicts_rules_and_copies() -> None:
    assert figures(judged(ARP, *[IPV6] * 1200)) == [
        "verdict   frames   bytes",
        "accept         1      60",
        "drop       1,200  72,000",
        "redirect       0       0",
        "all        1,201  72,060",
        "",
        "verdict  by      frames   bytes  line  rule",
        "drop     sender   1,200  72,000  2     drop ethertype 0x86dd",
        "accept   sender       1      60  3     accept",
        "",
        "copy  from    to          frames  payload bytes",
        "tee   sender  8e30f50a25       1             16",
    ]


def test_nothing_was_judged() -> None:
    assert [line.split()[0] for line in figures(Tally(POLICY))] == [
        "verdict", "accept", "drop", "redirect", "all",
    ]  # fmt: skip


def test_files_are_a_table_of_their_own() -> None:
    files = [Written("a.pcap", 1200, 99), Written("b.pcap", 3, 24)]
    assert figures(Tally(POLICY), *files)[-3:] == [
        "file    frames  file size",
        "a.pcap   1,200         99",
        "b.pcap       3         24",
    ]


@pytest.mark.parametrize("spaces", [0, 80])
def test_a_long_rule_is_cut(spaces: int) -> None:
    policy = ztfast.compile(f"accept {'dport 80 or ' * (spaces // 10)}dport 443;\n")
    tally = Tally(policy)
    batch = ztfast.FrameBatch.from_frames([ARP])
    tally.add(ztfast.Engine(policy, side="out").evaluate(batch), batch.lengths)
    assert max(map(len, figures(tally))) < 110
