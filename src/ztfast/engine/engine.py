"""Engine: a policy, and perhaps a network, ready to judge batches of frames.

Contract: an Engine is immutable, may be shared by threads and pickled; its verdicts do
not depend on batch size, thread count or order (random draws are keyed by the seed and
the frame's number).  Tested by tests/engine/test_engine.py and tests/differential.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ztfast.engine import backends
from ztfast.engine.direction import Direction
from ztfast.engine.given import batch_hint
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide, SideOutputs
from ztfast.engine.network_verdicts import Sides, Verdicts
from ztfast.engine.side_copies import Lines, SideCopy, side_copies
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.errors import usage
from ztfast.frames.batch import FrameBatch
from ztfast.model.policy import Policy, Rule
from ztfast.model.view import View, make_view
from ztfast.network.batch_context import BatchContext

# What an engine without members never needs is loaded by one that does: start-up counts.
if TYPE_CHECKING:
    from ztfast.engine.multicast import Multicast
    from ztfast.engine.native_recipients import NativeMulticast
    from ztfast.network.members import Network
    from ztfast.network.resolve import Endpoints, MemberIndex

SIDES = ("both", "out", "in")


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
        self.assume_ipauth = assume_ipauth
        self.backend = backends.choose(backend)
        self._lines = _lines(self.policy)
        directions = ("out", "in") if side == "both" else (side,)
        self._directions: dict[str, Direction] = {}
        for direction in directions:
            self._directions[direction] = Direction(
                direction,
                self.policy,
                self.network,
                engine,
                self.backend,
                seed,
                assume_ipauth,
                passes,
                next(iter(self._directions.values()), None),
            )
        sides = list(self._directions.values())
        self._alike = len(sides) == 2 and sides[0].gives_the_same_as(sides[1])
        self._described = any(side.described for side in sides)
        self._evaluator = self._make_evaluator()
        self._multicast = self._make_multicast()
        self._asking = self._make_asking()

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
        return any(side.forwards for side in self._directions.values())

    @property
    def draws(self) -> bool:
        """Does any rule ask for a random draw?"""
        return any(side.random for side in self._directions.values())

    def members(self, direction: str | None = None) -> MemberIndex:
        """The members as one direction numbers them, with the look-ups by MAC and IP.

        direction: None where who has which address is all that is asked: one that is judged.
        """
        judged = self._directions
        index = (next(iter(judged.values())) if direction is None else judged[direction]).index
        if index is None:
            raise usage("this engine knows no members", "make it with network=…")
        return index

    def evaluate_side(
        self, direction: str, batch: FrameBatch, batch_context: BatchContext
    ) -> SideVerdicts:
        """One side's verdicts where the caller says who is who."""
        return self._directions[direction].evaluate(batch, batch_context)

    def side_copies(self, verdicts: SideVerdicts, batch: FrameBatch) -> Iterator[SideCopy]:
        """What one side sends beside the frames, with the lines of the rules that say so."""
        return side_copies(verdicts, batch, self._lines)

    def deciding_lines(self, verdicts: SideVerdicts) -> npt.NDArray[np.int32]:
        """The source line of the entry that decided on one side, 0 none; int32[n]."""
        return self.lines(verdicts.entry, verdicts.capability)

    def lines(
        self, entry: npt.NDArray[np.int32], capability: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int32]:
        """The source line of each entry, in the base rules or (capability >= 0) in that one."""
        return self._lines.of(entry, capability)

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
                raise usage(what, batch_hint(batch))
            first = batch.first if first is None else first
            batch = FrameBatch.from_packets(batch)
        first = first or 0
        if self._evaluator is None:
            undirected = np.zeros(len(batch), np.bool_)
            found = self._plainly_judged(batch, undirected, first)
            return self._joined(batch, found, undirected, first, threads)
        made = self._evaluator.judge(batch, None, first, threads)
        if made.undirected is None or self._multicast is None:
            sides = partial(self._both, made.sides)
            return Verdicts(sides, self._lines, batch, accepted=made.accepted)
        if self._asking is not None:
            return self._asked(batch, made.outputs(), made.undirected)
        found = self._by_direction(made.sides())
        return self._joined(batch, found, made.undirected, first, threads)

    @property
    def scan_evaluator(self) -> NativeEvaluator | None:
        """The evaluator that can work while a capture's records are being found, or None."""
        evaluator = self._evaluator
        return evaluator if evaluator is not None and evaluator.can_scan else None

    @property
    def asks_recipients(self) -> bool:
        """Are frames for several members judged for each of them?"""
        return self._multicast is not None

    def verdicts(
        self,
        batch: FrameBatch,
        outputs: list[SideOutputs],
        undirected: npt.NDArray[np.bool_] | None,
        first: int,
    ) -> Verdicts:
        """The verdicts on a batch that a scan judged on the way; undirected: as it found."""
        assert self._evaluator is not None
        if undirected is not None and self._asking is not None and undirected.any():
            return self._asked(batch, outputs, undirected)
        found = self._by_direction(self._evaluator.verdicts(batch, outputs))
        return self._joined(batch, found, undirected, first, 1)

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

    def _make_multicast(self) -> Multicast | None:
        """What asks every recipient of a frame that has several; None with no members."""
        if self.network is None or not self.network.active_members():
            return None
        from ztfast.engine.multicast import Multicast

        return Multicast(self.network, self._directions)

    def _make_asking(self) -> NativeMulticast | None:
        """The compiled loops that do so, where they can."""
        evaluator = self.scan_evaluator
        if self._multicast is None or evaluator is None or not evaluator.looks_up:
            return None
        from ztfast.engine.native_recipients import NativeMulticast

        assert self.network is not None
        return NativeMulticast(self.network, evaluator, self._index, self._multicast)

    def _plainly_judged(
        self, batch: FrameBatch, undirected: npt.NDArray[np.bool_], first: int
    ) -> dict[str, SideVerdicts]:
        """Each direction's verdicts without the compiled loops; undirected: filled."""
        where = None
        if self._described:
            from ztfast.engine.endpoints import endpoints
            from ztfast.engine.multicast import undirected_frames

            where = endpoints(batch, False)
            sender = self._sender_context(where, first)
            undirected[:] = undirected_frames(self._index, where, sender)[1]
        return {
            name: side.evaluate(batch, side.batch_context(len(batch), where, first))
            for name, side in self._directions.items()
        }

    def _sender_context(self, where: Endpoints, first: int) -> BatchContext:
        from ztfast.network.resolve import resolve

        return resolve(self._index, "out", where, first)

    @property
    def _index(self) -> MemberIndex:
        index = next(iter(self._directions.values())).index
        assert index is not None
        return index

    def _by_direction(self, found: list[SideVerdicts]) -> dict[str, SideVerdicts]:
        if self._alike:
            found = [found[0], found[0].mirrored()]
        return dict(zip(self._directions, found, strict=True))

    def _both(self, found: Callable[[], list[SideVerdicts]]) -> Sides:
        """The sender's and the receiver's verdicts."""
        sides = self._by_direction(found())
        return sides.get("out"), sides.get("in")

    def _joined(
        self,
        batch: FrameBatch,
        found: dict[str, SideVerdicts],
        undirected: npt.NDArray[np.bool_] | None,
        first: int,
        threads: int,
    ) -> Verdicts:
        """Both sides together; each recipient of an undirected frame is asked, plainly."""
        if undirected is None or self._multicast is None or not undirected.any():
            return Verdicts(lambda: (found.get("out"), found.get("in")), self._lines, batch)
        from ztfast.engine.endpoints import endpoints
        from ztfast.engine.multicast import Frames

        index = np.flatnonzero(undirected)
        part = batch.take(index)
        where = endpoints(part, self.backend == "native")
        context = self._sender_context(where, first)
        joined = self._multicast.judge(Frames(index, part, where, context, found, first, threads))
        both = joined.sender, joined.receiver
        return Verdicts(lambda: both, self._lines, batch, joined.several)

    def _asked(
        self, batch: FrameBatch, outputs: list[SideOutputs], undirected: npt.NDArray[np.bool_]
    ) -> Verdicts:
        """Both sides together, with each recipient of an undirected frame asked."""
        assert self._asking is not None
        found = self._asking.judge(batch, outputs, np.flatnonzero(undirected))
        both = self._both(lambda: found.sides)
        return Verdicts(lambda: both, self._lines, batch, found.several)


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
