"""The stateless trap: TCP whose first packet passes and whose replies do not.

Contract: `Flow` holds two frames that belong together, a SYN and the SYN+ACK that answers
it, from one set of fields (the reply's addresses, ports, members are the SYN's, swapped),
on both sides of the network.  Replies are given every doubt: their sender holds all
capabilities and owns its addresses.  Source: rules keep no connection state
(docs/spec/evaluation.md sections 1 and 7).  Tested by tests/proof/test_findings.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from ztfast.engine.context import Outcome
from ztfast.frames.frame import Frame
from ztfast.model.view import View
from ztfast.proof.formula import TRUE, Lit, Sets
from ztfast.proof.frame_model import FrameSets
from ztfast.proof.match_formulas import Side
from ztfast.proof.symbolic import walk
from ztfast.proof.witness import Held, context_of, frame_of, replay

SYN, ACK = 2, 16
_SWAPPED = {
    "source4": "dest4",
    "source6": "dest6",
    "sport": "dport",
    "mac_source": "mac_dest",
}
_SWAPPED.update({there: here for here, there in tuple(_SWAPPED.items())})
REPLY = "reply:"
_PAYLOAD = ("integer.", "byte.")  # what INTEGER_RANGE reads: each frame has its own


class _Reply(FrameSets):
    """The answer's frame: the other's fields, ends swapped; its own TCP bits and ownership."""

    def test(self, name: str, low: int, high: int | None = None, mask: int | None = None) -> Lit:
        return self.sets.test(self._field(name), low, high, mask)

    def reaches(self, count: int) -> Lit:
        return self.sets.pair("at most", "position", "length", count)

    def _tie(self, field: str, at: int, other: str, bit: int, count: int) -> Lit:
        return self.sets.slices(self._field(field), at, self._field(other), bit, count)

    def _field(self, name: str) -> str:
        if name in ("tcp", "owns_ip", "owns_mac") or name.startswith(_PAYLOAD):
            return self.prefix + name
        return _SWAPPED.get(name, name)


class Flow:
    """A SYN and its answer through both views."""

    def __init__(
        self, sets: Sets, frame: FrameSets, views: Mapping[str, View], defaults: Mapping[int, int]
    ) -> None:
        self.sets, self.views, self.defaults = sets, views, defaults
        forward = self.forward = {
            direction: walk(view, Side(sets, frame, direction, defaults=defaults))
            for direction, view in views.items()
        }
        self.reply_frame = _Reply(sets, REPLY)
        held = dict.fromkeys(views["out"].capability_ids, TRUE)
        self.reply = {
            direction: walk(
                view,
                Side(sets, self.reply_frame, direction, REPLY, defaults, "to", "from"),
                held,
            )
            for direction, view in views.items()
        }
        self.background = self._background(frame)
        # A member that is itself the target of a tee takes the frame whatever rules say.
        supers = sets.any(rules.super_accepts for rules in forward["in"].rule_sets)
        self.passes = sets.all((forward["out"].delivered, forward["in"].delivered, -supers))
        self.returns = sets.both(self.reply["out"].accepted, self.reply["in"].accepted)
        self.trap = sets.all((self.background, self.passes, -self.returns))

    def _background(self, frame: FrameSets) -> Lit:
        sets, test = self.sets, frame.test
        equal = [
            ("out.node", "zt_source"),
            ("out.zt_dest", "in.node"),
            ("in.zt_dest", "in.node"),
            ("reply:zt_source", "in.node"),
            ("reply:out.node", "in.node"),
            ("reply:out.zt_dest", "zt_source"),
            ("reply:in.node", "zt_source"),
            ("reply:in.zt_dest", "zt_source"),
        ]
        draws = [name for name in sets.widths if name.startswith(REPLY) and ".draw." in name]
        reply = self.reply_frame
        return sets.all(
            (
                *(sets.pair("equal", *pair) for pair in equal),
                *(sets.test(name, 0xFFFFFFFF) for name in draws),
                *(sets.test(name, 1) for name in ("receiver_known", "reply:receiver_known")),
                *(
                    item.test(name, 1)
                    for item in (frame, reply)
                    for name in ("owns_ip", "owns_mac")
                ),
                frame.plain,
                frame.has_ports,
                test("protocol", 6),
                test("tcp", SYN),
                reply.test("tcp", SYN | ACK),
                test("sport", 32768, 60999),
                test("length", 60, 1400),
                test("mac_dest", 0, 0, 1 << 40),
                test("mac_source", 0, 0, 1 << 40),
                test("vlan", 0),
                -sets.test("zt_source", 0),
                -sets.test("in.node", 0),
                *self.reply_frame.structure(),
            )
        )

    def witness(self, model: Mapping[str, int]) -> tuple[Frame, Frame, Outcome, Outcome]:
        """(SYN, answer, what the SYN's sender decides, what stops the answer), all replayed.

        The last is the Outcome of the side that does not let the answer pass.
        """
        syn = frame_of(model)
        answer = frame_of(_answer(model))
        forward = [self._judge(model, syn, side, Held(side)) for side in ("out", "in")]
        everything = frozenset(self.views["out"].capability_ids)
        back = [
            self._judge(model, answer, side, Held(side, "to", "from", REPLY), everything)
            for side in ("out", "in")
        ]
        stopped = [outcome for outcome in back if not outcome.accepted]
        if not all(outcome.accept for outcome in forward) or not stopped:
            from ztfast.proof.witness import contradiction

            raise contradiction("a reply was said to be lost and is not", answer)
        return syn, answer, forward[0], stopped[0]

    def _judge(
        self,
        model: Mapping[str, int],
        frame: Frame,
        side: str,
        names: Held,
        held: frozenset[int] = frozenset(),
    ) -> Outcome:
        view = self.views[side]
        context = context_of(model, view, frame, names, self.defaults, held)
        return replay(view, frame, context)


def _answer(model: Mapping[str, int]) -> dict[str, int]:
    """The answer's fields, under the names that a frame's have."""
    turned = {name: value for name, value in model.items() if not name.startswith(_PAYLOAD)}
    turned.update({there: model.get(here, 0) for here, there in _SWAPPED.items()})
    turned["tcp"] = model.get(f"{REPLY}tcp", 0)
    for name, value in model.items():
        if name.startswith(tuple(REPLY + start for start in _PAYLOAD)):
            turned[name[len(REPLY) :]] = value
    return turned
