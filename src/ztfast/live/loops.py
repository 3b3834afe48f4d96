"""The live tap's loops: the compiled ones where they were built, else plain Python.

Contract: the one module that imports `ztfast._tap`; both have the same functions with the same
results (tests/live/test_loops.py).  `compiled` says which these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ztfast.live import plain_loops

try:
    from ztfast import _tap

    compiled = True
except ImportError:
    compiled = False

if TYPE_CHECKING or not compiled:
    from ztfast.live.plain_loops import (
        Window,
        join,
        pack,
        pick_copies,
        pick_frames,
        release,
        send,
        walk,
    )
else:
    Window, join, pack, release, send, walk = (
        _tap.Window,
        _tap.join,
        _tap.pack,
        _tap.release,
        _tap.send,
        _tap.walk,
    )
    pick_copies, pick_frames = _tap.pick_copies, _tap.pick_frames

NAMES = (
    *("Window", "join", "pack", "pick_copies", "pick_frames"),
    *("release", "send", "walk"),
)
PLAIN = plain_loops

__all__ = [
    "Window",
    "join",
    "pack",
    "pick_copies",
    "pick_frames",
    "release",
    "send",
    "walk",
]
