"""The live tap's loops: the compiled ones where they were built, else plain Python.

Contract: the one module that imports `ztfast._tap`; both have the same names with the same results
(tests/live/test_loops.py, test_plain_turns.py).  `compiled` says which these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from ztfast import _tap

    compiled = True
except ImportError:
    compiled = False

if TYPE_CHECKING or not compiled:
    from ztfast.live.plain_loops import (
        Joiner,
        Walker,
        Window,
        pack,
        pick_copies,
        pick_frames,
        send,
    )
    from ztfast.live.plain_turns import Lane, Rounds
    from ztfast.live.plain_ways import Messages, Records, Way
else:
    Joiner, Lane, Rounds = _tap.Joiner, _tap.Lane, _tap.Rounds
    Messages, Records, Way = _tap.Messages, _tap.Records, _tap.Way
    Walker, Window = _tap.Walker, _tap.Window
    pack, pick_copies, pick_frames, send = (
        _tap.pack,
        _tap.pick_copies,
        _tap.pick_frames,
        _tap.send,
    )

__all__ = [
    "Joiner",
    "Lane",
    "Messages",
    "Records",
    "Rounds",
    "Walker",
    "Way",
    "Window",
    "pack",
    "pick_copies",
    "pick_frames",
    "send",
]
