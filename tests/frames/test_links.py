"""Link types: payload, ethertype, VLAN and MACs of frames made by hand, cut at every length."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ztfast.errors import CaptureError
from ztfast.frames.batch import ethernet_frame
from ztfast.frames.links import LINKS, is_known, normalise, unknown_linktype
from ztfast.model.reads import Reads

DEST, SOURCE = 0x0A0B0C0D0E0F, 0x020304050607
MACS = DEST.to_bytes(6, "big") + SOURCE.to_bytes(6, "big")
NO_MACS = int(Reads.MAC_SOURCE | Reads.MAC_DEST)
IP4 = b"\x45" + b"\x11" * 39
IP6 = b"\x60" + b"\x22" * 59


def columns(linktype, *frames, lengths=None, **arguments):
    """Frames side by side in one buffer with rubbish between them, as link columns."""
    buffer = b"\xee" + b"\xee".join(frames) + b"\xee"
    sizes = np.array([len(f) for f in frames], np.uint32)
    offsets = 1 + np.concatenate(([0], np.cumsum(sizes[:-1].astype(np.int64) + 1)))
    lengths = sizes if lengths is None else np.array(lengths, np.uint32)
    link = normalise(buffer, offsets, sizes, lengths, linktype, **arguments)
    payloads = [buffer[o : o + c] for o, c in zip(link.payload_offsets, link.captured, strict=True)]
    return link, payloads


def test_ethernet():
    link, payloads = columns(1, MACS + b"\x08\x00" + IP4, MACS + b"\x86\xdd" + IP6)
    assert payloads == [IP4, IP6]
    assert link.ethertype.tolist() == [0x0800, 0x86DD]
    assert link.mac_dest.tolist() == [DEST] * 2
    assert link.mac_source.tolist() == [SOURCE] * 2
    assert link.vlan.tolist() == link.unknown.tolist() == [0, 0]
    assert link.lengths.tolist() == [40, 60]
    dtypes = ["i8", "u4", "u4", "u2", "u2", "u8", "u8", "u4"]
    assert [c.dtype.str[1:] for c in link] == dtypes


TAG = b"\x81\x00\x60\x2a"
OUTER = b"\x88\xa8\x01\x23"


def test_tags_as_a_node_reads_them():
    link, payloads = columns(1, MACS + TAG + b"\x08\x00" + IP4)
    assert (link.ethertype[0], link.vlan[0]) == (0x8100, 0)
    assert payloads == [TAG[2:] + b"\x08\x00" + IP4]


@pytest.mark.parametrize(
    ("tags", "vlan"), [(b"", 0), (TAG, 0x2A), (OUTER, 0x123), (OUTER + TAG, 0x123)]
)
def test_tags_decoded(tags, vlan):
    link, payloads = columns(1, MACS + tags + b"\x08\x00" + IP4, MACS + b"\x08\x06", vlan="decode")
    assert link.ethertype.tolist() == [0x0800, 0x0806]
    assert link.vlan.tolist() == [vlan, 0]
    assert payloads == [IP4, b""]
    assert link.unknown.tolist() == [0, 0]


@pytest.mark.parametrize("captured", range(12, 18))
def test_tag_not_captured(captured):
    frame = MACS + TAG + b"\x08\x00" + IP4
    link, _ = columns(1, frame[:captured], lengths=[len(frame)], vlan="decode")
    assert link.unknown.tolist() == [int(Reads.ETHERTYPE)]


@pytest.mark.parametrize("length", [0, 3, 6, 9, 12, 13, 14, 20, 60])
def test_ethernet_cut_like_one_frame_alone(length):
    whole = MACS + b"\x08\x00" + IP4
    for captured in range(min(length, len(whole)) + 1):
        link, payloads = columns(1, whole[:captured], lengths=[length])
        alone = ethernet_frame(whole[:captured], length)
        assert link.unknown[0] == alone.unknown
        assert (link.ethertype[0], link.mac_source[0], link.mac_dest[0]) == (
            alone.ethertype,
            alone.mac_source,
            alone.mac_dest,
        )
        assert payloads == [alone.payload]
        assert link.lengths[0] == alone.length


@pytest.mark.parametrize("linktype", [12, 14, 101])
def test_raw_ip(linktype):
    link, payloads = columns(linktype, IP4, IP6, b"\x99", b"")
    assert link.ethertype.tolist() == [0x0800, 0x86DD, 0, 0]
    assert payloads == [IP4, IP6, b"\x99", b""]
    assert link.unknown.tolist() == [NO_MACS] * 4


def test_raw_ip_of_one_version():
    assert columns(228, IP4)[0].ethertype.tolist() == [0x0800]
    assert columns(229, b"")[0].ethertype.tolist() == [0x86DD]


@pytest.mark.parametrize("family", [2, 24, 28, 30, 10])
def test_null_and_loop(family):
    expected = 0x0800 if family == 2 else 0x86DD
    for linktype, order in ((0, "<"), (0, ">"), (108, ">")):
        link, payloads = columns(linktype, struct.pack(order + "I", family) + IP4)
        assert link.ethertype.tolist() == [expected]
        assert payloads == [IP4]
        assert link.unknown.tolist() == [NO_MACS]


def test_linux_cooked():
    source = SOURCE.to_bytes(6, "big") + b"\0\0"
    v1 = struct.pack(">HHH", 0, 1, 6) + source + b"\x08\x00" + IP4
    v2 = struct.pack(">HHIHBB", 0x86DD, 0, 7, 1, 0, 6) + source + IP6
    for linktype, frame, ethertype, body in ((113, v1, 0x0800, IP4), (276, v2, 0x86DD, IP6)):
        link, payloads = columns(linktype, frame)
        assert link.ethertype.tolist() == [ethertype]
        assert link.mac_source.tolist() == [SOURCE]
        assert link.unknown.tolist() == [int(Reads.MAC_DEST)]
        assert payloads == [body]


@pytest.mark.parametrize("header", [(0, 512, 0), (0, 65534, 6), (0, 1, 8)])
def test_linux_cooked_without_an_ethernet_address(header):
    frame = struct.pack(">HHH", *header) + b"\1" * 8 + b"\x08\x00" + IP4
    assert columns(113, frame)[0].unknown.tolist() == [NO_MACS]


@pytest.mark.parametrize("linktype", [9, 50])
@pytest.mark.parametrize(
    ("head", "ethertype"),
    [
        (b"\xff\x03\x00\x21", 0x0800),
        (b"\x00\x21", 0x0800),
        (b"\x21", 0x0800),
        (b"\xff\x03\x57", 0x86DD),
        (b"\xff\x03\x00\x57", 0x86DD),
        (b"\xff\x03\xc0\x21", 0),
    ],
)
def test_ppp(linktype, head, ethertype):
    link, payloads = columns(linktype, head + IP4)
    assert link.ethertype.tolist() == [ethertype]
    assert payloads == [IP4]
    assert link.unknown.tolist() == [NO_MACS]


def test_hdlc_and_pppoe():
    assert columns(50, b"\x0f\x00\x86\xdd" + IP6)[1] == [IP6]
    assert columns(104, b"\x8f\x00\x08\x00" + IP4)[0].ethertype.tolist() == [0x0800]
    link, payloads = columns(51, b"\x11\x00\x00\x01\x00\x2a\x00\x21" + IP4)
    assert link.ethertype.tolist() == [0x0800]
    assert payloads == [IP4]


def test_check_sequence_is_no_payload():
    frame = MACS + b"\x08\x00" + IP4
    link, payloads = columns(1, frame + b"FCS!", frame[:20], lengths=[58, 58], fcs=4)
    assert payloads == [IP4, IP4[:6]]
    assert link.lengths.tolist() == [40, 40]


def test_unknown_link_type():
    assert not is_known(147)
    with pytest.raises(CaptureError, match="147"):
        columns(147, b"abc")
    found = unknown_linktype(127, "a.pcap", "wlan0")
    assert "interface wlan0" in found.message
    assert "Ethernet" in found.help


@given(
    st.sampled_from(sorted(LINKS)),
    st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 60)), min_size=1, max_size=6),
    st.sampled_from(["tag", "decode"]),
    st.sampled_from([0, 4]),
)
def test_nothing_outside_a_frame_is_read(linktype, rows, vlan, fcs):
    """The same frames between other rubbish give the same columns."""
    frames, lengths = [r[0] for r in rows], [r[1] for r in rows]
    link, payloads = columns(linktype, *frames, lengths=lengths, vlan=vlan, fcs=fcs)
    for i, frame in enumerate(frames):
        sizes = np.array([len(frame)], np.uint32)
        own = normalise(
            b"\x77" * 9 + frame + b"\x88" * 9,
            np.array([9]),
            sizes,
            np.array([lengths[i]], np.uint32),
            linktype,
            vlan=vlan,
            fcs=fcs,
        )
        assert [int(c[i]) for c in link[1:]] == [int(c[0]) for c in own[1:]]
        assert len(payloads[i]) <= len(frame)
        bare = normalise(frame, np.array([0]), sizes, sizes, linktype)
        assert bare.payload_offsets[0] + bare.captured[0] <= len(frame)


def test_a_decoded_tag_that_was_not_captured_makes_vlan_matches_uncertain(backend: str) -> None:
    import ztfast
    from ztfast.frames.batch import FrameBatch
    from ztfast.frames.links import normalise

    whole = b"\2" * 12 + b"\x81\x00\x00\x05\x08\x00" + bytes(46)
    frames = [whole, whole[:13]]
    data = b"".join(frames)
    links = normalise(
        data,
        np.array([0, len(whole)]),
        np.array([len(whole), 13], np.uint32),
        np.array([len(whole)] * 2, np.uint32),
        1,
        "decode",
    )
    batch = FrameBatch(data, links.payload_offsets, links.captured, links.lengths, links.fields())
    engine = ztfast.Engine(ztfast.compile("accept vlan 5;\n"), backend=backend)
    verdicts = engine.evaluate(batch)
    assert verdicts.uncertain.tolist() == [False, True]
    assert verdicts.accepted.tolist() == [True, False]


@pytest.mark.parametrize(("kind", "number"), [(1, 4), (1, 1), (824, 0x0800), (803, 0x0800)])
def test_cooked_protocols_that_are_no_ethertype(kind, number):
    """LLC, Novell's 802.3, netlink's families, 802.11: nothing that a rule could ask for."""
    v1 = struct.pack(">HHH8sH", 0, kind, 6, MACS[6:] + b"\0\0", number) + IP4
    v2 = struct.pack(">HHIHBB8s", number, 0, 1, kind, 0, 6, MACS[6:] + b"\0\0") + IP4
    for linktype, frame in ((113, v1), (276, v2)):
        link, payloads = columns(linktype, frame)
        assert link.ethertype.tolist() == [0]
        assert link.unknown[0] & Reads.ETHERTYPE
        assert payloads == [IP4]
