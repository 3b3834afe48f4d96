"""Filter: one frame at a time, in and out: `Filter(rules)(frame) -> bool`.

Contract: the same verdict as `Engine.evaluate` on a batch of that one frame (`accepted`), in a
few microseconds: where nothing is known of members, the compiled loops are handed the frame's
own bytes and one-item arrays that are made once.  Everywhere else (a described network,
`random`, integer ranges, another backend) it is the engine itself that is asked.
A Filter may be shared by threads.  For many frames at once use Engine, which is far quicker.
Tested by tests/test_filter.py.
"""

from __future__ import annotations

import itertools
from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ztfast.engine.engine import Engine
from ztfast.engine.given import bytes_hint
from ztfast.engine.native import NativeEvaluator
from ztfast.errors import Diagnostic, FrameError
from ztfast.frames.batch import FrameBatch
from ztfast.frames.buffer_pool import BufferPool
from ztfast.model.policy import Policy
from ztfast.model.result import Result

if TYPE_CHECKING:
    from ztfast.network.members import Network

# bytes, bytearray, memoryview, ndarray uint8: a contiguous buffer, which 3.10 cannot name as a type
Bytes: TypeAlias = Any
_MAX_LENGTH = 0xFFFF_FFFF
_REDIRECT = int(Result.REDIRECT)


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
        evaluator = self.engine.scan_evaluator
        self._evaluator = None if evaluator is None or evaluator.looks_up else evaluator
        self._spare: list[_OneFrame] = []
        self._number = itertools.count()

    def __call__(self, frame: Bytes, length: int | None = None) -> bool:
        """True where the frame is accepted by every side that is asked, and not redirected.

        frame: the captured bytes from the destination MAC on, any contiguous buffer.
        length: bytes that the frame really had; None: all are there.  `random` draws are those
        of the frame's number, counted from 0 by calls.  Raises FrameError.
        """
        if self._evaluator is None:
            return self._by_engine(frame, length)
        try:
            one = self._spare.pop()
        except IndexError:
            one = _OneFrame(self._evaluator)
        passed = one.judge(frame, length)
        self._spare.append(one)
        return passed

    def __getstate__(self) -> dict[str, Any]:
        first = next(self._number)  # a count itself cannot be pickled from Python 3.14 on
        self._number = itertools.count(first)
        return {**self.__dict__, "_spare": [], "_number": first}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _number=itertools.count(state["_number"]))

    def _by_engine(self, frame: Bytes, length: int | None) -> bool:
        """The engine's own verdict on a batch of one."""
        data = _checked(frame)
        lengths = [_checked_length(len(data) if length is None else length)]
        batch = FrameBatch(data, [0], [len(data)], lengths)
        return bool(self.engine.evaluate(batch, first=next(self._number)).accepted[0])


class _OneFrame:
    """One frame's place and results, and the loops that fill them; one thread at a time."""

    def __init__(self, evaluator: NativeEvaluator) -> None:
        self._run = evaluator.machine().run
        self._offset = np.zeros(1, np.int64)
        self._captured, self._length = array("I", [0]), array("I", [0])
        self._outputs = [side.outputs(1, BufferPool()) for side in evaluator.sides]
        self._decided = [
            (made.code.data, made.entry.data, side.entries.address.tolist())
            for side, made in zip(evaluator.sides, self._outputs, strict=True)
        ]

    def judge(self, frame: Bytes, length: int | None) -> bool:
        """As `Filter.__call__`; the loops trust what is checked here."""
        if type(frame) is not bytes:
            frame = _checked(frame)
        try:
            self._captured[0] = len(frame)
            self._length[0] = len(frame) if length is None else length
        except (OverflowError, TypeError):
            _checked_length(len(frame) if length is None else length)
            raise
        # as RawFrames, whose making alone takes a tenth of the time of all this
        place = (frame, self._offset, self._captured, self._length, None, None, None, None, None)
        self._run(place, self._outputs, None, 0, None, 0, 1)
        for code, entry, address in self._decided:
            # a redirect passes only where it leads nowhere: nobody's address is known here
            if code[0] < _REDIRECT or (code[0] == _REDIRECT and address[entry[0]]):
                return False
        return True


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
