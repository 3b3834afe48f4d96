"""Several captures: order, merging, folders, growing files."""

from __future__ import annotations

import gzip
import os
import random
import threading

import pytest

from tests import seeds
from tests.capture.building import DATA, interface, packet, pcap, section
from ztfast.capture import open_capture, open_captures
from ztfast.errors import CaptureError, UsageError
from ztfast.sinks.files import FileSink

T = 1_700_000_000_000_000_000


def rows(captures):
    out = []
    for batch in captures:
        assert batch.first == len(out) or not len(batch)
        out += list(zip(batch.timestamps.tolist(), batch.frames(), strict=True))
    return out


def classic(times, tag, **arguments):
    return pcap([f"{tag}{i}".encode() for i in range(len(times))], times=times, **arguments)


def ng(times, tag, order="<"):
    body = [
        packet(f"{tag}{i}".encode(), i % 2, t // 1000, pairs=[(1, b"note")], order=order)
        for i, t in enumerate(times)
    ]
    interfaces = [interface(1, 0, [(2, f"{tag}{n}".encode())], order) for n in range(2)]
    return section(order) + b"".join(interfaces + body)


def written(tmp_path, **files):
    paths = []
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        paths.append(tmp_path / name)
    return paths


def test_files_follow_each_other_in_time(tmp_path):
    paths = written(
        tmp_path,
        a=classic([T + 5000, T + 6000], "a"),
        b=gzip.compress(classic([T + 1000, T + 9000], "b")),
        c=ng([T + 2000, T + 3000], "c"),
        d=pcap([]),
    )
    with open_captures(paths) as captures:
        assert [f for _, f in rows(captures)] == [b"b0", b"b1", b"c0", b"c1", b"a0", b"a1"]
    assert [os.path.basename(p) for p in captures.paths] == ["b", "c", "d", "a"]


MAKERS = {
    "classic": classic,
    "ng": ng,
    "mixed": lambda t, tag: (ng, classic)[ord(tag) % 2](t, tag),
    "orders": lambda t, tag: ng(t, tag, "<>"[ord(tag) % 2]),
    "links": lambda t, tag: classic(t, tag, linktype=1 + 100 * (ord(tag) % 2)),
    "packed": lambda t, tag: gzip.compress(classic(t, tag)),
}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("out", ["out.pcapng", "out.pcap"])
def test_merge(tmp_path, make, out):
    seed = seeds.seed()
    print("seed", seed)
    rng = random.Random(seed)
    files, expected = {}, []
    for tag in "abcd":
        times = sorted(T + rng.randrange(3000) * 1000 for _ in range(rng.randrange(400)))
        if times and rng.random() < 0.5:
            times[-1] = times[0]  # a clock that went back: the file's own order stands
        files[tag] = MAKERS[make](times, tag)
        latest = 0
        for i, t in enumerate(times):
            latest = max(latest, t)
            expected.append((latest, tag, i, t))
    expected.sort(key=lambda row: row[:3])
    frames = [(t, f"{tag}{i}".encode()) for _, tag, i, t in expected]
    with open_captures(written(tmp_path, **files), merge=True) as captures:
        batches = list(captures)
    when = {f"{tag}{i}".encode(): latest for latest, tag, i, _ in expected}
    found = [when[frame] for _, frame in rows(batches)]
    assert found == sorted(found)
    assert sorted(rows(batches)) == sorted(frames)
    for tag in "abcd":
        own = [f for _, f in rows(batches) if f.startswith(tag.encode())]
        assert own == [f for _, f in frames if f.startswith(tag.encode())]
    if make == "links" and out == "out.pcap":
        return
    with FileSink(str(tmp_path / out), unify=True) as sink:
        for batch in batches:
            sink.write(batch)
    again = list(open_capture(tmp_path / out))
    assert rows(again) == rows(batches)
    if out == "out.pcapng":
        names = {b.interfaces[i].name for b in again for i in b.interface_ids.tolist()}
        used = {b.interfaces[i].name for b in batches for i in b.interface_ids.tolist()}
        assert names == used
        kept = (tmp_path / out).read_bytes()
        assert kept.count(section()) == 1
        if make == "ng":
            assert kept.count(b"note") == len(frames)


def test_merge_keeps_the_interface_of_each_frame(tmp_path):
    paths = written(
        tmp_path,
        a=ng([T + i * 2000 for i in range(50)], "a"),
        b=ng([T + i * 3000 for i in range(50)], "b"),
    )
    with FileSink(str(tmp_path / "out.pcapng")) as sink, open_captures(paths, merge=True) as c:
        for batch in c:
            sink.write(batch)
    seen = 0
    for batch in open_capture(tmp_path / "out.pcapng"):
        for frame, number in zip(batch.frames(), batch.interface_ids.tolist(), strict=True):
            tag, index = frame[:1].decode(), int(frame[1:])
            assert batch.interfaces[number].name == f"{tag}{index % 2}"
            seen += 1
    assert seen == 100


def test_merge_through_small_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("ztfast.capture.many._SMALLEST_WINDOW", 512)
    monkeypatch.setattr("ztfast.capture.many.MAX_BUFFER", 512)
    times = {
        tag: [T + (i * step) * 1000 for i in range(500)]
        for tag, step in zip("ab", (3, 5), strict=True)
    }
    paths = written(tmp_path, **{tag: classic(t, tag) for tag, t in times.items()})
    with open_captures(paths, merge=True) as captures:
        found = rows(captures)
    assert [t for t, _ in found] == sorted(times["a"] + times["b"])


def test_a_merge_hands_on_all_that_comes_before_damage(tmp_path, monkeypatch):
    monkeypatch.setattr("ztfast.capture.many._SMALLEST_WINDOW", 4096)
    times = [[T + (2 * i + turn) * 1000 for i in range(300)] for turn in range(2)]
    data = {tag: classic(t, tag) for tag, t in zip("ab", times, strict=True)}
    paths = written(tmp_path, a=data["a"], b=data["b"][:-1])
    for size in (1 << 24, 8192, 512):
        monkeypatch.setattr("ztfast.capture.many.MAX_BUFFER", size)
        batches = []
        with open_captures(paths, merge=True) as captures, pytest.raises(CaptureError):
            batches.extend(captures)
        found = [time for batch in batches for time in batch.timestamps.tolist()]
        assert found == sorted(times[0] + times[1][:-1])[: len(found)]
        assert found[-1] == times[1][-2]  # the last of the damaged file, and all before it


def test_a_merge_with_a_limit_does_not_look_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr("ztfast.capture.many._SMALLEST_WINDOW", 4096)
    monkeypatch.setattr("ztfast.capture.many.MAX_BUFFER", 8192)
    times = [T + i * 1000 for i in range(900)]
    paths = written(tmp_path, a=classic(times, "a"), b=classic(times, "b")[:-1])
    with open_captures(paths, merge=True, limit=100) as captures:
        assert sum(len(batch) for batch in captures) == 100
    assert not captures.diagnostics


def test_folder(tmp_path):
    written(tmp_path, b=classic([T], "b"), a=classic([T + 1000], "a"))
    (tmp_path / "notes.txt").write_text("no capture")
    (tmp_path / ".hidden").write_bytes(classic([T], "h"))
    (tmp_path / "folder").mkdir()
    with open_captures([tmp_path]) as captures:
        assert [f for _, f in rows(captures)] == [b"b0", b"a0"]
    (note,) = captures.diagnostics
    assert note.severity == "note"
    assert note.path.endswith("notes.txt")


def test_folder_without_captures(tmp_path):
    with pytest.raises(CaptureError, match="no capture"):
        open_captures([tmp_path])


def test_all_shared_captures_as_one():
    with open_captures([DATA / "tcpdump"], limit=5000) as captures:
        total = sum(map(len, captures))
    assert total == 5000


def test_arguments():
    with pytest.raises(UsageError):
        open_captures([])
    with pytest.raises(UsageError, match="twice"):
        open_captures(["-", "-"])
    with pytest.raises(UsageError, match="follow"):
        open_captures(["a", "b"], merge=True, follow=True)


def test_damage_in_one_names_it(tmp_path):
    data = classic([T, T + 1000], "a")
    paths = written(tmp_path, a=data[:-1], b=classic([T + 2000], "b"))
    with pytest.raises(CaptureError) as caught:
        list(open_captures(paths))
    assert caught.value.diagnostics[0].path == str(paths[0])
    with open_captures(paths, resync=True) as captures:
        assert [f for _, f in rows(captures)] == [b"a0", b"b0"]
    assert captures.skipped_bytes == 17


@pytest.mark.parametrize("way", ["stop", "rotate"])
def test_follow(tmp_path, monkeypatch, way):
    monkeypatch.setattr("ztfast.capture.sources._POLL", 0.01)
    path = tmp_path / "growing.pcap"
    data = classic([T + i * 1000 for i in range(30)], "f")
    path.write_bytes(data[:40])
    captures = open_captures([path], follow=True)
    seen = []
    more = threading.Event()

    def grow():
        for at in range(40, len(data), 37):
            with path.open("ab") as out:
                out.write(data[at : at + 37])
        more.wait(30)
        if way == "stop":
            captures.stop()
        else:
            os.rename(path, tmp_path / "rotated.pcap")

    thread = threading.Thread(target=grow)
    thread.start()
    with captures:
        for batch in captures:
            seen += batch.frames()
            if len(seen) == 30:
                more.set()
    thread.join()
    assert seen == [f"f{i}".encode() for i in range(30)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_bytes_done_reach_the_total(tmp_path, pack):
    paths = written(
        tmp_path,
        a=pack(classic([T], "a")),
        b=pack(ng([T + 1000], "b")),
    )
    with open_captures(paths) as captures:
        done = [captures.done_bytes for _ in captures]
    assert done == sorted(done)
    assert captures.done_bytes == captures.total_bytes == sum(p.stat().st_size for p in paths)
    assert open_captures(["-"]).total_bytes is None


def test_a_merge_of_many_holds_no_file_open(tmp_path, monkeypatch):
    """Each window opens its file anew; one that was replaced meanwhile is an error."""
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.pcap"
        path.write_bytes(pcap([bytes([number, i]) * 500 for i in range(200)]))
        paths.append(str(path))
    with open_captures(paths, merge=True) as captures:
        held = [data for batch in captures for data in batch.frames()]
    monkeypatch.setattr("ztfast.capture.many.MAX_BUFFER", 1 << 16)
    monkeypatch.setattr("ztfast.capture.many._MOST_HELD", 3)
    with open_captures(paths, merge=True) as captures:
        assert [data for batch in captures for data in batch.frames()] == held
    with open_captures(paths, merge=True) as captures:
        batches = iter(captures)
        next(batches)
        (tmp_path / "new").write_bytes(b"")
        (tmp_path / "new").replace(paths[3])
        with pytest.raises(CaptureError, match=r"3\.pcap: byte \d+: .*another file has its name"):
            list(batches)


def test_damage_says_which_captures_were_not_read(tmp_path):
    paths = [str(tmp_path / f"{number}.pcap") for number in range(6)]
    for number, path in enumerate(paths):
        with open(path, "wb") as file:
            file.write(classic([T + number], "a"))
    with open(paths[1], "ab") as file:
        file.write(b"cut")
    captures = open_captures(paths)
    with pytest.raises(CaptureError):
        list(captures)
    error, note = captures.diagnostics
    assert captures.begun == tuple(paths[:2])
    assert (error.path, note.path, note.severity) == (paths[1], paths[1], "note")
    assert "not read: 4 more (" in note.message
    assert f"{paths[2]}, {paths[3]}, {paths[4]}, …" in note.message
    assert len(list(open_captures(paths, resync=True))) >= 6


def test_a_file_that_is_no_capture_says_the_same(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"no capture at all")
    (tmp_path / "b.pcap").write_bytes(classic([T], "b"))
    captures = open_captures([tmp_path / "a.txt", tmp_path / "b.pcap"])
    with pytest.raises(CaptureError):
        list(captures)
    assert [found.severity for found in captures.diagnostics] == ["error", "note"]
    assert "not a capture" in captures.diagnostics[0].message
