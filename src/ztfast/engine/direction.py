"""One direction of an engine: its view, the members as it numbers them, and who evaluates it.

Contract: immutable and shared by threads, as the Engine that makes it is.
Tested by tests/engine/test_engine.py and tests/differential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ztfast.engine import backends
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide
from ztfast.engine.prng import receiver_seed
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy
from ztfast.model.view import View, default_capabilities, make_view
from ztfast.network.batch_context import BatchContext, MemberTable, nobody
from ztfast.program.encode import encode

# What an engine without members never needs is loaded by one that does: start-up counts.
if TYPE_CHECKING:
    from ztfast.network.members import Network
    from ztfast.network.resolve import Endpoints, MemberIndex

_FORWARDING = (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT)


class Direction:
    """What an Engine's options (engine.engine.Engine) are for "out" or "in".

    other: the other direction, whose members this one takes over: both have the same entries.
    """

    def __init__(
        self,
        direction: str,
        policy: Policy,
        network: Network | None,
        version: str,
        backend: str,
        seed: int,
        ipauth: bool,
        passes: tuple[str, ...] | None,
        other: Direction | None = None,
    ) -> None:
        self.direction, self.backend = direction, backend
        self.seed = seed if direction == "out" else receiver_seed(seed)
        self.view = make_view(policy, direction, version)
        self.index: MemberIndex | None = None
        if network is None:
            held = default_capabilities(self.view, policy)
            self.table = nobody(len(self.view.capabilities), held, ipauth, ipauth)
        elif other is not None:
            self.table, self.index = other.table, other.index
        else:
            from ztfast.network.member_table import member_table
            from ztfast.network.resolve import member_index

            self.table = member_table(network, self.view, policy, ipauth, ipauth)
            self.index = member_index(network, self.table)
        self.random = _has(self.view, (Kind.MATCH_RANDOM,))
        self.native: NativeSide | None = None
        self._evaluator: NativeEvaluator | None = None  # for callers who say who is who
        if backend == "native":
            alone = None if self.described else self.batch_context(1, None, 0)
            self.native = NativeSide(encode(self.view), passes, alone)
            self._evaluator = NativeEvaluator((self.native,), (self.seed,))

    @property
    def described(self) -> bool:
        """Is anything known of the network, be it only its id?"""
        return self.index is not None and self.index.described

    @property
    def forwards(self) -> bool:
        """Does any rule send copies, or redirect?"""
        return _has(self.view, _FORWARDING)

    def gives_the_same_as(self, other: Direction) -> bool:
        """Do both directions give every frame the same verdict, so that one need not be asked?"""
        mine, its = self.native, other.native
        if mine is None or its is None or self.random or other.random:
            return False
        if mine.copies or its.copies or self.described:
            return False
        if _has(self.view, (Kind.ACTION_PRIORITY, Kind.ACTION_REDIRECT)):
            return False
        return mine.same_tables(its)

    def batch_context(self, count: int, where: Endpoints | None, first: int) -> BatchContext:
        """Who is who in a batch of `count` frames."""
        if where is not None:
            from ztfast.network.resolve import resolve

            assert self.index is not None
            return resolve(self.index, self.direction, where, first)
        numbers = (
            np.arange(first, first + count, dtype=np.int64)
            if self.random or self.native is None
            else np.broadcast_to(np.int64(first), count)
        )
        return _nobody_context(self.direction, self.table, count, numbers)

    def evaluate(
        self, batch: FrameBatch, batch_context: BatchContext, threads: int = 1
    ) -> SideVerdicts:
        """This side's verdicts, where the batch context says who is who."""
        if self._evaluator is not None:
            return self._evaluator.evaluate(batch, (batch_context,), threads=threads)[0]
        if self.backend != "reference":
            return backends.evaluate(self.backend, self.view, batch, batch_context, self.seed)
        from ztfast.engine import reference

        return reference.evaluate_batch(self.view, batch, batch_context, self.seed)


def _has(view: View, kinds: tuple[Kind, ...]) -> bool:
    return any(entry.kind in kinds for rules in (view.base, *view.capabilities) for entry in rules)


def _nobody_context(
    direction: str, table: MemberTable, count: int, numbers: npt.NDArray[np.int64]
) -> BatchContext:
    """Nobody is known: one item stands for every frame."""
    nobody = np.broadcast_to(np.int32(0), count)
    address = np.broadcast_to(np.uint64(0), count)
    false = np.broadcast_to(np.False_, count)
    return BatchContext(
        direction,
        table,
        nobody,
        nobody,
        nobody,
        address,
        address,
        address,
        false,
        false,
        numbers,
    )
