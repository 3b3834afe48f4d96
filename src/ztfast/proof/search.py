"""A frame that gets a verdict, or proof that there is none.

Contract: `search(policy, SearchQuery(…))` gives a `SearchResult`: a witness that both evaluators
judged as asked, or None, which is a proof for all frames of up to 65,535 payload bytes, all
members and draws that the query allows.  Raises ZtfastError: a bad expression or verdict
(with its place), a proof that the time limit ended (ZT209).
Tested by tests/proof/test_search.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ztfast.errors import Diagnostic, ZtfastError
from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.model.view import View
from ztfast.proof.formula import TRUE, Assignment, Formulas, Literal
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.member_ends import MemberEnds
from ztfast.proof.query_text import read_tag, read_zt_address, refused, where_entries
from ztfast.proof.solver import Deadline, Prover, Undecided
from ztfast.proof.symbolic import trace_side
from ztfast.proof.symbolic_policy import (
    SymbolicPolicy,
    WitnessVerdict,
    circumstances_text,
    network_constraints,
    refuse_unbuildable,
    witness_preferences,
)
from ztfast.proof.verdict_classes import Event, VerdictText, event_formulas
from ztfast.proof.witness import contradiction, frame_of

TIME_LIMIT = 30.0
VERDICTS = ("accept", "drop", "redirect", "tee", "watch")


@dataclass(frozen=True)
class SearchQuery:
    """What is looked for.

    verdict: one of VERDICTS, the last three also with `:ADDRESS`.  where: matches of the
    rules language.  side: "both", "out" or "in".  from_tags, to_tags: `NAME=VALUE` each, tags of
    sender and receiver.  ends: members of a network that they are.
    """

    verdict: str
    where: str = ""
    side: str = "both"
    engine: str = "1.14"
    from_tags: tuple[str, ...] = ()
    to_tags: tuple[str, ...] = ()
    ends: MemberEnds | None = None


@dataclass(frozen=True)
class SearchResult:
    """A witness: the frame, its circumstances in words, and the verdict on it."""

    frame: Frame
    circumstances: str
    verdict: WitnessVerdict


def search(
    policy: Policy, query: SearchQuery, time_limit: float | None = TIME_LIMIT
) -> SearchResult | None:
    """A frame that gets the verdict, or None where it is proved that there is none.

    time_limit: in seconds, None: none.
    """
    formulas = Formulas()
    frame = FrameFormulas(formulas)
    ends = query.ends
    held = None if ends is None else ends.held(policy)
    symbolic = SymbolicPolicy(policy, query.engine, query.side, formulas, frame, held)
    wanted = _wanted(symbolic, query)
    prover = Prover(formulas, Deadline(time_limit))
    constraints = network_constraints(formulas, symbolic.directions)
    preferences = witness_preferences(frame)
    if ends is not None:
        wanted += ends.constraints([policy], frame)
        preferences = [*preferences[:1], *ends.preferences(frame), *preferences[1:]]
    for literal in (*constraints, *frame.structure()):
        prover.require(literal)
    try:
        assignment = prover.find_preferred([*wanted, frame.buildable], preferences)
        if assignment is None:
            refuse_unbuildable(prover, frame.buildable, wanted)
    except Undecided as reason:
        raise _undecided(str(reason), time_limit) from None
    return None if assignment is None else _result(symbolic, assignment, query)


def _undecided(reason: str, time_limit: float | None) -> ZtfastError:
    late = (
        f"{time_limit:g} seconds were not enough to find such a frame or to prove that"
        " there is none"
    )
    help = "give it longer with --time-limit"
    return ZtfastError(Diagnostic("ZT209", reason or late, help=help))


def _result(symbolic: SymbolicPolicy, assignment: Assignment, query: SearchQuery) -> SearchResult:
    frame = frame_of(assignment)
    judged = symbolic.verdict_on(assignment, frame)
    if not _is_wanted(judged.verdict, query.verdict):
        raise contradiction(f"found for `{query.verdict}`, but {judged.verdict}", frame)
    tags = {tag.id: tag for tag in symbolic.policy.tags}
    called = None if query.ends is None else query.ends.names
    circumstances = circumstances_text([symbolic], assignment, frame, tags, called)
    return SearchResult(frame, circumstances, judged)


def _is_wanted(found: VerdictText, verdict: str) -> bool:
    kind, _, address = verdict.partition(":")
    if kind == "accept":
        return found.action == "accepted"
    if kind == "drop":
        return found.action == "dropped"
    if kind == "redirect":
        return found.action.startswith("redirected") and address.lower() in found.action
    to = f"to {address.lower()}"
    return any(copy.startswith(kind) and to in copy for copy in found.copies)


# --- the query as formulas


def _wanted(symbolic: SymbolicPolicy, query: SearchQuery) -> list[Literal]:
    events = event_formulas(symbolic.formulas, symbolic.traces, ())
    wanted = [_verdict(symbolic.formulas, events, query.verdict), _where(symbolic, query)]
    return wanted + _tags(symbolic, query)


def _verdict(formulas: Formulas, events: Mapping[Event, Literal], verdict: str) -> Literal:
    kind, colon, address = verdict.partition(":")
    target = read_zt_address(address) if colon else None
    if kind not in VERDICTS or (colon and kind in ("accept", "drop")):
        raise refused(f"--verdict {verdict!r:.60} is none", f"use one of {', '.join(VERDICTS)}")
    delivered = events[("delivered",)]
    if kind == "accept":
        return delivered
    if kind == "drop":
        redirects = [where for event, where in events.items() if event[1:2] == ("redirect",)]
        return formulas.both(-delivered, -formulas.any(redirects))
    return formulas.any(
        where
        for event, where in events.items()
        if event[1:2] == (kind,) and target in (None, event[2])
    )


def _where(symbolic: SymbolicPolicy, query: SearchQuery) -> Literal:
    """The frames that the expression matches, as the first side sees them."""
    if not query.where.strip():
        return TRUE
    entries = where_entries(query.where, symbolic.policy.tags)
    direction = symbolic.directions[0]
    view = View(direction, entries, (), (), query.engine)
    return trace_side(view, symbolic.traces[direction].fields).base.steps[-1].taken


def _tags(symbolic: SymbolicPolicy, query: SearchQuery) -> list[Literal]:
    """The tags that sender and receiver have."""
    wanted: list[Literal] = []
    fields = symbolic.traces[symbolic.directions[0]].fields
    for option, local, given in (
        ("--from-tag", True, query.from_tags),
        ("--to-tag", False, query.to_tags),
    ):
        for text in given:
            number, value = read_tag(option, text, symbolic.policy.tags)
            tag = fields.tag(number, local != fields.inbound)
            wanted += [tag.assigned, symbolic.formulas.test(tag.value, value)]
            if not local and symbolic.directions == ("out",):
                wanted.append(fields.receiver_known)  # a sender sees no tags of many receivers
    return wanted
