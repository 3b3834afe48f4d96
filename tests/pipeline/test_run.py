"""`ztfast.run` and `ztfast.judge`: the command's figures, from Python."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ztfast
from tests.capture.building import pcap

ROOT = Path(__file__).parents[2]
RULES = ROOT / "examples" / "office.ztrules"
CAPTURE = ROOT / "examples" / "office.pcap"
NETWORK = ROOT / "examples" / "office.toml"


def engine(**options: object) -> ztfast.Engine:
    network = ztfast.load_network(str(NETWORK))
    return ztfast.Engine(ztfast.load(str(RULES)), network=network, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    words = ["filter", RULES, CAPTURE, "--network", NETWORK, "--json", "--count"]
    command = [sys.executable, "-m", "ztfast", *map(str, words)]
    done = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_gives_what_the_command_prints(
    counts: bool, threads: int, figures: dict[str, object]
) -> None:
    with ztfast.open_capture(CAPTURE) as capture:
        tally = ztfast.run(engine(), capture, counts=counts, threads=threads).finish()
    found = tally.to_json()
    assert {name: figures[name] for name in found if name != "deliveries"} == {
        name: value for name, value in found.items() if name != "deliveries"
    }
    assert found["frames"]


def test_parts_have_packets_frames_and_verdicts() -> None:
    accepted = 0
    with ztfast.open_capture(CAPTURE) as capture:
        judged = ztfast.run(engine(), capture)
        for part in judged:
            assert part.frames is not None
            assert part.verdicts is not None
            assert len(part.packets) == len(part.frames) == len(part.verdicts)
            accepted += int(part.verdicts.accepted.sum())
            assert judged.tally.verdict("accept").frames == accepted
    assert accepted


def test_any_batches_will_do() -> None:
    with ztfast.open_capture(CAPTURE) as capture:
        batches = list(capture)
    expected = ztfast.run(engine(), batches).finish().to_json()
    one_by_one = ztfast.Tally(engine().policy)
    for packets in batches:
        one_by_one.count(ztfast.judge(engine(), packets))
    assert one_by_one.to_json() == expected
    assert expected["frames"] == sum(map(len, batches))


def test_an_unknown_link_type_is_counted_without_verdicts() -> None:
    data = pcap([bytes(20), bytes(30)], linktype=147)
    with ztfast.open_capture(io.BytesIO(data)) as capture:
        judged = ztfast.run(engine(), capture)
        assert all(part.verdicts is None for part in judged)
    (count,) = judged.tally.unjudged.values()
    assert (count.frames, count.bytes) == (2, 50)


def test_a_limit_is_kept_where_frames_are_only_counted() -> None:
    rules = ztfast.compile("accept;\n")
    with ztfast.open_capture(CAPTURE, limit=3) as capture:
        tally = ztfast.run(ztfast.Engine(rules), capture, counts=True).finish()
    assert tally.total.frames == 3


def test_a_path_is_no_capture() -> None:
    with pytest.raises(ztfast.UsageError, match="open_capture"):
        ztfast.run(engine(), 3).finish()  # type: ignore[arg-type]
