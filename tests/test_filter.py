"""Filter: one frame at a time gives what the engine gives of a batch, whatever the rules ask."""

from __future__ import annotations

import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import ztfast
from tests.pages import EXAMPLES

RULES = {
    "plain": "drop not ethertype ipv4 and not ethertype arp;\n"
    "accept ipprotocol tcp;\naccept dport 53;",
    "redirect": "redirect 6b4d5e6f70 ipprotocol tcp;\nredirect 0000000000 ipprotocol udp;\naccept;",
    "copies": "tee -1 6b4d5e6f70 ipprotocol tcp;\nwatch 64 8e30f50a25;\naccept chr ipauth;\ndrop;",
    "break": "cap ssh id 1 default accept dport 22; ;\nbreak chr tcp_syn;\naccept;",
    "random": "accept random 0.5;\ndrop;",
    "tags": "tag t id 1 enum 1 a;\naccept tdiff t 0;\ndrop;",
    "inbound": "drop chr inbound and ethertype ipv4;\naccept;",
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"side": "in"},
    {"side": "out", "engine": "1.12"},
    {"network_id": 0x8056C2E21C000001},
    {"backend": "reference"},
]


def frames() -> list[bytes]:
    """The example's frames, whole and cut, and some noise; seed 7."""
    draw = random.Random(7)
    found: list[bytes] = [b"", b"\xff"]
    with ztfast.open_capture(EXAMPLES / "office.pcap") as capture:
        for packets in capture:
            ends = packets.offsets + packets.captured
            for start, end in zip(packets.offsets, ends, strict=True):
                frame = bytes(packets.buffer[start:end])
                found += [frame, frame[: draw.randrange(len(frame))]]
    return found + [draw.randbytes(draw.randrange(80)) for _ in range(50)]


FRAMES = frames()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_as_the_engine(name: str, options: dict[str, Any]) -> None:
    judge = ztfast.Filter(RULES[name], seed=5, **options)
    engine = ztfast.Engine(ztfast.compile(RULES[name]), seed=5, **options)
    wanted = engine.evaluate(ztfast.FrameBatch.from_frames(FRAMES)).accepted.tolist()
    assert [judge(frame) for frame in FRAMES] == wanted
    assert len(set(wanted)) == 2 or name in ("redirect", "tags", "inbound")


def test_the_office() -> None:
    network = ztfast.load_network(EXAMPLES / "office.toml")
    policy = ztfast.load(EXAMPLES / "office.ztrules")
    judge = ztfast.Filter(policy, network=network)
    engine = ztfast.Engine(policy, network=network)
    wanted = engine.evaluate(ztfast.FrameBatch.from_frames(FRAMES)).accepted.tolist()
    assert [judge(frame) for frame in FRAMES] == wanted


def test_original_length() -> None:
    judge = ztfast.Filter("accept framesize 1000-1500;\ndrop;")
    assert judge(bytes(60), 1014)
    assert not judge(bytes(60))
    assert judge(bytes(1014), 20)  # never fewer than were captured


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda frame: memoryview(frame)[::1]])
def test_other_buffers(kind: Any) -> None:
    judge = ztfast.Filter(RULES["plain"])
    assert [judge(kind(frame)) for frame in FRAMES] == [judge(frame) for frame in FRAMES]


@pytest.mark.parametrize("rules", [RULES["plain"], RULES["random"]])
@pytest.mark.parametrize(
    "arguments",
    [("text",), (None,), (memoryview(bytes(20))[::2],), (b"", -1), (b"", 1 << 32), (b"", "9")],
    ids=str,
)
def test_what_is_no_frame_is_refused(rules: str, arguments: tuple[Any, ...]) -> None:
    judge, other = ztfast.Filter(rules), ztfast.Filter(rules)
    wanted = [other(frame) for frame in FRAMES]
    assert len(set(wanted)) == 2
    with pytest.raises(ztfast.FrameError) as raised:
        judge(*arguments)
    assert raised.value.diagnostics[0].code == "ZT401"
    if rules == RULES["plain"]:  # and the filter goes on; draws go by the number of calls
        assert [judge(frame) for frame in FRAMES] == wanted
    else:
        assert len({judge(frame) for frame in FRAMES}) == 2


def test_threads_share_a_filter() -> None:
    judge = ztfast.Filter(RULES["plain"])
    wanted = [judge(frame) for frame in FRAMES]
    times = 8 if ztfast.backend == "reference" else 32
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: [judge(frame) for frame in FRAMES], range(times)):
            assert found == wanted


def test_pickled() -> None:
    judge = ztfast.Filter(RULES["plain"])
    wanted = [judge(frame) for frame in FRAMES]
    again = pickle.loads(pickle.dumps(judge))
    assert [again(frame) for frame in FRAMES] == wanted


def test_reference_is_only_asked_where_it_is_asked_for() -> None:
    assert ztfast.Filter("accept;", backend="reference").engine.backend == "reference"
    assert ztfast.Filter("accept;").engine.backend == ztfast.backend
