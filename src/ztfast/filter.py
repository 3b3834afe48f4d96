"""Filter: one frame at a time, in and out: `Filter(rules)(frame) -> bool`.

Contract: the same verdict as `Engine.evaluate` on a batch of that one frame (`accepted`), in a
microsecond or two: the compiled loops are handed the frame's own bytes.  Where they do not say
enough (a frame for several members, `random`, integer ranges, another backend) it is the engine
itself that is asked.
A Filter may be shared by threads.  For many frames at once use Engine, which is far quicker.
Tested by tests/test_filter.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ztfast.engine.engine import Engine
from ztfast.engine.given import bytes_hint
from ztfast.errors import Diagnostic, FrameError
from ztfast.frames.batch import FrameBatch
from ztfast.model.policy import Policy

if TYPE_CHECKING:
    from ztfast.network.members import Network

# bytes, bytearray, memoryview, ndarray uint8: a contiguous buffer, which 3.10 cannot name as a type
Bytes: TypeAlias = Any
_MAX_LENGTH = 0xFFFF_FFFF


class Filter:
    """Says of one Ethernet frame at a time whether the rules let it pass.

    rules: a Policy, a Network that holds one, or a rules text.  options: as `Engine` takes
    them (network, network_id, side, engine, backend, seed, assume_ipauth).
    Raises RulesError, UsageError, BackendError.
    """

    def __init__(self, rules: Policy | Network | str, **options: Any) -> None:
        if isinstance(rules, str):
            from ztfast.lang import compile_text

            rules = compile_text(rules)
        self.engine = Engine(rules, **options)
        self._evaluator = self.engine.scan_evaluator
        self._passes: Callable[[Any, int], bool | None] | None = None
        self._number = itertools.count()

    def __call__(self, frame: Bytes, length: int | None = None) -> bool:
        """True where the frame is accepted by every side that is asked, and not redirected.

        frame: the captured bytes from the destination MAC on, any contiguous buffer.
        length: bytes that the frame really had; None: all are there.  `random` draws are those
        of the frame's number, counted from 0 by calls.  Raises FrameError.
        """
        if self._passes is None:
            if self._evaluator is None:
                return self._by_engine(frame, length)
            self._passes = self._evaluator.machine().passes
        if type(frame) is not bytes:
            frame = _checked(frame)
        if length is None:
            length = len(frame)
        if type(length) is not int or not 0 <= length <= _MAX_LENGTH:
            length = _checked_length(length)
        passed = self._passes(frame, length)
        return self._by_engine(frame, length) if passed is None else passed

    def __getstate__(self) -> dict[str, Any]:
        first = next(self._number)  # a count itself cannot be pickled from Python 3.14 on
        self._number = itertools.count(first)
        return {**self.__dict__, "_passes": None, "_number": first}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _number=itertools.count(state["_number"]))

    def _by_engine(self, frame: Bytes, length: int | None) -> bool:
        """The engine's own verdict on a batch of one."""
        data = _checked(frame)
        lengths = [_checked_length(len(data) if length is None else length)]
        batch = FrameBatch(data, [0], [len(data)], lengths)
        return bool(self.engine.evaluate(batch, first=next(self._number)).accepted[0])


def _checked(frame: Bytes) -> memoryview:
    """Any contiguous buffer as a flat view of bytes."""
    try:
        view = memoryview(frame)
    except TypeError:
        what = f"a frame must be bytes, not {type(frame).__name__}"
        raise _bad(what, bytes_hint(frame)) from None
    if not view.c_contiguous:
        raise _bad("the frame's buffer is not contiguous", "hand in a contiguous copy")
    return view.cast("B") if view.nbytes else memoryview(b"")


def _checked_length(length: Any) -> int:
    if not isinstance(length, int) or not 0 <= length <= _MAX_LENGTH:
        raise _bad(f"the frame's length is {length!r:.40}", f"an integer from 0 to {_MAX_LENGTH}")
    return length


def _bad(message: str, help: str) -> FrameError:
    return FrameError(Diagnostic("ZT401", message, help=help))
