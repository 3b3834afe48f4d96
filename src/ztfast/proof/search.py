"""A frame that gets a verdict, or proof that there is none.

Contract: `search(policy, Question(…))` gives an `Answer`: a witness that both evaluators
judged as asked, or None, which is a proof for all frames of up to 65,535 payload bytes, all
members and draws that the question allows.  Raises ZtfastError: a bad expression or verdict
(with its place), a proof that the time limit ended (ZT209).
Tested by tests/proof/test_search.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ztfast.errors import Diagnostic, RulesError, Source, Span, UsageError, ZtfastError
from ztfast.frames.frame import Frame
from ztfast.lang.compiler import compile_source
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Entry, Kind
from ztfast.model.policy import Policy, Tag
from ztfast.model.view import View
from ztfast.proof.diff import (
    Judge,
    Judged,
    circumstances,
    natural,
    refuse_unbuildable,
    wishes,
)
from ztfast.proof.formula import TRUE, Lit, Sets
from ztfast.proof.frame_model import FrameSets
from ztfast.proof.solver import Deadline, Prover, Undecided
from ztfast.proof.symbolic import walk
from ztfast.proof.verdict_classes import Label, labels
from ztfast.proof.witness import contradiction, frame_of

TIME_LIMIT = 30.0
VERDICTS = ("accept", "drop", "redirect", "tee", "watch")


@dataclass(frozen=True)
class Question:
    """What is looked for.

    verdict: one of VERDICTS, the last three also with `:ADDRESS`.  where: matches of the
    rules language.  from_tags, to_tags: `NAME=VALUE` each, tags of sender and receiver.
    """

    verdict: str
    where: str = ""
    side: str = "both"
    engine: str = "1.14"
    from_tags: tuple[str, ...] = ()
    to_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A witness: the frame, its circumstances in words, and the verdict on it."""

    frame: Frame
    circumstances: str
    judged: Judged


def search(
    policy: Policy, question: Question, time_limit: float | None = TIME_LIMIT
) -> Answer | None:
    """A frame that gets the verdict, or None where it is proved that there is none."""
    sets = Sets()
    frame = FrameSets(sets)
    judge = Judge(policy, question.engine, question.side, sets, frame)
    found = labels(sets, judge.walks, ())
    wanted = [_verdict(sets, found, question.verdict)]
    wanted += [_where(sets, judge, policy, question)]
    wanted += _tags(judge, policy, question)
    prover = Prover(sets, Deadline(time_limit))
    for literal in (*natural(sets, judge.sides), *frame.structure()):
        prover.require(literal)
    try:
        model = prover.preferring([*wanted, frame.buildable], wishes(frame))
        if model is None:
            refuse_unbuildable(prover, frame.buildable, wanted)
    except Undecided as reason:
        why = str(reason) or (
            f"{time_limit:g} seconds were not enough to find such a frame or to prove that"
            " there is none"
        )
        help = "give it longer with --time-limit"
        raise ZtfastError(Diagnostic("ZT209", why, help=help)) from None
    return None if model is None else _answer(judge, model, question, policy)


def _answer(judge: Judge, model: Mapping[str, int], question: Question, policy: Policy) -> Answer:
    frame = frame_of(model)
    judged = judge.judged(model, frame)
    kind, _, address = question.verdict.partition(":")
    happened = judged.verdict
    said = {
        "accept": happened.what == "accepted",
        "drop": happened.what == "dropped",
        "redirect": happened.what.startswith("redirected") and address.lower() in happened.what,
    }.get(kind)
    if said is None:
        said = any(
            copy.startswith(kind) and f"to {address.lower()}" in copy for copy in happened.copies
        )
    if not said:
        raise contradiction(f"found for `{question.verdict}`, but {happened}", frame)
    names = {tag.id: tag.name or str(tag.id) for tag in policy.tags}
    return Answer(frame, circumstances([judge], model, frame, names), judged)


# --- the question as sets


def _bad(what: str, help: str) -> UsageError:
    return UsageError(Diagnostic("ZT293", what, help=help))


def _verdict(sets: Sets, found: Mapping[Label, Lit], verdict: str) -> Lit:
    kind, colon, address = verdict.partition(":")
    target = _address(address) if colon else None
    if kind not in VERDICTS or (colon and kind in ("accept", "drop")):
        raise _bad(f"--verdict {verdict!r:.60} is none", f"use one of {', '.join(VERDICTS)}")
    delivered = found[("delivered",)]
    redirects = [lit for label, lit in found.items() if label[1:2] == ("redirect",)]
    if kind == "accept":
        return delivered
    if kind == "drop":
        return sets.both(-delivered, -sets.any(redirects))
    return sets.any(
        literal
        for label, literal in found.items()
        if label[1:2] == (kind,) and target in (None, label[2])
    )


def _address(text: str) -> int:
    if len(text) != 10 or not all(digit in "0123456789abcdefABCDEF" for digit in text):
        raise _bad(f"{text!r:.60} is no ZeroTier address", "use 10 hex digits")
    return int(text, 16)


def _where(sets: Sets, judge: Judge, policy: Policy, question: Question) -> Lit:
    """The frames that the expression matches, as the first side sees them."""
    if not question.where.strip():
        return TRUE
    entries = expression(question.where, policy.tags)
    side = judge.sides[0]
    view = View(side, entries, (), (), question.engine)
    return walk(view, judge.walks[side].side).base.steps[-1].taken


_HEAD = "accept "


def expression(text: str, tags: Sequence[Tag]) -> tuple[Entry, ...]:
    """Matches of the rules language as entries, with an accepting action behind them.

    Raises UsageError with the place in `text`.
    """
    # The definitions stand behind it: the place of what is wrong is then that of the text.
    whole = f"{_HEAD}{text}\n;\n" + "".join(_definition(tag) for tag in tags)
    try:
        policy = compile_source(Source("--where", whole))
    except RulesError as error:
        found = (_moved(item, text) for item in error.diagnostics)
        raise UsageError(*found) from None
    entries = read_entries(rule.json for rule in policy.rules)
    actions = [index for index, entry in enumerate(entries) if entry.kind.is_action]
    if (
        actions != [len(entries) - 1]
        or entries[-1].kind is not Kind.ACTION_ACCEPT
        or (policy.capabilities)
    ):
        raise _bad("--where holds more than matches", "leave out `;` and actions")
    if any(entry.kind is Kind.MATCH_RANDOM for entry in entries):
        raise _bad("--where cannot ask for a random draw", "leave `random` out")
    return entries


def _definition(tag: Tag) -> str:
    if tag.name is None:
        return ""
    values = "".join(f" enum {value} {name}" for name, value in tag.enums.items())
    flags = "".join(
        f" flag {','.join(str(bit) for bit in range(32) if value >> bit & 1)} {name}"
        for name, value in tag.flags.items()
        if value & 0xFFFFFFFF
    )
    return f"tag {tag.name} id {tag.id}{values}{flags}\n;\n"


def _moved(found: Diagnostic, text: str) -> Diagnostic:
    """A finding in the expression alone."""
    span = found.span
    if span is None or span.start < len(_HEAD) or span.start > len(_HEAD) + len(text):
        return replace(found, span=Span(0, len(text), 1, 0), source=Source("--where", text))
    shift = len(_HEAD)
    column = span.column - shift if span.line == 1 else span.column
    end = min(span.end - shift, len(text))
    return replace(
        found,
        span=Span(span.start - shift, end, span.line, column),
        source=Source("--where", text),
    )


def _tags(judge: Judge, policy: Policy, question: Question) -> list[Lit]:
    """The tags that sender and receiver have."""
    wanted: list[Lit] = []
    walked = next(iter(judge.walks.values()))
    for option, local, given in (
        ("--from-tag", True, question.from_tags),
        ("--to-tag", False, question.to_tags),
    ):
        for text in given:
            number, value = read_tag(option, text, policy.tags)
            tag = walked.side.tag(number, local != walked.side.inbound)
            wanted += [tag.assigned, judge.sets.test(tag.value, value)]
    return wanted


def read_tag(option: str, text: str, tags: Sequence[Tag]) -> tuple[int, int]:
    """(id, value) of `NAME=VALUE`; names and ids, enums, flags and numbers all do."""
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise _bad(f"{option} {text!r:.60} is not NAME=VALUE", "as in role=guest or 7=1")
    tag = next((t for t in tags if name == t.name or name == str(t.id)), None)
    if tag is None:
        names = ", ".join(t.name or str(t.id) for t in tags[:20]) or "none"
        raise _bad(f"{option}: there is no tag {name!r:.40}", f"the rules' tags: {names}")
    known = {**tag.enums, **tag.flags}
    if value in known:
        return tag.id, known[value] & 0xFFFFFFFF
    if not value.isascii() or not value.isdigit() or int(value[:20]) > 0xFFFFFFFF:
        raise _bad(
            f"{option}: {value!r:.40} is no value of tag {name}",
            f"use a number or one of {', '.join(known) or 'no names'}",
        )
    return tag.id, int(value)
