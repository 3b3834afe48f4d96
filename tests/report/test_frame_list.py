"""Frames as lines and as objects: what they say, and that nothing from a file steers a terminal."""

from __future__ import annotations

import io
import json
from ipaddress import ip_address
from typing import Any

import pytest

import ztfast
from tests import pages
from tests.capture.building import pcap
from ztfast.capture import open_capture
from ztfast.frames.headers import ip_ends, read_header
from ztfast.frames.notation import parse_frame
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.frame_ends import Choice
from ztfast.pipeline.judge import judgements
from ztfast.report.frame_list import FrameList

NETWORK = ztfast.load_network(pages.EXAMPLES / "office.toml")
OFFICE = ztfast.load(pages.EXAMPLES / "office.ztrules")
EVERYTHING = Choice()
NETWORK_ID = 0x8056C2E21C000001


def listed(
    engine: ztfast.Engine, capture: Any, choice: Choice = EVERYTHING, *, as_json: bool = False
) -> str:
    frames = FrameList(engine, choice, as_json=as_json)
    with open_capture(capture) as opened:
        text = "".join(one for item in judgements(engine, opened) for one in frames.texts(item))
    assert frames.listed == len(text.splitlines()) - (not as_json and bool(text))
    return text


def cut(frame: str, captured: int, as_json: bool = False) -> str:
    """The line of a frame of which so many bytes of Ethernet were captured."""
    data = ethernet(frame)
    engine = ztfast.Engine(ztfast.compile("accept;"))
    capture = pcap([data[:captured]], lengths=[len(data)])
    return listed(engine, io.BytesIO(capture), as_json=as_json).splitlines()[-1]


def of(*frames: str, rules: str = "accept;", network: Network | None = None) -> list[str]:
    """The lines of frames written as text, without the heading and the times."""
    return of_bytes([ethernet(text) for text in frames], rules, network)


def ethernet(text: str) -> bytes:
    frame = parse_frame(text).frame
    macs = frame.mac_dest.to_bytes(6, "big") + frame.mac_source.to_bytes(6, "big")
    return macs + frame.ethertype.to_bytes(2, "big") + frame.payload


def of_bytes(
    frames: list[bytes], rules: str = "accept;", network: Network | None = None, linktype: int = 1
) -> list[str]:
    engine = ztfast.Engine(ztfast.compile(rules), network=network)
    lines = listed(engine, io.BytesIO(pcap(frames, linktype=linktype))).splitlines()[1:]
    return [" ".join([*line.split()[:1], *line.split()[3:]]) for line in lines]


@pytest.mark.parametrize(
    ("frame", "captured", "shown"),
    [
        ("ping 10.0.0.1 > 10.0.0.2", 30, "icmp (type not captured)"),
        ("udp 10.0.0.1:5 > 10.0.0.2:6", 30, "udp (ports not captured)"),
        ("tcp 10.0.0.1:5 > 10.0.0.2:6 syn", 37, "tcp 5 > ? (not captured)"),
        ("tcp 10.0.0.1:5 > 10.0.0.2:6 syn", 44, "tcp 5 > 6 (flags not captured)"),
        ("tcp [fd00::1]:5 > [fd00::2]:6 syn", 18, "ipv6 (protocol not captured)"),
        ("tcp 10.0.0.1:5 > 10.0.0.2:6 syn", 13, "ethertype not captured"),
    ],
)
def test_what_was_not_captured_is_said_and_null(frame: str, captured: int, shown: str) -> None:
    line = cut(frame, captured)
    assert f" {shown} " in line
    assert "0.0.0.0" not in line
    values = json.loads(cut(frame, captured, as_json=True))
    assert values["frame"] == shown
    for name, least in (("source", 30), ("dest", 34), ("source_port", 36), ("dest_port", 38)):
        if captured < least:
            assert values[name] is None, name
    assert (values["ethertype"] is None) == (captured < 14)
    assert (values["protocol"] is None) == (captured < 24)


def test_lines() -> None:
    engine = ztfast.Engine(OFFICE, network=NETWORK)
    capture = pages.EXAMPLES / "office.pcap"
    lines = listed(engine, capture, Choice(lines=frozenset({48, 49}))).splitlines()
    assert lines == [
        "number  time (UTC)                  from     to      frame                  bytes"
        "  verdict  by      line  rule",
        "   218  2026-01-12 06:40:04.222666  visitor  files   tcp 42001 > 23 syn        54"
        "  drop     sender    48  drop ipprotocol tcp and dport 23",
        "   220  2026-01-12 06:40:04.237402  visitor  sensor  tcp 42003 > 7 fin,syn     54"
        "  drop     sender    49  drop chr tcp_syn and chr tcp_fin",
    ]
    assert listed(engine, capture, Choice(lines=frozenset({9999}))) == ""


@pytest.mark.parametrize(
    ("frame", "shown"),
    [
        ("tcp 10.0.0.1:1000 > 10.0.0.2:80 syn,ack", "10.0.0.1 10.0.0.2 tcp 1000 > 80 syn,ack"),
        ("udp [fd00::1]:53 > [fd00::2]:54", "fd00::1 fd00::2 udp 53 > 54"),
        ("icmp 10.0.0.1 > 10.0.0.2 type 8 code 0", "10.0.0.1 10.0.0.2 ping"),
        ("icmp 10.0.0.1 > 10.0.0.2 type 3 code 4", "10.0.0.1 10.0.0.2 icmp type 3 code 4"),
        ("icmp6 fd00::1 > fd00::2 type 128 code 1", "fd00::1 fd00::2 icmp6 type 128 code 1"),
        ("icmp6 fd00::1 > fd00::2 type 136 code 0", "fd00::1 fd00::2 neighbour advertisement"),
        ("ip 10.0.0.1 > 10.0.0.2 proto 99", "10.0.0.1 10.0.0.2 protocol 99"),
    ],
)
def test_what_a_frame_is(frame: str, shown: str) -> None:
    (line,) = of(frame)
    assert line.split(" ", 1)[1].startswith(shown + " ")


def test_frames_that_are_no_ip() -> None:
    macs = b"\xff" * 6 + b"\2\0\0\0\0\1"
    asks = b"\0\1\x08\0\6\4\0\1" + bytes(10) + bytes(6) + b"\x0a\0\0\7"
    answers = asks[:7] + b"\2" + asks[8:]
    lines = of_bytes(
        [
            macs + b"\x08\x06" + asks,
            macs + b"\x08\x06" + answers,
            macs + b"\x08\x06" + asks[:27],
            macs + b"\x88\xcc" + bytes(46),
            b"\1\0\x5e\0\0\1" + macs[6:] + b"\x81\0" + bytes(46),
        ]
    )
    starts = [line.split(" accept")[0].split(" ", 1)[1] for line in lines]
    assert starts == [
        "02:00:00:00:00:01 broadcast arp who has 10.0.0.7 42",
        "02:00:00:00:00:01 broadcast arp reply 42",
        "02:00:00:00:00:01 broadcast arp 41",
        "02:00:00:00:00:01 broadcast ethertype 0x88cc 60",
        "02:00:00:00:00:01 01:00:5e:00:00:01 ethertype 0x8100 60",
    ]


def test_bytes_that_were_not_captured() -> None:
    """The verdict has a question mark, ends that are not known too."""
    cut = ethernet("tcp 10.0.0.1 > 10.0.0.2:23")[:20]
    engine = ztfast.Engine(ztfast.compile("drop dport 23;\naccept;\n"))
    data = io.BytesIO(pcap([cut], lengths=[60]))
    assert "accept?" in listed(engine, data)
    short = of_bytes([b"\x45"], linktype=101)
    assert short[0].startswith("1 ? ? ")


def test_lines_stay_aligned_from_batch_to_batch() -> None:
    """Columns grow with what comes, and never shrink again."""
    engine = ztfast.Engine(ztfast.compile("accept;"))
    shown = FrameList(engine, Choice())
    texts = []
    for frame in ("udp 10.0.0.1:1 > 10.0.0.2:2", "udp [fd00:1:2:3::1]:1 > [fd00::2]:2"):
        with open_capture(io.BytesIO(pcap([ethernet(frame), ethernet(frame)]))) as capture:
            texts += [one for item in judgements(engine, capture) for one in shown.texts(item)]
    first, second = texts
    assert first.count("number") == 1
    assert "number" not in second
    assert len({line.index("udp") for line in first.splitlines()[1:]}) == 1
    assert second.splitlines()[0].index("udp") > first.splitlines()[1].index("udp")


EVIL = "c\x1b[31m\u202e\ud800\n"


def test_hostile_names_stay_words() -> None:
    network = make_network(
        [Member(1, name=EVIL), Member(2, name="b" * 99)],
        id=NETWORK_ID,
    )
    macs = [network.mac(member) or 0 for member in network.members]
    head = macs[1].to_bytes(6, "big") + macs[0].to_bytes(6, "big")
    frame = head + ethernet("tcp 10.0.0.1 > 10.0.0.2:23")[12:]
    engine = ztfast.Engine(ztfast.compile("accept;"), network=network)
    text = listed(engine, io.BytesIO(pcap([frame])))
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert text.count("\n") == 2
    assert "c\\x1b[31m\\u202e\\ud800\\n  " + "b" * 31 + "…" in text
    (row,) = map(json.loads, listed(engine, io.BytesIO(pcap([frame])), as_json=True).splitlines())
    assert (row["from"], row["from_name"], row["to_name"]) == ("0000000001", EVIL, "b" * 99)


def test_objects_are_the_frames(backend: str) -> None:
    engine = ztfast.Engine(OFFICE, network=NETWORK, backend=backend)
    path = pages.EXAMPLES / "office.pcap"
    rows = [json.loads(line) for line in listed(engine, path, as_json=True).splitlines()]
    with open_capture(path) as capture:
        batch = next(one for one in capture if len(one))
    verdicts = engine.evaluate(batch)
    frames = ztfast.FrameBatch.from_packets(batch)
    names = {f"{member.address:010x}": member.name for member in NETWORK.members}
    assert len(rows) == len(batch)
    for number, row in enumerate(rows):
        frame = frames.frame(number)
        header = read_header(frame)
        assert row["number"] == number + 1
        assert (row["source"], row["dest"]) == (header.source, header.dest)
        assert (row["protocol"], row["source_port"]) == (header.protocol, header.source_port)
        assert row["line"] == int(verdicts.line[number])
        assert row["from_name"] == names[row["from"]]
        copies = verdicts.copies(number)
        assert row["copies"] == [f"{one.kind}:{one.target:010x}:{one.length}" for one in copies]
        if row["frame"].startswith("arp who has"):
            target = ip_ends(frame)[1]
            assert row["frame"] == f"arp who has {ip_address(target or b'')}"
    assert {row["verdict"] for row in rows} == {"accept", "drop", "redirect"}


def test_what_was_not_judged_is_not_listed() -> None:
    engine = ztfast.Engine(ztfast.compile("accept;"))
    assert listed(engine, io.BytesIO(pcap([bytes(60)], linktype=147))) == ""
