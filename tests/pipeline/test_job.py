"""A job from Python: counted and written batch by batch, whatever stops it; nothing printed."""

from __future__ import annotations

from pathlib import Path

import pytest

import ztfast
from tests.capture.building import pcap
from ztfast.capture import open_captures
from ztfast.errors import UsageError
from ztfast.pipeline.job import Job
from ztfast.pipeline.outputs import OutputOptions

OFFICE = Path(__file__).parents[2] / "examples"
RULES = "drop dport 23;\naccept;\n"


def frame(port: int) -> bytes:
    head = bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x06" + bytes(12) + port.to_bytes(2, "big")
    return head.ljust(60, b"\0")


FRAMES = [frame(port) for port in (22, 23, 80, 23, 443)]


def job(path: Path, outputs: OutputOptions | None = None, **options: bool) -> Job:
    source = open_captures([path], **options)  # type: ignore[arg-type]
    return Job(ztfast.Engine(ztfast.compile(RULES)), source, outputs)


def frames_of(path: Path) -> list[bytes]:
    with ztfast.open_capture(path) as capture:
        return [one for batch in capture for one in batch.frames()]


def test_counted_and_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "in.pcap", tmp_path / "out.pcap"
    path.write_bytes(pcap(FRAMES))
    made = job(path, OutputOptions(accepted=str(out)))
    seen: list[tuple[int, int]] = []
    made.work(lambda frames, done: seen.append((frames, done)))
    assert (made.complete, made.failed, made.findings()) == (True, False, [])
    assert made.tally.verdict("accept").frames == 3
    assert made.tally.verdict("drop").frames == 2
    assert frames_of(out) == [FRAMES[0], FRAMES[2], FRAMES[4]]
    assert [file.path for file in made.files] == [str(out)]
    assert sum(frames for frames, _ in seen) == len(FRAMES)
    assert capfd.readouterr() == ("", "")


def test_damage_ends_the_reading_not_what_was_done(tmp_path: Path) -> None:
    path, out = tmp_path / "in.pcap", tmp_path / "out.pcap"
    path.write_bytes(pcap(FRAMES)[:-10])
    made = job(path, OutputOptions(accepted=str(out)))
    made.work()
    assert made.failed
    assert not made.complete
    assert [finding.code for finding in made.findings()] == ["ZT502"]
    assert made.tally.total.frames == 4
    assert frames_of(out) == [FRAMES[0], FRAMES[2]]


def test_an_interrupt_keeps_whole_batches(tmp_path: Path) -> None:
    path, out = tmp_path / "in.pcap", tmp_path / "out.pcap"
    path.write_bytes(pcap(FRAMES))

    def interrupt(frames: int, _: int) -> None:
        if frames:
            raise KeyboardInterrupt

    made = job(path, OutputOptions(accepted=str(out)))
    made.work(interrupt)
    assert made.interrupted
    assert made.tally.total.frames == len(FRAMES)
    assert frames_of(out) == [FRAMES[0], FRAMES[2], FRAMES[4]]


def test_an_output_that_cannot_be_opened_is_a_problem_of_the_job(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(FRAMES))
    options = OutputOptions(accepted=str(tmp_path / "none" / "out.pcap"))
    with pytest.raises(UsageError, match="its folder is not there"):
        job(path, options)
    (tmp_path / "none").mkdir()
    made = job(path, options)
    (tmp_path / "none").rmdir()
    made.work()
    assert made.failed
    assert [finding.code for finding in made.findings()] == ["ZT601"]


def test_an_unknown_link_type_is_said_with_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(FRAMES, linktype=147))
    made = job(path)
    made.work()
    (finding,) = made.findings()
    assert finding.message.endswith(": 5 frames")
    assert made.failed


def test_nothing_is_opened_where_nothing_can_be_read(tmp_path: Path) -> None:
    path, out = tmp_path / "in.pcap", tmp_path / "out.pcap"
    path.write_bytes(b"no capture at all")
    out.write_text("older")
    made = job(path, OutputOptions(accepted=str(out)))
    made.work()
    assert made.failed
    assert out.read_text() == "older"


def test_figures_are_the_same_however_frames_are_judged() -> None:
    """Counted while they are found, in two threads, by the reference: what is copied arrives."""

    def figures(threads: int = 1, backend: str = "auto") -> dict[str, object]:
        policy, network = ztfast.load(OFFICE / "office.ztrules"), OFFICE / "office.toml"
        engine = ztfast.Engine(policy, network=ztfast.load_network(network), backend=backend)
        with open_captures([OFFICE / "office.pcap"]) as source:
            made = Job(engine, source, threads=threads)
            made.work()
        return made.tally.to_json()

    found = figures()
    assert found["deliveries"]
    assert found == figures(threads=2) == figures(backend="reference")
