"""Every way in which commands write files, and what of it must be whole.

Contract: `MODES` are words of a command, with `{rules}`, `{capture}`, `{network}` and `{out}` (a
folder) to be filled in; `files` are a folder's files under their final names.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests import pages
from tests.capture import building

FRAMES = 4_000
JUDGED = "{rules} {capture} --network {network} --progress none"
MODES = {
    "pcap": f"filter {JUDGED} -w {{out}}/o.pcap",
    "pcapng": f"filter {JUDGED} -w {{out}}/o.pcapng --comment",
    "gzip": f"filter {JUDGED} -w {{out}}/o.pcap.gz",
    "zstd": f"filter {JUDGED} -w {{out}}/o.pcapng.zst",
    "lz4": f"filter {JUDGED} -w {{out}}/o.pcap.lz4",
    "rotated": f"filter {JUDGED} -w {{out}}/o.pcap --rotate-frames 700",
    "split": f"filter {JUDGED} --split {{out}}/s --force",
    "csv": f"filter {JUDGED} --table {{out}}/o.csv",
    "npy": f"filter {JUDGED} --table {{out}}/o.npy",
    "arrow": f"filter {JUDGED} --table {{out}}/o.arrow",
    "parquet": f"filter {JUDGED} --table {{out}}/o.parquet",
    "delivered": "deliver {rules} {capture} --network {network} --split {out}/d --force",
    "text": "compile {rules} -o {out}/o.json",
}
NEEDS = {"zstd": "zstandard", "lz4": "lz4", "arrow": "pyarrow", "parquet": "pyarrow"}


def modes() -> list[str]:
    """Those whose library is there."""
    return [name for name in MODES if name not in NEEDS or find_spec(NEEDS[name]) is not None]


def capture(folder: Path, frames: int = FRAMES) -> Path:
    """A capture of so many frames between members of the office."""
    from ztfast.capture import open_capture

    with open_capture(pages.EXAMPLES / "office.pcap") as packets:
        office = [bytes(frame) for batch in packets for frame in batch.frames()]
    path = folder / "many.pcap"
    path.write_bytes(building.pcap((office * (frames // len(office) + 1))[:frames]))
    return path


def words(mode: str, capture: Path, out: Path) -> list[str]:
    """The command, to be run by this Python."""
    rules, network = (pages.EXAMPLES / f"office.{kind}" for kind in ("ztrules", "toml"))
    values = {"rules": rules, "network": network, "capture": capture, "out": out}
    return [sys.executable, "-m", "ztfast", *(one.format(**values) for one in MODES[mode].split())]


def files(folder: Path) -> dict[str, bytes]:
    """The files under final names, by their path in the folder; `.….part` is none."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".part")
    }


@contextmanager
def fresh(folder: Path) -> Iterator[Path]:
    """An empty folder for one run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
