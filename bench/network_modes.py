"""What other ways to run `ztfast filter` with 500 members cost, each against its peer.

Tables, pcapng, merging, writing, compressed captures and --threads: N5 to N9.  CPU a frame above
the start, or wall time where two are to help.  What is read is checked to be as many frames.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench import networks, peers
from bench.commands import Run, frames_of, nothing, ours, rules_file, wall_of
from bench.rows import Row, ns
from ztfast.capture import open_capture
from ztfast.sinks.files import FileSink

MEMBERS = 500
_SOME = 50_000  # frames that slow programs are given
_LARGE = 8  # times the capture, where two processes are to pay
_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
_EXPRESSION = "ip and not host 10.255.255.255"


def modes() -> Iterator[Row]:
    """N5–N9."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        out = Path(folder)
        yield from tables(out)
        yield from pcapng(out)
        yield from merging(out)
        yield from writing(out)
        yield from compressed(out)
        yield from threads(out)


def _filter(*options: str) -> Callable[[Path], list[str]]:
    return ours(rules_file("tagged"), networks.network(MEMBERS), *options)


def _capture() -> Path:
    return networks.capture(MEMBERS)


def _copy(paths: list[Path], frames: int) -> None:
    """The capture's first frames, dealt out to some files in turn."""
    sinks = [FileSink(str(path)) for path in paths]
    with open_capture(_capture(), limit=frames) as packets:
        for batch in packets:
            numbers = np.arange(len(batch))
            for turn, sink in enumerate(sinks):
                sink.write(batch, numbers[(batch.first + numbers) % len(sinks) == turn])
    for sink in sinks:
        sink.close()


def _checked(*captures: Path, frames: int = networks.FRAMES) -> None:
    command = [*_filter("--count", "--json")(captures[0]), *map(str, captures[1:])]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert told["frames"] == frames, f"{captures}: {told['frames']}"


def _row(goal: str, what: str, bound: float, mine: float, theirs: float | None, peer: str) -> Row:
    """A row of nanoseconds a frame against a peer's."""
    asked = f"≤ {bound}× {peer}"
    if theirs is None:
        return Row(goal, what, asked, f"{mine:.0f} ns, {peer} is not installed", None)
    ratio = mine / theirs
    return Row(goal, what, asked, f"{mine:.0f} ns, {ratio:.2f}×", ratio <= bound)


# --- N5: tables --------------------------------------------------------------------------------


def tables(out: Path) -> Iterator[Row]:
    """N5: a row a frame, against programs that print one and against pyarrow alone."""
    some = out / "some.pcap"
    _copy([some], _SOME)
    peers_of = {
        "csv": (0.1, _program("tcpdump", some, "-nn", "-r"), "tcpdump -nn"),
        "arrow": (
            0.1,
            _program("tshark", some, "-T", "fields", *_fields(), "-r"),
            "tshark -T fields",
        ),
        "parquet": (1.3, [], "pyarrow writing ready columns"),
    }
    for suffix, (bound, program, peer) in peers_of.items():
        for types in ("text", "numbers"):
            table = out / f"table.{suffix}"
            options = ("--table", str(table), "--table-types", types)
            spent, *others = frames_of(Run(_filter(*options), _capture()), *program)
            table.unlink()
            if suffix == "parquet":
                others = [_parquet(out)]
            what = f"filter --table .{suffix}, {types}, {MEMBERS} members, CPU a frame"
            yield _row("N5", what, bound, spent, others[0] if others else None, peer)


def _fields() -> list[str]:
    names = ("frame.time_epoch", "frame.len", "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.proto")
    return [word for name in names for word in ("-e", name)]


def _program(name: str, capture: Path, *options: str) -> list[Run]:
    """A program that prints a row a frame, over some; none where it is missing."""
    if shutil.which(name) is None:
        return []
    return [Run(lambda path: [name, *options, str(path)], capture, _SOME)]


def _parquet(out: Path) -> float:
    """pyarrow writing the columns of a Parquet table that are ready in memory."""
    table = out / "ready.parquet"
    subprocess.run(_filter("--table", str(table))(_capture()), capture_output=True, check=True)
    code = (
        "import sys, time, pyarrow.parquet as pq; made = pq.read_table(sys.argv[1]); "
        "start = time.process_time(); pq.write_table(made, sys.argv[1], compression='zstd'); "
        "print(time.process_time() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(table)], capture_output=True, text=True, check=True
    )
    table.unlink()
    return ns(float(done.stdout), networks.FRAMES)


# --- N6: pcapng and merging --------------------------------------------------------------------


def pcapng(out: Path) -> Iterator[Row]:
    """N6: a pcapng, against tcpdump and against the same frames as a classic pcap."""
    path = out / "same.pcapng"
    _copy([path], networks.FRAMES)
    _checked(path)
    runs = [Run(_filter("--count"), path), Run(_filter("--count"), _capture())]
    if peers.tcpdump_count(_EXPRESSION, path) is not None:
        runs.append(Run(lambda p: ["tcpdump", "-r", str(p), "--count", _EXPRESSION], path))
    mine, classic, *others = frames_of(*runs)
    theirs = others[0] if others else None
    what = f"filter --count of a pcapng, {MEMBERS} members, CPU a frame"
    yield _row("N6", what, 0.3, mine, theirs, "tcpdump")
    yield _row("N6", "…", 2, mine, classic, "the same as a pcap")


def merging(out: Path) -> Iterator[Row]:
    """N6: three captures merged, against the same three one after the other."""
    paths = [out / f"part-{turn}.pcap" for turn in range(3)]
    _copy(paths, networks.FRAMES)
    _checked(*paths)
    more = [str(path) for path in paths[1:]]

    def together(*options: str) -> Callable[[Path], list[str]]:
        """Over the three; the start is that over a capture without frames alone."""
        return lambda path: _filter("--count", *options, *(more if path == paths[0] else ()))(path)

    merged, plain = frames_of(Run(together("--merge"), paths[0]), Run(together(), paths[0]))
    what = f"filter --count --merge of 3, {MEMBERS} members, CPU a frame"
    yield _row("N6", what, 1.3, merged, plain, "without --merge")
    for path in paths:
        path.unlink()


# --- N7: writing -------------------------------------------------------------------------------


def writing(out: Path) -> Iterator[Row]:
    """N7: the accepted frames into a capture, against judging and copying as many bytes."""
    written, copy, as_many = out / "accepted.pcap", out / "copy.pcap", out / "as-many.pcap"

    def accepted(path: Path) -> list[str]:
        written.unlink(missing_ok=True)  # both write into memory given back just now
        return _filter("-w", str(written))(path)

    def copied(path: Path) -> list[str]:
        copy.unlink(missing_ok=True)
        return ["cp", str(as_many if path == _capture() else path), str(copy)]

    subprocess.run(_filter("-w", str(as_many))(_capture()), capture_output=True, check=True)
    spent, judging, copying = frames_of(
        Run(accepted, _capture()), Run(_filter("--count"), _capture()), Run(copied, _capture())
    )
    what = f"filter -w, {MEMBERS} members, CPU a frame"
    yield _row("N7", what, 1.3, spent, judging + copying, "--count and cp")


# --- N8: compressed ----------------------------------------------------------------------------


def compressed(out: Path) -> Iterator[Row]:
    """N8: compressed captures, in wall time, against their own tools alone."""
    tools = {
        "gz": ["gzip", "-1", "-c"],
        "zst": ["zstd", "-q", "-1", "-c"],
        "lz4": ["lz4", "-q", "-1", "-c"],
    }
    inflating = {
        "gz": [sys.executable, "-m", "isal.igzip", "-d", "-c"],
        "zst": ["zstd", "-q", "-d", "-c"],
        "lz4": ["lz4", "-q", "-d", "-c"],
    }
    for suffix, tool in tools.items():
        what = f"filter --count of .{suffix}, {MEMBERS} members, wall time a frame"
        if shutil.which(tool[0]) is None:
            yield Row("N8", what, "", f"{tool[0]} is not installed", None)
            continue
        path = out / f"same.pcap.{suffix}"
        for made, source in ((path, _capture()), (out / f"nothing.{suffix}", nothing())):
            with made.open("wb") as file, source.open("rb") as given:
                subprocess.run(tool, stdin=given, stdout=file, check=True)
        peer = "isal's igzip -d" if suffix == "gz" else f"{tool[0]} -d"
        yield _inflated(path, what, inflating[suffix], peer)
        if suffix == "zst":
            _copy([path], networks.FRAMES)  # as filter -w writes it: in frames of 8 MiB
            yield _inflated(
                path,
                f"filter --count of .zst in frames of 8 MiB, {MEMBERS} members, wall time a frame",
                inflating[suffix],
                peer,
            )


def _inflated(path: Path, what: str, inflating: list[str], peer: str) -> Row:
    """A row of a compressed capture, which is gone then."""
    _checked(path)
    empty = path.parent / f"nothing{path.suffix}"  # what inflating needs is loaded at the start

    def same(capture: Path) -> Path:
        return path if capture == path else empty

    mine, theirs = frames_of(
        Run(lambda capture: _filter("--count")(same(capture)), path),
        Run(lambda capture: [*inflating, str(same(capture))], path),
        cost=wall_of,
    )
    path.unlink()
    return _row("N8", what, 1.1, mine, theirs, peer)


# --- N9: threads -------------------------------------------------------------------------------


def threads(out: Path) -> Iterator[Row]:
    """N9: two threads against one, in wall time above the start.

    A million frames are counted in a tenth of a second, by one whatever is asked for, so a larger
    capture is counted, too.
    """
    large = out / "large.pcap"
    times = min(_LARGE, shutil.disk_usage(out).free // (2 * _capture().stat().st_size))
    _times(large, times)
    frames = times * networks.FRAMES
    _checked(large, frames=frames)
    yield _two(f"--count, {frames:,} frames", Run(_filter("--count"), large, frames), 1.7)
    large.unlink()
    for name, options in {
        "--count": ("--count",),
        "-w": ("-w", str(out / "accepted.pcap")),
        "--table .csv": ("--table", str(out / "table.csv")),
    }.items():
        yield _two(name, Run(_filter(*options), _capture()), 0.95)


def _times(path: Path, times: int) -> None:
    """The capture's records that often in one file."""
    with path.open("wb") as file, _capture().open("rb") as source:
        file.write(source.read(24))
        for _ in range(times):
            source.seek(24)
            shutil.copyfileobj(source, file, 1 << 20)


def _two(name: str, one: Run, asked: float) -> Row:
    """A run with two threads against itself with one."""
    two = one._replace(command=lambda path: [*one.command(path), "--threads", "2"])
    alone, together = frames_of(one, two, cost=wall_of)
    return Row(
        "N9",
        f"filter {name}, {MEMBERS} members, --threads 2 against 1, wall time",
        f"≥ {asked}×" if asked > 1 else "not slower, but for a twentieth",
        f"{alone / together:.2f}× ({alone:.0f} ns)",
        alone / together >= asked,
    )
