"""`ztfast filter`: figures, options, errors; what is written is in test_filter_outputs.py."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.capture import building
from tests.cli.running import ztfast

RULES = "accept ethertype ipv4 and ipprotocol udp;\ndrop ethertype arp;\naccept framesize 0-50;\n"
UDP, ARP, OTHER = "0800", "0806", "88cc"
SECOND = 1_000_000_000


def frame(ethertype: str, size: int = 60, protocol: int = 17) -> bytes:
    """A frame of `size` bytes: no MACs, an IPv4 header where it is one."""
    body = bytes.fromhex(ethertype) + bytes([0x45]) + bytes(8) + bytes([protocol])
    return (bytes(12) + body).ljust(size, b"\0")


FRAMES = [frame(UDP), frame(ARP), frame(OTHER), frame(OTHER, 90), frame(UDP, 200)]
ACCEPTED = [0, 2, 4]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.ztrules"
    path.write_text(RULES)
    return path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "in.pcap"
    path.write_bytes(building.pcap(FRAMES, times=[n * SECOND for n in range(len(FRAMES))]))
    return path


def figures(capfd: Any, *words: Any, status: int = 0) -> Any:
    """The JSON figures of a run."""
    capfd.readouterr()
    assert ztfast("filter", *words, "--json") == status
    return json.loads(capfd.readouterr().out)


def test_figures(capfd: Any, rules: Path, capture: Path, backend: str) -> None:
    found = figures(capfd, rules, capture, "--backend", backend)
    assert found["frames"] == len(FRAMES)
    assert found["bytes"] == sum(map(len, FRAMES))
    assert found["verdicts"]["accept"] == {"frames": 3, "bytes": 320}
    assert found["verdicts"]["drop"] == {"frames": 2, "bytes": 150}
    by_line = {row["line"]: row["frames"] for row in found["rules"]}
    assert by_line == {1: 2, 2: 1, 3: 1, None: 1}
    assert found["complete"] is True


def test_text(capfd: Any, rules: Path, capture: Path) -> None:
    assert ztfast("filter", rules, capture, "--count") == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[:5] == [
        "verdict   frames  bytes",
        "accept         3    320",
        "drop           2    150",
        "redirect       0      0",
        "all            5    470",
    ]
    assert "accept ethertype ipv4 and ipprotocol udp\n" in out
    assert not err


def test_json_equals_text(capfd: Any, rules: Path, capture: Path) -> None:
    found = figures(capfd, rules, capture)
    assert ztfast("filter", rules, capture) == 0
    shown = capfd.readouterr().out
    for row in found["rules"]:
        assert row["rule"] in shown


def test_limit_and_several(capfd: Any, rules: Path, capture: Path) -> None:
    assert figures(capfd, rules, capture, "--limit", 2)["frames"] == 2
    assert figures(capfd, rules, capture, "--limit", 0)["frames"] == 0
    assert figures(capfd, rules, capture, capture)["frames"] == 2 * len(FRAMES)
    assert figures(capfd, rules, capture, capture, "--merge")["frames"] == 2 * len(FRAMES)
    assert figures(capfd, rules, capture, capture, "--merge", "--limit", 7)["frames"] == 7


def test_folder(capfd: Any, rules: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.pcap", "b.pcap"):
        (folder / name).write_bytes(building.pcap(FRAMES))
    (folder / "notes.txt").write_text("no capture")
    assert figures(capfd, rules, folder)["frames"] == 2 * len(FRAMES)


def test_merge_orders_frames(rules: Path, tmp_path: Path) -> None:
    paths = []
    for number, times in enumerate(([1, 4], [2, 3])):
        path = tmp_path / f"{number}.pcap"
        frames = [frame(UDP, 60 + time) for time in times]
        path.write_bytes(building.pcap(frames, times=[time * SECOND for time in times]))
        paths.append(path)
    out = tmp_path / "out.pcap"
    assert ztfast("filter", rules, *paths, "--merge", "-w", out) == 0
    from ztfast.capture import open_capture

    with open_capture(out) as found:
        lengths = [length for batch in found for length in batch.lengths.tolist()]
    assert lengths == [61, 62, 63, 64]


def test_vlan(capfd: Any, rules: Path, tmp_path: Path) -> None:
    tagged = bytes(12) + bytes.fromhex("8100 0064") + frame(UDP)[12:]
    path = tmp_path / "tagged.pcap"
    path.write_bytes(building.pcap([tagged]))
    rules.write_text("accept vlan 100 and ethertype ipv4;\ndrop;\n")
    assert figures(capfd, rules, path)["verdicts"]["accept"]["frames"] == 0
    assert figures(capfd, rules, path, "--vlan", "decode")["verdicts"]["accept"]["frames"] == 1


def test_check_sequences_are_no_payload(capfd: Any, rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "fcs.pcap"
    fcs = 0x0400_0000 | 2 << 28
    path.write_bytes(building.pcap([frame(OTHER, 64 + 4)], linktype=fcs | 1))
    assert figures(capfd, rules, path)["verdicts"]["accept"]["frames"] == 1  # 50 of payload


def test_rules_from_standard_input(
    capfd: Any, rules: Path, capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RULES.encode())))
    assert figures(capfd, "-", capture)["verdicts"]["accept"]["frames"] == 3


# --- what is not known -----------------------------------------------------------------------


def test_assumptions_are_said_in_one_line(capfd: Any, rules: Path, capture: Path) -> None:
    rules.write_text("drop not chr ipauth;\naccept;\n")
    assert ztfast("filter", rules, capture) == 0
    _out, err = capfd.readouterr()
    assert err == "ztfast: assumed: ipauth=yes (read: ownership in 3 frames)\n"
    assert figures(capfd, rules, capture)["assumed"]["ownership"] == 3
    kept = figures(capfd, rules, capture, "--assume", "ipauth=no")
    assert kept["verdicts"]["drop"]["frames"] == len(FRAMES)


def test_network_id_gives_addresses(capfd: Any, rules: Path, tmp_path: Path) -> None:
    from ztfast.model.addresses import mac_of

    network, address = 0x8056C2E21C000001, 0x8E30F50A25
    mac = mac_of(address, network).to_bytes(6, "big")
    path = tmp_path / "one.pcap"
    path.write_bytes(building.pcap([mac + mac + frame(UDP)[12:]]))
    rules.write_text(f"accept ztsrc {address:010x};\ndrop;\n")
    assert figures(capfd, rules, path)["verdicts"]["accept"]["frames"] == 0
    assert figures(capfd, rules, path)["assumed"]["addresses"] == 1
    found = figures(capfd, rules, path, "--network", f"{network:016x}")
    assert found["verdicts"]["accept"]["frames"] == 1
    assert found["assumed"]["addresses"] == 0


def test_uncertain_verdicts_are_said(capfd: Any, rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.pcap"
    path.write_bytes(building.pcap([frame(UDP)[:20]], lengths=[60]))
    assert ztfast("filter", rules, path) == 0
    err = capfd.readouterr().err
    assert err == "ztfast: 1 verdict is uncertain: bytes not captured (protocol in 1)\n"


def test_link_types_not_known(capfd: Any, rules: Path, tmp_path: Path) -> None:
    names = [[(2, b"radio")], [(2, b"eth0")], []]
    blocks = [
        building.interface(linktype, pairs=pairs)
        for linktype, pairs in zip((148, 1, 147), names, strict=True)
    ]
    packets = [building.packet(frame(UDP), number) for number in (0, 1, 0, 2, 1)]
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(b"".join([building.section(), *blocks, *packets]))
    out = tmp_path / "out.pcapng"
    assert ztfast("filter", rules, path, "-w", out, "--json") == 1
    shown, err = capfd.readouterr()
    found = json.loads(shown)
    assert found["frames"] == 5
    assert found["verdicts"]["accept"]["frames"] == 2
    interfaces = [(one["interface"], one["linktype"], one["frames"]) for one in found["unjudged"]]
    assert interfaces == [("2", 147, 1), ("radio", 148, 2)]
    assert "interface radio: link type 148 is not known" in err
    assert "2 frames" in err
    assert figures(capfd, rules, out)["frames"] == 2  # the others are not in it


def test_capture_of_only_an_unknown_link_type(capfd: Any, rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "radio.pcap"
    path.write_bytes(building.pcap(FRAMES, linktype=148))
    assert ztfast("filter", rules, path, "-w", tmp_path / "out.pcap") == 1
    out, err = capfd.readouterr()
    assert "unjudged       5    470" in out
    assert "link type 148" in err


# --- errors ----------------------------------------------------------------------------------


def damaged(tmp_path: Path, cut: int) -> Path:
    path = tmp_path / "cut.pcap"
    path.write_bytes(building.pcap(FRAMES)[:-cut])
    return path


def test_what_stands_before_damage_is_handled(capfd: Any, rules: Path, tmp_path: Path) -> None:
    path, out = damaged(tmp_path, 7), tmp_path / "out.pcap"
    assert ztfast("filter", rules, path, "-w", out, "--json") == 1
    shown, err = capfd.readouterr()
    assert json.loads(shown)["frames"] == 4
    assert json.loads(shown)["complete"] is False
    place = 24 + sum(16 + len(one) for one in FRAMES[:4])
    assert f"{path}: byte {place}: error[ZT502]" in err
    assert figures(capfd, rules, out)["frames"] == 2


def test_resync_goes_on_and_says_so(capfd: Any, rules: Path, tmp_path: Path) -> None:
    frames = [frame(UDP, 60 + number) for number in range(20)]
    data = bytearray(building.pcap(frames, times=[n * SECOND for n in range(20)]))
    data[24 + 8 : 24 + 12] = b"\xff\xff\xff\x7f"
    path = tmp_path / "bad.pcap"
    path.write_bytes(data)
    assert figures(capfd, rules, path, status=1)["frames"] == 0
    assert ztfast("filter", rules, path, "--resync", "--json") == 1
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["frames"] == 19
    assert found["skipped_bytes"] == 76
    assert "ztfast: 76 bytes of damage were skipped" in err


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (b"\xd4\xc3", "ends after 2 bytes"),
        (b"hello, world", "is not a capture"),
        (building.pcap([])[:20], "inside the 24-byte pcap header"),
    ],
)
def test_no_capture_leaves_older_files(
    capfd: Any, rules: Path, tmp_path: Path, data: bytes | None, what: str
) -> None:
    path, out = tmp_path / "in.pcap", tmp_path / "out.pcap"
    out.write_bytes(b"older")
    if data is not None:
        path.write_bytes(data)
    assert ztfast("filter", rules, path, "-w", out) == 1
    assert what in capfd.readouterr().err
    assert out.read_bytes() == b"older"


def test_second_capture_missing_is_said_at_once(capfd: Any, rules: Path, capture: Path) -> None:
    assert ztfast("filter", rules, capture, f"{capture}x") == 1
    out, err = capfd.readouterr()
    assert not out
    assert "no such file" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--count", "-w", "out.pcap"],
        ["--count", "--split", "out"],
        ["--split-by", "rule"],
        ["--split", "out", "--split-by", "member"],
        ["--rotate-frames", "5"],
        ["--format", "pcap"],
        ["-w", "-", "--rotate-size", "5M"],
        ["-w", "x", "--rotate-size", "5X"],
        ["-w", "x", "--rotate-size", "0"],
        ["-w", "x", "--rotate-frames", "0"],
        ["-w", "x", "--rotate-seconds", "nan"],
        ["-w", "x", "--rotate-seconds", "inf"],
        ["-w", "x", "--rotate-seconds", "-1"],
        ["--assume", "ipauth=maybe"],
        ["--limit", "-1"],
        ["--seed", "-1"],
        ["--threads", "0"],
        ["--table", "x.xlsx"],
        ["-w", "-", "--table", "-"],
        ["--merge", "--follow"],
    ],
)
def test_wrong_usage(
    capfd: Any,
    rules: Path,
    capture: Path,
    tmp_path: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    assert ztfast("filter", rules, capture, *words) == 2
    out, err = capfd.readouterr()
    assert not out
    assert "rror" in err
    assert sorted(os.listdir(tmp_path)) == before


def test_rules_and_capture_cannot_both_be_standard_input(capfd: Any) -> None:
    assert ztfast("filter", "-", "-") == 2


def test_seed_is_any_64_bit_number(capfd: Any, rules: Path, capture: Path) -> None:
    rules.write_text("accept random 0.5;\ndrop;\n")
    for seed in (0, 1, 2**63, 2**64 - 1):
        assert figures(capfd, rules, capture, "--seed", seed) == figures(
            capfd, rules, capture, "--seed", seed, "--backend", "reference"
        )


# --- Ctrl-C, pipes ---------------------------------------------------------------------------


@contextmanager
def started(*words: Any, **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A run of its own, ended and its pipes closed behind the block."""
    command = [sys.executable, "-m", "ztfast", "filter", *map(str, words)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupt_ends_cleanly(rules: Path, tmp_path: Path, name: str) -> None:
    """Frames come through a pipe that stays open; then Ctrl-C, `kill`, a closed terminal."""
    if not hasattr(signal, name):
        pytest.skip(f"{name} is not there")
    out = tmp_path / "out.pcap"
    kept = building.pcap([FRAMES[at] for at in ACCEPTED], times=[0, 0, 0])
    words = (rules, "-", "-w", out, "--json")
    with started(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(building.pcap(FRAMES, times=[0] * len(FRAMES)))
        process.stdin.flush()
        while [path.stat().st_size for path in tmp_path.glob(".out.pcap.*.part")] != [len(kept)]:
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"ended with {process.wait(0.01)} before it was interrupted")
        process.send_signal(getattr(signal, name))
        shown, err = process.communicate()
    assert process.returncode == 130, err
    assert b"interrupted" in err
    assert b"Traceback" not in err
    found = json.loads(shown)
    assert (found["frames"], found["complete"]) == (5, False)
    assert out.read_bytes() == kept
    assert not list(tmp_path.glob("*.part"))


def test_capture_to_a_pipe(rules: Path, capture: Path) -> None:
    with capture.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "ztfast", "filter", str(rules), "-", "-w", "-"],
            stdin=file,
            capture_output=True,
            check=True,
        )
    expected = building.pcap([FRAMES[at] for at in ACCEPTED], times=[0, 2 * SECOND, 4 * SECOND])
    assert done.stdout == expected
    assert done.stderr.startswith(b"verdict")


def test_closed_pipe_is_an_error_that_names_it(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "many.pcap"
    path.write_bytes(building.pcap([frame(UDP, 1500)] * 2000))
    with started(rules, path, "-w", "-", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait() == 1
    assert b"Broken pipe" in err
    assert b"Traceback" not in err


def test_figures_into_a_closed_pipe(rules: Path, capture: Path) -> None:
    with started(rules, capture, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.wait()
    assert b"Traceback" not in err
    assert b"Exception" not in err


def test_follow_reads_what_is_appended(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "grows.pcap"
    data = building.pcap(FRAMES, times=[0] * len(FRAMES))
    first = len(building.pcap(FRAMES[:1]))
    path.write_bytes(data[: first + 50])
    words = (rules, path, "--follow", "--limit", 5, "-w", "-", "--json")
    with started(*words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        before = process.stdout.read(first)  # what was there is judged and written
        with path.open("ab") as file:
            file.write(data[first + 50 :])
        rest, err = process.communicate()
    assert process.returncode == 0, err
    assert before + rest == building.pcap([FRAMES[at] for at in ACCEPTED], times=[0, 0, 0])
    assert json.loads(err)["frames"] == 5


def test_progress_ends_with_all_bytes(rules: Path, capture: Path, capfd: Any) -> None:
    assert ztfast("filter", rules, capture, "--progress", "json") == 0
    row = json.loads(capfd.readouterr().err.splitlines()[0])
    size = capture.stat().st_size
    assert (row["finished"], row["bytes"], row["total_bytes"]) == (True, size, size)
