"""The compiled loops' results as columns of SideVerdicts, made when they are asked for.

Contract: `side_verdicts` gives the columns of `side_verdicts.SIDE_COLUMNS` that the reference
gives for the same frames; its arguments are kept, not copied.
Tested by tests/engine/batches.py's users and the differential tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.native_tables import NativeSide, SideOutputs
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.reads import Reads
from ztfast.model.result import Result
from ztfast.network.batch_context import BatchContext
from ztfast.program.opcodes import Missing

if TYPE_CHECKING:
    from ztfast.network.resolve import MemberIndex

# the least of the results that pass: an array of the column's type is compared in half the time
_REDIRECT = np.array(Result.REDIRECT, np.uint8)


class Situation(NamedTuple):
    """What columns need to know beside the results.

    zt_dest: gives uint64[n], where each frame goes, or one item for all.  no_tee: bool[n] or one
    item; None: it holds for no frame.
    """

    direction: str
    zt_dest: Callable[[], npt.NDArray[np.uint64]]
    no_tee: npt.NDArray[np.bool_] | None

    @classmethod
    def of(cls, where: BatchContext) -> Situation:
        """As a batch context says."""
        return cls(where.direction, partial(getattr, where, "zt_dest"), where.no_tee)

    @classmethod
    def looked_up(cls, direction: str, destinations: Destinations) -> Situation:
        """Of frames whose members were looked up: few columns need to know where they go."""
        return cls(direction, lambda: destinations.found[direction], None)


class Destinations:
    """Where the frames of a batch go, for both directions; looked up when it is asked for."""

    def __init__(self, batch: FrameBatch, index: MemberIndex) -> None:
        self._batch, self._index = batch, index

    @cached_property
    def found(self) -> dict[str, npt.NDArray[np.uint64]]:
        """ZeroTier addresses, uint64[n], by direction; 0 for several recipients."""
        return self._looked_up()

    def _looked_up(self) -> dict[str, npt.NDArray[np.uint64]]:
        """As the frames' addresses say, in new arrays."""
        from ztfast.engine.endpoints import endpoints
        from ztfast.network.resolve import destinations

        return destinations(self._index, endpoints(self._batch, True))


def side_verdicts(
    side: NativeSide, batch: FrameBatch, situation: Situation, outputs: SideOutputs
) -> SideVerdicts:
    """The loops' results on a batch as one side's columns."""
    return SideVerdicts(
        situation.direction,
        {},
        _Derived(side, batch, situation, outputs),
        noteworthy=outputs.reads is not None,
        sends=side.forwards,
        raw=(outputs.entry, outputs.code, side.entries.starts),
        redirects=side.entries.redirects,
    )


class _Derived:
    """Makes the columns of SideVerdicts out of the loops' results, when they are asked for."""

    def __init__(
        self,
        side: NativeSide,
        batch: FrameBatch,
        situation: Situation,
        outputs: SideOutputs,
    ) -> None:
        self._facts, self._batch, self._situation = side.entries, batch, situation
        self._global, self._code, self._copy, self._capability_copy, self._reads = outputs

    def __call__(self, name: str) -> npt.NDArray[Any]:
        if "copy_" not in name:
            column: npt.NDArray[Any] = getattr(self, name)()
            return column
        if name.startswith("capability_copy_"):
            return self._of_copy(self._capability_copy, name.removeprefix("capability_copy_"))
        return self._of_copy(self._copy, name.removeprefix("copy_"))

    @cached_property
    def _zt_dest(self) -> npt.NDArray[np.uint64]:
        found = self._situation.zt_dest()
        return found if len(found) == len(self._code) else found[:1]  # one item for every frame

    def _in_base(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self._global < self._facts.base
        return found

    def entry(self) -> npt.NDArray[np.int32]:
        """The deciding entry within its own rule set."""
        if len(self._facts.starts) == 1:
            found: npt.NDArray[np.int32] = self._global
            return found
        return self._local(self._global)

    def _local(self, numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        if len(self._facts.starts) == 1:
            return numbers
        local: npt.NDArray[np.int32] = self._facts.local[numbers]
        return local

    def result(self) -> npt.NDArray[np.uint8]:
        return np.where(self._in_base(), self._code, np.uint8(Result.NO_MATCH))

    def accepted(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self._code >= _REDIRECT
        return found

    def capability(self) -> npt.NDArray[np.int16]:
        if len(self._facts.starts) == 1:
            return np.full(len(self._code), -1, dtype=np.int16)
        section: npt.NDArray[np.int16] = self._facts.section[self._global]
        return section

    def destination(self) -> npt.NDArray[np.uint64]:
        target = self._facts.address[self._global]
        return np.where(self._code == Result.REDIRECT, target, self._zt_dest)

    def accept(self) -> npt.NDArray[np.uint8]:
        super_accept = 2 if self._situation.direction == "in" else 1
        how: npt.NDArray[np.uint8] = np.array([0, 0, 1, 1, super_accept], np.uint8)[self._code]
        if not self._facts.redirects:
            return how
        at = np.flatnonzero(self._code == Result.REDIRECT)
        if len(at):
            target = self._facts.address[self._global[at]]
            here = self._zt_dest[at] if len(self._zt_dest) == len(self._code) else self._zt_dest
            how[at[(target != here) & (target != 0)]] = 0
        return how

    def qos(self) -> npt.NDArray[np.uint8]:
        start = 255 if self._situation.direction == "in" else 0
        bucket = np.where(self.accepted(), self._facts.bucket[self._global], -1)
        return np.where(bucket < 0, start, bucket).astype(np.uint8)

    def reads(self) -> npt.NDArray[np.uint16]:
        if self._reads is None:
            return np.zeros(len(self._code), dtype=np.uint16)
        bits = self._reads
        kept = bits & 0x1FFF
        for own, read in (
            (Missing.OWNED_IP | Missing.OWNED_MAC, Reads.ASSUMED_OWNERSHIP),
            (Missing.LOCAL_TAGS | Missing.REMOTE_TAGS, Reads.ASSUMED_TAGS),
            (Missing.ADDRESSES, Reads.ASSUMED_ADDRESS),
            (Missing.IP6_SOURCE, Reads.IP_SOURCE),
            (Missing.IP6_DEST, Reads.IP_DEST),
        ):
            kept |= ((bits & np.uint32(own)) != 0) * np.uint32(read)
        found: npt.NDArray[np.uint16] = kept.astype(np.uint16)
        return found

    def _of_copy(self, noted: npt.NDArray[np.int32] | None, what: str) -> npt.NDArray[Any]:
        if noted is None:
            return np.broadcast_to(np.int64(-1 if what == "entry" else 0), len(self._code))
        no_tee = self._situation.no_tee
        if no_tee is not None and no_tee.any() and self._situation.direction == "out":
            no_tee = no_tee if len(no_tee) == len(noted) else no_tee[:1]
            noted = np.where(no_tee, np.int32(-1), noted)
        if what == "entry":
            return self._local(noted)
        if what == "target":
            return self._facts.address[noted]
        if what == "watch":
            return self._facts.watch[noted]
        whole = self._batch.payload_lengths()
        length = self._facts.length[noted]
        cut = np.where(length == 0, whole, np.minimum(length, whole))
        return np.where(noted < 0, 0, cut)
