"""The stateless trap: what begins a conversation passes, and what answers it does not.

Contract: `Handshake` holds two frames that belong together, over the same fields (the answer's
addresses, ports, members are the first's, swapped), on both sides of the network: of TCP a SYN and
the SYN+ACK that answers it, of UDP a packet from a client's port and one back.  Replies are given
every doubt: their sender holds all capabilities and owns its addresses.  Source: rules keep no
connection state (docs/spec/evaluation.md sections 1 and 7).
Tested by tests/proof/test_findings.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ztfast.engine.context import Outcome
from ztfast.frames.build import TCP
from ztfast.frames.frame import Frame
from ztfast.model.view import DIRECTIONS, View
from ztfast.proof.formula import FALSE, TRUE, Assignment, Formulas, Literal
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.symbolic import trace_side
from ztfast.proof.witness import SideNames, context_of, contradiction, frame_of, replay

SYN, ACK = 2, 16
# UDP below 1024 has servers whose clients have ports of their own, save what nobody answers (wake
# on LAN, SNMP traps, syslog) and what has one port at both ends (DHCP, NTP, IKE, RIP)
SERVERS = 1023
NOT_SERVERS = (9, 67, 68, 123, 162, 500, 514, 520, 546, 547)
# Above, programs of one kind often talk from one port to the same; of others nobody answers some:
# SSDP, NetFlow, IPFIX, syslog, mDNS, sFlow, statsd, discovery, GELF
UNANSWERED = (1514, 1900, 2055, 4739, 5140, 5353, 5355, 6343, 8125, 9995, 9996, 12201)
_SWAPPED = {
    "source4": "dest4",
    "source6": "dest6",
    "sport": "dport",
    "mac_source": "mac_dest",
}
_SWAPPED.update({there: here for here, there in tuple(_SWAPPED.items())})
REPLY = "reply:"
_SAME_ADDRESS = (  # the SYN's sender is `zt_source`, its receiver `in.node`
    ("out.node", "zt_source"),
    ("out.zt_dest", "in.node"),
    ("in.zt_dest", "in.node"),
    (f"{REPLY}zt_source", "in.node"),
    (f"{REPLY}out.node", "in.node"),
    (f"{REPLY}out.zt_dest", "zt_source"),
    (f"{REPLY}in.node", "zt_source"),
    (f"{REPLY}in.zt_dest", "zt_source"),
)
_PAYLOAD = ("integer.", "byte.")  # what INTEGER_RANGE reads: each frame has its own


class _Reply(FrameFormulas):
    """The answer's frame: the other's fields, ends swapped; its own TCP bits and ownership."""

    def test(
        self, name: str, low: int, high: int | None = None, mask: int | None = None
    ) -> Literal:
        return self.formulas.test(self._field(name), low, high, mask)

    def reaches(self, count: int) -> Literal:
        return self.formulas.compare("at most", "position", "length", count)

    def _tie(self, field: str, at: int, other: str, bit: int, count: int) -> Literal:
        return self.formulas.slices(self._field(field), at, self._field(other), bit, count)

    def _field(self, name: str) -> str:
        if name in ("tcp", "owns_ip", "owns_mac") or name.startswith(_PAYLOAD):
            return self.prefix + name
        return _SWAPPED.get(name, name)


class LostReply(NamedTuple):
    """A frame that passes, its answer, and the Outcome of the side that does not let that pass."""

    first: Frame
    answer: Frame
    stopped: Outcome


class Trap(NamedTuple):
    """Where answers are lost; of an action that is also in `excused` nothing is said."""

    lost: Literal
    excused: Literal


class Handshake:
    """A first frame and its answer through both views.

    protocol: TCP or UDP.  forward, reply: the traces by direction.  traps: where the first passes
    and its answer does not.
    """

    def __init__(
        self,
        formulas: Formulas,
        frame: FrameFormulas,
        views: Mapping[str, View],
        defaults: Mapping[int, int],
        protocol: int = TCP,
    ) -> None:
        self.formulas, self.views, self.defaults = formulas, views, defaults
        self.protocol = protocol
        forward = self.forward = {
            direction: trace_side(view, SideFields(formulas, frame, direction, defaults=defaults))
            for direction, view in views.items()
        }
        self.reply_frame = _Reply(formulas, REPLY)
        held = dict.fromkeys(views["out"].capability_ids, TRUE)
        self.reply = {
            direction: trace_side(
                view,
                SideFields(formulas, self.reply_frame, direction, REPLY, defaults, "to", "from"),
                held,
            )
            for direction, view in views.items()
        }
        self.background = self._background(frame)
        # A member that is itself the target of a tee takes the frame whatever rules say.
        supers = formulas.any(rules.super_accepts for rules in forward["in"].rule_sets)
        self.passes = formulas.all((forward["out"].delivered, forward["in"].delivered, -supers))
        self.returns = formulas.both(self.reply["out"].accepted, self.reply["in"].accepted)
        self.traps = tuple(self._trap(frame, *ports) for ports in _server_ports(frame, protocol))

    def _trap(self, frame: FrameFormulas, dport: Literal, excused: Literal) -> Trap:
        formulas = self.formulas
        client = frame.test("sport", 32768, 60999)
        lost = formulas.all((self.background, dport, client, self.passes, -self.returns))
        if excused == FALSE:
            return Trap(lost, FALSE)
        return Trap(
            lost, formulas.all((self.background, dport, excused, self.passes, self.returns))
        )

    def _background(self, frame: FrameFormulas) -> Literal:
        formulas, reply = self.formulas, self.reply_frame
        draws = [name for name in formulas.widths if name.startswith(REPLY) and ".draw." in name]
        known = ("receiver_known", f"{REPLY}receiver_known")
        owned = [each.test(name, 1) for each in (frame, reply) for name in ("owns_ip", "owns_mac")]
        return formulas.all(
            (
                *(formulas.compare("equal", *pair) for pair in _SAME_ADDRESS),
                *(formulas.test(name, 0xFFFFFFFF) for name in draws),
                *(formulas.test(name, 1) for name in known),
                *owned,
                *_first(frame, self.protocol),
                *([reply.test("tcp", SYN | ACK)] if self.protocol == TCP else []),
                -formulas.test("zt_source", 0),
                -formulas.test("in.node", 0),
                *reply.structure(),
            )
        )

    def lost_reply(self, assignment: Assignment) -> LostReply:
        """The witness of an assignment in a trap, all replayed; raises BackendError (ZT291)."""
        first = frame_of(assignment)
        answer = frame_of(_reply_assignment(assignment))
        forward = [self._replay(assignment, first, SideNames(side)) for side in DIRECTIONS]
        everything = frozenset(self.views["out"].capability_ids)
        back = [
            self._replay(assignment, answer, SideNames(side, "to", "from", REPLY), everything)
            for side in DIRECTIONS
        ]
        stopped = [outcome for outcome in back if not outcome.accepted]
        if not all(outcome.accept for outcome in forward) or not stopped:
            raise contradiction("a reply was said to be lost and is not", answer)
        return LostReply(first, answer, stopped[0])

    def _replay(
        self,
        assignment: Assignment,
        frame: Frame,
        names: SideNames,
        held: frozenset[int] = frozenset(),
    ) -> Outcome:
        view = self.views[names.direction]
        context = context_of(assignment, view, frame, names, self.defaults, held)
        return replay(view, frame, context)


def _server_ports(frame: FrameFormulas, protocol: int) -> Iterator[tuple[Literal, Literal]]:
    """(ports that servers answer from, ports that excuse an action that has answers for them)."""
    if protocol == TCP:
        yield TRUE, FALSE
        return
    for low, high, ports in ((1, SERVERS, NOT_SERVERS), (SERVERS + 1, 65535, UNANSWERED)):
        others = (-frame.test("dport", port) for port in ports)
        same = FALSE if low == 1 else _one_port(frame)
        yield frame.formulas.all((frame.test("dport", low, high), *others)), same


def _one_port(frame: FrameFormulas) -> Literal:
    """From a port to the same port of another address."""
    formulas, equal = frame.formulas, frame.formulas.compare
    return formulas.all(
        (
            equal("equal", "sport", "dport"),
            formulas.implies(frame.ipv4, -equal("equal", "source4", "dest4")),
            formulas.implies(frame.ipv6, -equal("equal", "source6", "dest6")),
        )
    )


def _first(frame: FrameFormulas, protocol: int) -> tuple[Literal, ...]:
    """The first packet of a conversation between two members."""
    test = frame.test
    return (
        frame.plain,
        frame.has_ports,
        test("protocol", protocol),
        *([test("tcp", SYN)] if protocol == TCP else []),
        test("length", 60, 1400),
        test("mac_dest", 0, 0, 1 << 40),
        test("mac_source", 0, 0, 1 << 40),
        test("vlan", 0),
    )


def _reply_assignment(assignment: Assignment) -> dict[str, int]:
    """The answer's fields, under the names that a frame's have."""
    turned = {name: value for name, value in assignment.items() if not name.startswith(_PAYLOAD)}
    turned.update({there: assignment.get(here, 0) for here, there in _SWAPPED.items()})
    turned["tcp"] = assignment.get(f"{REPLY}tcp", 0)
    for name, value in assignment.items():
        if name.startswith(tuple(REPLY + start for start in _PAYLOAD)):
            turned[name[len(REPLY) :]] = value
    return turned
