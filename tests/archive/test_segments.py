"""Parts of a file: only those count that begin where the one before ended."""

from __future__ import annotations

from pathlib import Path

from tests.archive.running import captures_in
from tests.needs import needs_loops
from ztfast.archive.segments import Ended, Segment, cut, joined, numbered
from ztfast.capture.pcap_part import Place

FILE = Segment("a.pcap", 1000, 5)


def part(start: int, stop: int) -> Segment:
    return Segment("a.pcap", 1000, 5, start, stop)


def ended_at(byte: int | None, sound: bool = True) -> Ended:
    assert byte is not None
    return Ended(Place(byte), sound)


PLANNED = [part(24, 300), part(300, 600), part(600, 1000)]


def test_a_small_file_is_one_segment(tmp_path: Path) -> None:
    path = captures_in(tmp_path / "caps", 1) / "c0.pcap"
    (whole,) = cut(str(path))
    assert (whole.start, whole.stop, whole.size) == (None, None, path.stat().st_size)


@needs_loops
def test_a_large_one_is_cut_where_records_seem_to_begin(tmp_path: Path) -> None:
    path = captures_in(tmp_path / "caps", 1) / "c0.pcap"
    parts = cut(str(path), 40_000)
    assert len(parts) > 5
    assert parts[0].start == 24
    assert [one.stop for one in parts[:-1]] == [one.start for one in parts[1:]]
    assert parts[-1].stop == path.stat().st_size
    assert len({one.id for one in parts}) == len(parts)


def test_what_is_no_classic_pcap_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(b"\x0a\x0d\x0d\x0a" + bytes(5000))
    assert [one.start for one in cut(str(path), 100)] == [None]


def test_nothing_was_run_yet() -> None:
    assert joined(PLANNED, {}) == ([], PLANNED)
    assert joined([FILE], {}) == ([], [FILE])


def test_parts_that_follow_each_other_count() -> None:
    ended = {one: ended_at(one.stop) for one in PLANNED}
    assert joined(PLANNED, ended) == (PLANNED, [])


def test_a_wrong_guess_is_left_out_and_the_part_before_is_gone_on_from() -> None:
    ended = {one: ended_at(one.stop) for one in PLANNED} | {PLANNED[0]: ended_at(340)}
    extra = part(340, 600)
    assert joined(PLANNED, ended) == ([], [extra])
    ended[extra] = ended_at(600)
    assert joined(PLANNED, ended) == ([PLANNED[0], extra, PLANNED[2]], [])


def test_a_part_that_runs_over_the_next_one() -> None:
    ended = {one: ended_at(one.stop) for one in PLANNED} | {PLANNED[0]: ended_at(700)}
    extra = part(700, 1000)
    assert joined(PLANNED, ended)[1] == [extra]
    ended[extra] = ended_at(1000)
    assert joined(PLANNED, ended) == ([PLANNED[0], extra], [])


def test_damage_makes_it_one_segment() -> None:
    ended = {one: ended_at(one.stop, one != PLANNED[1]) for one in PLANNED}
    assert joined(PLANNED, ended) == ([], [FILE])
    ended[FILE] = Ended(None, False)
    assert joined(PLANNED, ended) == ([FILE], [])


def test_damage_behind_a_wrong_guess_is_none() -> None:
    ended = {PLANNED[0]: ended_at(600), PLANNED[1]: Ended(None, False)}
    ended[PLANNED[2]] = ended_at(1000)
    assert joined(PLANNED, ended) == ([PLANNED[0], PLANNED[2]], [])


def test_a_part_that_goes_nowhere_ends_in_the_whole() -> None:
    ended = {one: ended_at(one.start) for one in PLANNED}
    assert joined(PLANNED, ended) == ([], [FILE])


def test_frames_are_numbered_over_all_files() -> None:
    chains = [PLANNED[:2], [FILE]]
    frames = {PLANNED[0]: 10, PLANNED[1]: 5, FILE: 7}
    assert [[one.first for one in chain] for chain in numbered(chains, frames)] == [[0, 10], [15]]


def test_names_are_apart_and_safe() -> None:
    one, other = Segment("/a/x y.pcap", 1, 1), Segment("/b/x y.pcap", 1, 1)
    assert one.id != other.id
    assert one.id.endswith("-x_y.pcap")
    assert "/" not in Segment("/a/../..", 1, 1).id
