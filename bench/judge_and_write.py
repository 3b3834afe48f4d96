"""The peer of `--split`: every frame judged and counted, and as many bytes written in one stretch.

python -m bench.judge_and_write RULES NETWORK CAPTURE OUT BYTES

What is written are the capture's own bytes, 256 KiB at a time, from its beginning again where they
do not do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

import ztfast
from ztfast.network.load import load_network
from ztfast.pipeline.judge import judgements
from ztfast.pipeline.tally import Tally

_PIECE = 1 << 18


def main(rules: str, network: str, capture: str, out: str, size: int) -> None:
    """Judge, count and write."""
    engine = ztfast.Engine(ztfast.load(rules), network=load_network(network))
    tally = Tally(engine.policy)
    with ztfast.open_capture(capture) as packets:
        for item in judgements(engine, packets):
            tally.count(item)
    data = np.memmap(capture, np.uint8, "r")
    piece = np.empty(_PIECE, np.uint8)
    with open(out, "wb", buffering=0) as file:
        for at in range(0, size, _PIECE):
            low = at % max(1, len(data) - _PIECE)
            part = piece[: min(_PIECE, size - at)]
            part[:] = data[low : low + len(part)]
            os.write(file.fileno(), part)
    assert Path(out).stat().st_size == size
    print(sum(count.frames for count in tally.deciders.values()))


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
