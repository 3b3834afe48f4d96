"""Rules files that are meant to hurt, through the command: an error with a place, or it works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import ztfast

DEEP = 10_000


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"macro a include b ;\nmacro b include a ;\ninclude a\n", 1, ":2:16: error[ZT042]"),
        (b"macro a include a ;\ninclude a\n", 1, "error[ZT"),
        (b"accept;\n\0\n", 1, ":2:0: error[ZT"),
        (b"accept;\n\xff\xfe\n", 1, "byte 8: error[ZT050]"),
        (b"cap c id 4294967296 accept; ;\n", 1, "error[ZT"),
        (b"tag t id -1 default 0 ;\n", 1, "error[ZT"),
        (b"accept " * DEEP + b"dport 1 " + b"; " * DEEP, 1, ":1:7: error[ZT011]"),
        (b"accept " + b"; " * DEEP, 0, ""),
        (b"tag x " * DEEP, 1, "error[ZT"),
        (b"macro m " * DEEP, 0, ""),  # as the official compiler: the last definition counts
        (b'{"rules": [], "rules": []}', 1, ":1:14: error[ZT"),
        (b'{"rules": {"type": 5}}', 1, "error[ZT"),
        (b'{"rules": [{"type": ["ACTION_DROP"]}]}', 1, "error[ZT"),
        (b'{"rules": [{"type": "MATCH_ETHERTYPE", "etherType": "x"}]}', 1, "error[ZT"),
        (b'{"rules":' * DEEP, 1, "error[ZT"),
    ],
)
def test_hostile_rules(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], data: bytes, status: int, says: str
) -> None:
    path = tmp_path / "rules"
    path.write_bytes(data)
    assert ztfast("compile", path, "-o", tmp_path / "out.json") == status
    err = capfd.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert len(err) < 50_000
    if status == 0:
        json.loads((tmp_path / "out.json").read_text())


def test_a_hundred_megabytes_of_comments(tmp_path: Path) -> None:
    """As large as a rules file may be, and it compiles."""
    path = tmp_path / "rules"
    line = b"#" + b"-" * 1022 + b"\n"
    path.write_bytes(line * (100 << 10) + b"accept;\n")
    assert path.stat().st_size > 100 << 20
    assert ztfast("compile", path, "-o", tmp_path / "out.json") == 0
    assert len(json.loads((tmp_path / "out.json").read_text())["config"]["rules"]) == 1


def test_more_than_that_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules"
    with path.open("wb") as file:
        file.truncate((128 << 20) + 1)  # a hole: it takes no room
    assert ztfast("compile", path) == 1
    assert "ZT044" in capfd.readouterr().err
