"""What can be proved about a policy: dead entries, idle matches, lost replies (ZT2xx).

Contract: every finding of `findings` holds for all frames of up to 65,535 payload bytes,
all members, tags and random draws, on both sides of the network; where the time limit
ends before all is decided, a note (ZT209) says so and nothing is claimed of the rest.
Tested by tests/proof/test_findings.py, with random frames against every claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ztfast.engine.context import Outcome
from ztfast.errors import Diagnostic, Fix, Severity, Span
from ztfast.frames.build import TCP, UDP
from ztfast.frames.text import frame_text
from ztfast.lang.rewrites import inserted
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy, Rule
from ztfast.model.result import Result
from ztfast.proof.analysis import Analysis
from ztfast.proof.copy_cycles import copy_cycles
from ztfast.proof.copy_findings import copy_findings
from ztfast.proof.formula import Literal
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.reply_trap import Handshake
from ztfast.proof.resolution_findings import resolution_findings
from ztfast.proof.rule_set_findings import ACCEPTING, RuleSetFindings
from ztfast.proof.solver import Deadline

TIME_LIMIT = 8.0
MAX_TRAPS = 10


def findings(
    policy: Policy, *, time_limit: float | None = TIME_LIMIT, engine: str = "1.14"
) -> list[Diagnostic]:
    """The analysis' findings about a policy, each proved.

    time_limit: seconds after which no further proof is begun (None: none).
    Raises BackendError where z3 is missing or a witness contradicts a proof.
    """
    analysis = Analysis(policy, Deadline(time_limit), engine)
    found: list[Diagnostic] = []
    for number, (where, rules, span) in enumerate(_rule_sets(policy)):
        found += RuleSetFindings(analysis, number, where, rules, span).find()
    found += analysis.ask(lambda: _nothing_accepted(analysis))
    found += analysis.ask(lambda: resolution_findings(analysis, engine))
    found += analysis.ask(lambda: _traps(analysis))
    found += analysis.ask(lambda: copy_findings(analysis))
    found += analysis.ask(lambda: copy_cycles(analysis))
    if analysis.undecided:
        found.append(_left_open(analysis))
    return found


def _rule_sets(policy: Policy) -> Iterator[tuple[str, Sequence[Rule], Span | None]]:
    """(what it is called, its rules, its place): the base rules, the capabilities by id."""
    yield "the base rules", policy.rules, None
    for capability in policy.ordered_capabilities:
        name = capability.name or capability.id
        yield f"the capability {name}", capability.rules, capability.span


def _left_open(analysis: Analysis) -> Diagnostic:
    limit = analysis.prover.deadline.seconds
    return Diagnostic(
        "ZT209",
        f"the analysis stopped after {limit:g} seconds with {analysis.undecided} questions open:"
        " nothing is claimed about those",
        Severity.NOTE,
        source=analysis.policy.source,
        help="analyse parts of the rules alone, or give it longer",
    )


# --- the policy as a whole


def _nothing_accepted(analysis: Analysis) -> Iterator[Diagnostic]:
    policy = analysis.policy
    every = [*policy.rules, *(rule for cap in policy.capabilities for rule in cap.rules)]
    if not any(rule.json.get("type") in [kind.name for kind in ACCEPTING] for rule in every):
        return  # ZT125 has said so
    for direction, who in (("out", "sender"), ("in", "receiver")):
        if not analysis.possible(analysis.traces[direction].accepted):
            yield analysis.warning(
                "ZT207",
                f"no frame is ever accepted: the {who}'s side drops all of them",
                None,
                "see which entries are never reached (ZT201), and put `accept` before them",
            )
            return


# --- replies that cannot come back


_CODES = {TCP: "ZT208", UDP: "ZT212"}
_HELP = {
    TCP: "accept what answers too, as `accept chr tcp_ack;` does (with `ipprotocol tcp`), or the"
    " same ports with `sport`",
    UDP: "accept what answers too: the same rule with `sport` and the addresses swapped",
}


def _traps(analysis: Analysis) -> Iterator[Diagnostic]:
    """One finding for each accepting action that lets a first frame go and loses its answer."""
    tags = analysis.policy.tags
    defaults = {tag.id: tag.default & 0xFFFFFFFF for tag in tags if tag.default is not None}
    said: set[tuple[int, int]] = set()  # of what traps both, one is enough
    counted = 0
    for protocol in (TCP, UDP):
        fields = analysis.formulas, analysis.frame, analysis.views
        handshake = Handshake(*fields, defaults, protocol)
        for number, index, lost in _trapping(analysis, handshake):
            if (number, index) in said:
                continue
            said.add((number, index))
            counted += 1
            if counted > MAX_TRAPS:
                yield _more_traps(analysis, number, index)
                return
            yield _trap(analysis, handshake, number, index, lost)


def _trapping(analysis: Analysis, handshake: Handshake) -> Iterator[tuple[int, int, Literal]]:
    """(rule set, entry, where) of each ACCEPT that lets a first frame go whose answer is lost."""
    formulas = analysis.formulas
    for trap in handshake.traps:
        if not analysis.possible(trap.lost):
            continue
        for number, index, ends in _accepts(handshake):
            lost, excused = (formulas.both(where, ends) for where in trap)
            if analysis.possible(lost) and not analysis.possible(excused):
                yield number, index, lost


def _accepts(handshake: Handshake) -> Iterator[tuple[int, int, Literal]]:
    """(rule set, entry, where it ends evaluation) of each ACCEPT at the first frame's sender."""
    for number, rules in enumerate(handshake.forward["out"].rule_sets):
        for index, ends in rules.ends:
            if rules.steps[index].entry.kind is Kind.ACTION_ACCEPT:
                yield number, index, ends


def _trap(
    analysis: Analysis, handshake: Handshake, number: int, index: int, where: Literal
) -> Diagnostic:
    preferences = _first_preferences(analysis.frame)
    assignment = analysis.prover.find_preferred([where], preferences)
    assert assignment is not None
    lost = handshake.lost_reply(assignment)
    # The base rules drop it, or else neither they nor a capability accept it: then their
    # last entry, if there is any, ended them without a decision.
    drops = lost.stopped.result is Result.DROP
    by = f"by {analysis.entry_text(0, lost.stopped.entry)}" if drops else "since no rule accepts it"
    return analysis.warning(
        _CODES[handshake.protocol],
        f"replies cannot come back: `{frame_text(lost.first)}` is accepted here, its answer"
        f" `{frame_text(lost.answer)}` is dropped {by}",
        analysis.span_of(number, index),
        f"rules keep no state: {_HELP[handshake.protocol]}",
        _answered(analysis, handshake.protocol, number, index, lost.stopped),
    )


def _answered(
    analysis: Analysis, protocol: int, number: int, index: int, stopped: Outcome
) -> Fix | None:
    """TCP's answers accepted before an action that comes before what stops them now."""
    later = stopped.entry < 0 or stopped.entry > index
    if protocol != TCP or number or not later:
        return None
    return inserted(
        analysis.policy, analysis.number_of(0, index), "accept ipprotocol tcp and chr tcp_ack;"
    )


def _more_traps(analysis: Analysis, number: int, index: int) -> Diagnostic:
    return analysis.warning(
        "ZT208",
        "replies cannot come back here either, and perhaps for later actions:"
        f" {MAX_TRAPS} such actions are shown in full",
        analysis.span_of(number, index),
        "correct those first",
    )


def _first_preferences(frame: FrameFormulas) -> list[Literal]:
    """What makes a witness look like a frame that people know, the first first."""
    test = frame.test
    return [
        test("ethertype", 0x0800),
        test("length", 60),
        test("tos", 0),
        test("source4", 0x0A000001),
        test("source4", 0x0A000000, mask=0xFF000000),
        test("source4", 1, mask=0xFF),
        test("dest4", 0x0A000002),
        test("dest4", 2, mask=0xFF),
        test("source6", 0xFD00 << 112 | 1),
        test("dest6", 0xFD00 << 112 | 2),
        test("sport", 40000),
        test("dport", 443),
        test("mac_source", 0x020000000001),
        test("mac_dest", 0x020000000002),
    ]
