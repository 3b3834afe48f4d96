"""pcapng out: byte-for-byte copies, chosen frames, cuts, our own section."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pytest

from tests.capture.building import (
    DATA,
    block,
    frame,
    interface,
    options,
    packet,
    pcap,
    section,
    simple,
)
from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.capture import open_capture
from ztfast.sinks.chosen import Chosen
from ztfast.sinks.output import Output
from ztfast.sinks.pcapng import PcapngWriter

CAPTURES = sorted(DATA.glob("**/*.pcapng"))
T = 1_600_000_000_123_456


def copy(sources, path, choose=lambda batch: None, unify=False, **arguments):
    writer = PcapngWriter(Output(str(path)), unify)
    section_numbers = 0
    for source in sources:
        with open_capture(io.BytesIO(source)) as capture:
            capture.session.sections = section_numbers
            for batch in capture:
                writer.write(Chosen(batch, choose(batch), **arguments))
            section_numbers = capture.session.sections
    writer.close()
    return path.read_bytes()


def rows(data):
    out = []
    for b in open_capture(io.BytesIO(data)):
        names = [b.interfaces[i].name for i in b.interface_ids.tolist()]
        columns = (b.frames(), b.timestamps.tolist(), b.lengths.tolist(), names)
        out += [(*row, b.linktype) for row in zip(*columns, strict=True)]
    return out


def test_every_capture_is_copied_byte_for_byte(tmp_path):
    assert len(CAPTURES) == 93
    wrong = [p for p in CAPTURES if copy([p.read_bytes()], tmp_path / "a") != p.read_bytes()]
    assert wrong == []


def parts(order="<"):
    """A section with everything, as blocks; the frames are blocks 3, 4, 6, 8, 9."""
    return [
        section(order),
        interface(1, 0, [(2, b"eth0"), (1, b"note")], order),
        block(4, b"names...", order),
        packet(b"first", 0, T, 50, [(1, b"comment"), (2, struct.pack(order + "I", 1))], order),
        simple(b"second", order=order),
        interface(101, 0, [(2, b"tun0")], order),
        packet(b"third", 1, T + 1, order=order),
        block(0xBAD, b"custom block", order),
        packet(b"fourth", 0, T + 2, order=order),
        packet(b"fifth", 1, T + 3, order=order),
        block(5, b"statistics", order),
    ]


FRAMES = [3, 4, 6, 8, 9]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("chosen", [[], [0], [1, 3], [4], [0, 1, 2, 3, 4]])
def test_chosen_frames_and_all_other_blocks(tmp_path, order, chosen):
    blocks = parts(order)

    def choose(batch):
        keep = [n - batch.first for n in chosen if 0 <= n - batch.first < len(batch)]
        return np.array(keep, np.int64)

    left_out = [FRAMES[n] for n in range(5) if n not in chosen]
    expected = [b for i, b in enumerate(blocks) if i not in left_out]
    assert copy([b"".join(blocks)], tmp_path / "a", choose) == b"".join(expected)


def test_a_writer_that_starts_late_defines_its_interfaces(tmp_path):
    blocks = parts()
    writer = PcapngWriter(Output(str(tmp_path / "a")))
    for batch in open_capture(io.BytesIO(b"".join(blocks))):
        if batch.first >= 3:
            writer.write(Chosen(batch))
    writer.close()
    written = (tmp_path / "a").read_bytes()
    expected = [blocks[i] for i in (0, 1, 5, 8, 9, 10)]
    assert sorted(expected) == sorted(b for b in expected if b in written)
    assert [row[0] for row in rows(written)] == [b"fourth", b"fifth"]


def test_section_length_goes_when_blocks_are_missing(tmp_path):
    body = interface() + packet(b"one", 0, T) + packet(b"two", 0, T)
    data = section(length=len(body)) + body
    assert copy([data], tmp_path / "a") == data
    less = copy([data], tmp_path / "b", lambda b: np.arange(min(1, len(b))))
    assert less == section() + interface() + packet(b"one", 0, T)


@pytest.mark.parametrize("order", ["<", ">"])
def test_cut(tmp_path, order):
    data = b"".join(parts(order))
    writer = PcapngWriter(Output(str(tmp_path / "a")))
    for batch in open_capture(io.BytesIO(data)):
        cut = np.full(len(batch), 3, np.uint32)
        writer.write(Chosen(batch, np.arange(len(batch)), cut, cut))
    writer.close()
    written = (tmp_path / "a").read_bytes()
    before, after = rows(data), rows(written)
    assert [(r[0], r[2]) for r in after] == [(r[0][:3], 3) for r in before]
    assert [r[1] for r in after] == [r[1] for r in before]
    assert [r[3:] for r in after] == [r[3:] for r in before]
    assert b"comment" in written
    assert block(0xBAD, b"custom block", order) in written


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("unify", [False, True])
def test_comments_stand_before_the_options_that_were_there(tmp_path, order, unify):
    data = b"".join(parts(order))
    writer = PcapngWriter(Output(str(tmp_path / "a")), unify)
    for batch in open_capture(io.BytesIO(data)):
        texts = np.empty(len(batch), object)
        texts[:] = [b"c" * (batch.first + number + 1) for number in range(len(batch))]
        writer.write(Chosen(batch, np.arange(len(batch)), comments=texts))
    writer.close()
    written = (tmp_path / "a").read_bytes()
    assert rows(written) == rows(data)
    own = "<" if unify else order
    flags = (2, struct.pack(own + "I", 1))
    assert options([(1, b"c"), (1, b"comment"), flags], own) in written
    for size in (2, 3, 4, 5):
        assert options([(1, b"c" * size)], own) in written


@pytest.mark.parametrize("order", ["<", ">"])
def test_own_section_keeps_what_it_can(tmp_path, order):
    data = b"".join(parts(order))
    written = copy([data, data], tmp_path / "a", unify=True)
    assert rows(written) == rows(data) * 2
    assert written.count(struct.pack("<I", 0x0A0D0D0A)) == 1
    assert written.count(b"eth0") == 1  # interfaces that are alike become one
    assert written.count(b"comment") == 2
    assert struct.pack("<HHI", 2, 4, 1) in written  # the flags, turned


@pytest.mark.parametrize("magic", [0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34])
def test_classic_becomes_pcapng(tmp_path, magic):
    frames = [frame(i, 40 + i) for i in range(50)]
    sources = [pcap(frames, magic=magic), pcap(frames, linktype=101, order=">")]
    written = copy(sources, tmp_path / "a")
    assert rows(written) == rows(sources[0]) + rows(sources[1])


def test_nothing_written_is_still_a_capture(tmp_path):
    assert copy([], tmp_path / "a") == section()
    assert rows(copy([pcap([], linktype=101)], tmp_path / "b")) == []
    with open_capture(tmp_path / "b") as capture:
        assert [b.linktype for b in capture][-1] == 101


# --- blocks built by the compiled loop ---------------------------------------------------------


@needs_loops
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("cut", [None, 0, 7])
def test_compiled_blocks_are_the_plain_ones(order, cut, tmp_path, monkeypatch):
    rng = random.Random(f"{order} {cut}")
    frames = [rng.randbytes(rng.choice([0, 1, 2, 3, 4, 60, 1000])) for _ in range(300)]
    data = pcap(frames, order=order, lengths=[len(body) + rng.randrange(3) for body in frames])

    def written(path):
        writer = PcapngWriter(Output(str(path)))
        with open_capture(io.BytesIO(data)) as capture:
            for batch in capture:
                chosen = np.arange(len(batch) % 3, len(batch), 2)
                limits = None if cut is None else np.full(len(chosen), cut, np.uint32)
                writer.write(Chosen(batch, chosen, captured=limits))
        writer.close()
        return path.read_bytes()

    made = written(tmp_path / "a")
    monkeypatch.setattr(dispatch, "core", None)
    assert made == written(tmp_path / "b")
    assert len(rows(made)) == 150


@needs_loops
def test_blocks_stay_inside_their_buffers():
    pack = dispatch.require().pack_packets

    def packed(start, size, room, ids=1, at=0, records=None):
        column = np.full(1, size, np.uint32)
        place, times = np.full(1, start, np.int64), np.zeros(1, np.int64)
        out = np.full(room, 0xEE, np.uint8)
        numbers = np.zeros(ids, np.uint32)
        buffer = np.frombuffer(b"0123456789", np.uint8)
        nothing = pack(buffer, place, column, column, numbers, times, records, 0, at, out)
        assert (out[nothing[1] :] == 0xEE).all()
        return nothing

    assert packed(2, 8, 50) == (1, 40)
    assert packed(10, 0, 32) == (1, 32)
    assert packed(2, 8, 39) == (0, 0)  # does not fit
    assert packed(2, 8, 50, at=1) == (1, 0)
    for start, size in ((3, 8), (-1, 2), (11, 0), (1 << 62, 1)):
        with pytest.raises(ValueError, match="frame 0 is outside its buffer"):
            packed(start, size, 50)
    assert packed(8, 2, 36, records=(8, 0, 1)) == (1, 36)
    for start in (7, 0, -1):  # no room for a record's header in front
        with pytest.raises(ValueError, match="frame 0 is outside its buffer"):
            packed(start, 2, 50, records=(8, 0, 1))
    with pytest.raises(ValueError, match="8 bytes or more"):
        packed(8, 2, 50, records=(7, 0, 1))
    for wrong in ({"ids": 2}, {"at": -1}):
        with pytest.raises(ValueError, match="as many"):
            packed(0, 1, 50, **wrong)


@needs_loops
def test_large_frames_are_built_whole(tmp_path, monkeypatch):
    """Frames beside others that together are more than one piece, and one that alone is."""
    frames = [bytes([n]) * size for n, size in enumerate([250_000, 10, 262_144, 60_000, 200_000])]
    made = copy([pcap(frames)], tmp_path / "a", unify=True)
    monkeypatch.setattr(dispatch, "core", None)
    assert made == copy([pcap(frames)], tmp_path / "b", unify=True)
    assert [row[0] for row in rows(made)] == frames
