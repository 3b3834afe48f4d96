"""Engine: a policy, and perhaps a network, ready to judge batches of frames.

Contract: an Engine is immutable, may be shared by threads and pickled; its verdicts do
not depend on batch size, thread count or order (random draws are keyed by the seed and
the frame's number).  Tested by tests/engine/test_engine.py and tests/differential.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ztfast.engine import backends
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide, SideOutputs
from ztfast.engine.network_verdicts import Verdicts
from ztfast.engine.side_copies import Lines, SideCopy, side_copies
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.errors import usage
from ztfast.frames.batch import FrameBatch
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy, Rule
from ztfast.model.view import View, default_capabilities, make_view
from ztfast.network.batch_context import BatchContext, MemberTable, nobody
from ztfast.program.encode import encode

# What an engine without members never needs is loaded by one that does: start-up counts.
if TYPE_CHECKING:
    from ztfast.network.members import Network
    from ztfast.network.resolve import Endpoints, MemberIndex

SIDES = ("both", "out", "in")
# Draws at the receiver are not those at the sender: its seed differs by this constant.
_INBOUND_SEED = 0x5851F42D4C957F2D


class Engine:
    """Judges batches of frames by a policy.

    rules: a Policy, or a Network that holds one.  network: members and their facts (None:
    unknown, so what rules ask of them is assumed).  network_id: with no members, derive
    ZeroTier addresses from MACs.  side: "out" (the sender's verdict), "in" (the
    receiver's) or "both".  engine: "1.14" or "1.12".  backend: "native", "reference", "auto", or
    one that another package adds (engine/backends.py).
    seed: keys `random` draws.  assume_ipauth: what `chr ipauth` and `macauth` say of unknown
    senders.  passes: optimiser passes to run (None: all; (): none).
    Raises UsageError, BackendError.
    """

    def __init__(
        self,
        rules: Policy | Network,
        *,
        network: Network | None = None,
        network_id: int | None = None,
        side: str = "both",
        engine: str = "1.14",
        backend: str = "auto",
        seed: int = 0,
        assume_ipauth: bool = True,
        passes: tuple[str, ...] | None = None,
    ) -> None:
        if side not in SIDES:
            raise usage(f"unknown side {side!r}", "use 'out', 'in' or 'both'")
        self.policy, self.network = _policy_and_network(rules, network, network_id)
        self.side, self.engine, self.seed = side, engine, seed
        self.backend = backends.choose(backend)
        self._lines = _lines(self.policy)
        directions = ("out", "in") if side == "both" else (side,)
        self._directions = {
            direction: _Direction(self, direction, assume_ipauth, passes)
            for direction in directions
        }
        self._alike = len(self._directions) == 2 and _alike(*self._directions.values())
        self._described = any(side.described for side in self._directions.values())
        self._evaluator = self._make_evaluator()

    def view(self, direction: str) -> View:
        """The rules that one direction evaluates."""
        return self._directions[direction].view

    @property
    def can_deliver(self) -> bool:
        """Are the members known, with their MACs, and both sides judged?"""
        network = self.network
        known = network is not None and network.id is not None and bool(network.active_members())
        return known and self.side == "both"

    @property
    def forwards(self) -> bool:
        """Does any rule send copies, or redirect?"""
        return any(_forwards(side.view) for side in self._directions.values())

    def members(self, direction: str) -> MemberIndex:
        """The members as one direction numbers them, with the look-ups by MAC and IP."""
        index = self._directions[direction].index
        if index is None:
            raise usage("this engine knows no members", "make it with network=…")
        return index

    def evaluate_side(
        self, direction: str, batch: FrameBatch, batch_context: BatchContext
    ) -> SideVerdicts:
        """One side's verdicts where the caller says who is who."""
        return self._directions[direction].evaluate_context(batch, batch_context)

    def side_copies(self, verdicts: SideVerdicts, batch: FrameBatch) -> Iterator[SideCopy]:
        """What one side sends beside the frames, with the lines of the rules that say so."""
        return side_copies(verdicts, batch, self._lines)

    def deciding_lines(self, verdicts: SideVerdicts) -> npt.NDArray[np.int32]:
        """The source line of the entry that decided on one side, 0 none; int32[n]."""
        return self._lines.of(verdicts.entry, verdicts.capability)

    def native(self, direction: str) -> NativeSide:
        """The tables of one direction (native backend only)."""
        native = self._directions[direction].native
        if native is None:
            raise usage("this engine has no tables: its backend is the reference evaluator")
        return native

    def evaluate(self, batch: Any, *, first: int | None = None, threads: int = 1) -> Verdicts:
        """The verdict on each frame.

        batch: a FrameBatch, or a PacketBatch as `ztfast.open_capture` gives them.
        first: the number of the batch's first frame in the whole input (keys random draws);
            None: as the batch says, else 0.
        threads: how many may work on the batch (native backend).
        """
        if not isinstance(batch, FrameBatch):
            if not hasattr(batch, "first"):
                what = f"frames must be a FrameBatch or PacketBatch, not {type(batch).__name__}"
                raise usage(what, "use ztfast.FrameBatch.from_frames([bytes, …])")
            first = batch.first if first is None else first
            batch = FrameBatch.from_packets(batch)
        first = first or 0
        if self._evaluator is not None:
            found = np.empty(len(batch), np.uint8) if self._described else None
            sides = self._evaluator.evaluate(batch, None, first, threads, found)
            return self._joined(batch, self._by_direction(sides), found, first)
        where = self._where(batch)
        judged = {
            direction: side.evaluate(batch, where, first)
            for direction, side in self._directions.items()
        }
        many = None
        if where is not None:
            from ztfast.network.resolve import multicast_frames

            many = multicast_frames(where)
        return self._joined(batch, (judged.get("out"), judged.get("in")), many, first)

    @property
    def scan_evaluator(self) -> NativeEvaluator | None:
        """The evaluator that can work while a capture's records are being found, or None."""
        evaluator = self._evaluator
        return evaluator if evaluator is not None and evaluator.can_scan else None

    def verdicts(
        self,
        batch: FrameBatch,
        outputs: Sequence[SideOutputs],
        many: npt.NDArray[np.uint8] | None,
        first: int,
    ) -> Verdicts:
        """The verdicts on a batch that a scan judged on the way; many: as it found."""
        assert self._evaluator is not None
        sides = self._by_direction(self._evaluator.verdicts(batch, outputs))
        return self._joined(batch, sides, many, first)

    def _joined(
        self,
        batch: FrameBatch,
        sides: tuple[SideVerdicts | None, SideVerdicts | None],
        many: npt.NDArray[Any] | None,
        first: int,
    ) -> Verdicts:
        """Both sides together, with multicasts judged by every member that they reach."""
        sender, receiver = sides
        receivers = None
        if many is not None and receiver is not None and many.any():
            receiver, receivers = self._directions["in"].with_multicast(
                batch, many.astype(np.bool_), receiver, first
            )
        return Verdicts(sender, receiver, self._lines, batch, receivers)

    def _make_evaluator(self) -> NativeEvaluator | None:
        sides = list(self._directions.values())
        if self._alike:
            del sides[1:]
        natives = [side.native for side in sides if side.native is not None]
        if not natives:
            return None
        seeds = [side.seed for side in sides]
        if self._described:
            indexes = [side.index for side in sides if side.index is not None]
            return NativeEvaluator(natives, seeds, indexes=indexes)
        return NativeEvaluator(natives, seeds, [side.batch_context(1, None, 0) for side in sides])

    def _by_direction(
        self, found: list[SideVerdicts]
    ) -> tuple[SideVerdicts | None, SideVerdicts | None]:
        if self._alike:
            return found[0], found[0].mirrored()
        if len(found) == 2:
            return found[0], found[1]
        return (found[0], None) if self.side == "out" else (None, found[0])

    def _where(self, batch: FrameBatch) -> Endpoints | None:
        """The batch's addresses, where a network or its id makes anything of them."""
        if not self._described:
            return None
        from ztfast.engine.endpoints import endpoints

        return endpoints(batch, self.backend == "native")


class _Direction:
    """One direction of an engine."""

    def __init__(
        self, engine: Engine, direction: str, ipauth: bool, passes: tuple[str, ...] | None
    ) -> None:
        self.direction, self.backend = direction, engine.backend
        self.seed = engine.seed if direction == "out" else engine.seed ^ _INBOUND_SEED
        self.view = make_view(engine.policy, direction, engine.engine)
        self.index: MemberIndex | None = None
        if engine.network is None:
            held = default_capabilities(self.view, engine.policy)
            self.table = nobody(len(self.view.capabilities), held, ipauth, ipauth)
        else:
            from ztfast.network.member_table import member_table
            from ztfast.network.resolve import member_index

            self.table = member_table(engine.network, self.view, engine.policy, ipauth, ipauth)
            self.index = member_index(engine.network, self.table)
        self.random = any(
            entry.kind is Kind.MATCH_RANDOM
            for entries in (self.view.base, *self.view.capabilities)
            for entry in entries
        )
        self.native: NativeSide | None = None
        self._told: NativeEvaluator | None = None  # for callers who say who is who
        if engine.backend == "native":
            alone = None if self.described else self.batch_context(1, None, 0)
            self.native = NativeSide(encode(self.view), passes, alone)
            self._told = NativeEvaluator((self.native,), (self.seed,))

    @property
    def described(self) -> bool:
        """Is anything known of the network, be it only its id?"""
        return self.index is not None and self.index.described

    def with_multicast(
        self,
        batch: FrameBatch,
        many: npt.NDArray[np.bool_],
        verdicts: SideVerdicts,
        first: int,
    ) -> tuple[SideVerdicts, npt.NDArray[np.uint32] | None]:
        """The receiving side's verdicts with multicast judged by every member it reaches."""
        from ztfast.engine.endpoints import endpoints
        from ztfast.engine.multicast import evaluate_multicast

        if len(self.table.address) < 2:
            return verdicts, None
        where = endpoints(batch, self.native is not None)
        return evaluate_multicast(self, batch, where, many, verdicts, first)

    def batch_context(
        self, count: int, where: Endpoints | None, first: int, receiver: int | None = None
    ) -> BatchContext:
        """Who is who in a batch of `count` frames."""
        if where is not None:
            from ztfast.network.resolve import resolve

            assert self.index is not None
            return resolve(self.index, self.direction, where, first, receiver)
        numbers = (
            np.arange(first, first + count, dtype=np.int64)
            if self.random or self.native is None
            else np.broadcast_to(np.int64(first), count)
        )
        return _nobody_context(self.direction, self.table, count, numbers)

    def evaluate(self, batch: FrameBatch, where: Endpoints | None, first: int) -> SideVerdicts:
        """This side's verdicts."""
        return self.evaluate_context(batch, self.batch_context(len(batch), where, first))

    def evaluate_context(self, batch: FrameBatch, batch_context: BatchContext) -> SideVerdicts:
        """This side's verdicts in a batch context of the caller's making."""
        if self._told is not None:
            return self._told.evaluate(batch, (batch_context,))[0]
        if self.backend != "reference":
            return backends.evaluate(self.backend, self.view, batch, batch_context, self.seed)
        from ztfast.engine import reference

        return reference.evaluate_batch(self.view, batch, batch_context, self.seed)


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


def _policy_and_network(
    rules: Policy | Network, network: Network | None, network_id: int | None
) -> tuple[Policy, Network | None]:
    if not isinstance(rules, Policy) and hasattr(rules, "active_members"):
        if rules.policy is None:
            raise usage("this network holds no rules", "give a policy and network=…")
        return rules.policy, rules
    if not isinstance(rules, Policy):
        raise usage(
            f"rules must be a Policy or a Network, not {type(rules).__name__}",
            "use ztfast.compile(text) or ztfast.load(path)",
        )
    if network is not None and not hasattr(network, "active_members"):
        what = f"network must be a Network, not {type(network).__name__}"
        raise usage(what, "use ztfast.load_network(path)")
    if network is None and network_id is not None:
        from ztfast.network.members import Network

        network = Network(id=network_id)
    return rules, network


def _alike(out: _Direction, inbound: _Direction) -> bool:
    """Do both directions give every frame the same verdict, so that one need not be asked?"""
    if out.native is None or inbound.native is None or out.random or inbound.random:
        return False
    if out.native.copies or inbound.native.copies or out.described:
        return False
    if _has_priority(out.view):
        return False
    return out.native.same_tables(inbound.native)


def _forwards(view: View) -> bool:
    kinds = (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT)
    return any(entry.kind in kinds for rules in (view.base, *view.capabilities) for entry in rules)


def _has_priority(view: View) -> bool:
    sets = (view.base, *view.capabilities)
    forwarding = (Kind.ACTION_PRIORITY, Kind.ACTION_REDIRECT)
    return any(entry.kind in forwarding for entries in sets for entry in entries)


def _lines(policy: Policy) -> Lines:
    """Source lines by entry of the views that `make_view` gives."""
    ordered = policy.ordered_capabilities
    view = make_view(policy, "out")
    return Lines(
        _line_column(policy.rules, [entry.rule for entry in view.base]),
        tuple(
            _line_column(capability.rules, [entry.rule for entry in entries])
            for capability, entries in zip(ordered, view.capabilities, strict=True)
        ),
    )


def _line_column(rules: tuple[Rule, ...], indexes: list[int]) -> npt.NDArray[np.int32]:
    spans = [rules[index].span for index in indexes]
    return np.array([span.line if span else 0 for span in spans] + [0], dtype=np.int32)
