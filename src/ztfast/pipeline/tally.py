"""Counting verdicts: frames and bytes by verdict and by deciding rule, and what was not known.

Contract: a `Tally` belongs to one policy, takes batches in any order and says the same; bytes
are original lengths.  Tallies of one policy merge, and go through JSON, without a difference.
Tested by tests/pipeline/test_tally.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.capture.packets import PacketBatch
from ztfast.engine.network_verdicts import Action, Unasked, Verdicts
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.errors import UsageError, usage
from ztfast.model.policy import Capability, Policy, Rule
from ztfast.model.reads import UNCERTAIN_MASK, Reads
from ztfast.model.result import Result
from ztfast.pipeline.count import Count, Interface, add, count_unjudged, read_count, whole
from ztfast.pipeline.judge import Judgement
from ztfast.pipeline.scan import Counted

if TYPE_CHECKING:
    from ztfast.pipeline.deliveries import Deliveries
    from ztfast.pipeline.delivery_tally import DeliveryTally

VERDICTS = {Action.ACCEPT: "accept", Action.DROP: "drop", Action.REDIRECT: "redirect"}
ASSUMPTIONS = {
    Reads.ASSUMED_OWNERSHIP: "ownership",
    Reads.ASSUMED_TAGS: "tags",
    Reads.ASSUMED_ADDRESS: "addresses",
}


_UNDECIDED = {  # what stands for a rule where none decided, by the number that stands for its entry
    -1 - Unasked.NOT_SO: "end of the rules",
    -1 - Unasked.NOBODY: "reaches nobody",
    -1 - Unasked.KEPT_IN: "the network lets no such frames out",
    -1 - Unasked.FOREIGN: "source MAC no member's, and no active bridge",
}
_CODES = len(Result)
_COMMENT = re.compile(r"(?<!\S)#[^\r\n]*")


class Decider(NamedTuple):
    """What decided frames: a verdict by an entry (−1: the end of the rules) on one side.

    Below −1 no rule decided: −1 less an `Unasked`.
    """

    verdict: str
    side: str
    capability: int
    entry: int


class Tally:
    """The sums over all batches added, judged by one policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.deciders: dict[Decider, Count] = {}
        self.uncertain = 0
        self.assumed = dict.fromkeys(ASSUMPTIONS.values(), 0)
        self.missing: dict[str, int] = {}
        self.copies: dict[tuple[str, str, int], Count] = {}
        # (path, interface, link type) -> frames that no rule could be asked about
        self.unjudged: dict[Interface, Count] = {}
        # copies and redirects as they arrived, where the network's members are known
        self.deliveries: DeliveryTally | None = None

    @property
    def total(self) -> Count:
        """All frames, judged or not."""
        unjudged = self.unjudged.values()
        return self._sum(lambda _: True).plus(
            sum(count.frames for count in unjudged), sum(count.bytes for count in unjudged)
        )

    def verdict(self, name: str) -> Count:
        """The frames of one verdict: accept, drop or redirect."""
        return self._sum(lambda decider: decider.verdict == name)

    def _sum(self, wanted: Callable[[Decider], bool]) -> Count:
        counts = [count for decider, count in self.deciders.items() if wanted(decider)]
        return Count(sum(c.frames for c in counts), sum(c.bytes for c in counts))

    def count(self, judgement: Judgement, deliveries: Deliveries | None = None) -> None:
        """Count a batch as `pipeline.judge` gives it, and what was delivered of it."""
        if deliveries is not None:
            self.add_deliveries(judgement.packets.scanned, deliveries)
        if judgement.counted is not None:
            self.add_counted(judgement.counted)
        elif judgement.verdicts is None:
            self.skip(judgement.packets)
        else:
            self.add(judgement.verdicts, judgement.packets.lengths)
        if judgement.apart is not None:
            self.count(judgement.apart)

    def add_deliveries(self, frames: int, deliveries: Deliveries) -> None:
        """Count what was sent for so many frames."""
        self._delivered().add(frames, deliveries)

    def _delivered(self) -> DeliveryTally:
        from ztfast.pipeline.delivery_tally import DeliveryTally  # start-up stays short

        if self.deliveries is None:
            self.deliveries = DeliveryTally()
        return self.deliveries

    def add_counted(self, counted: Counted) -> None:
        """Count what a scan counted."""
        for side in counted.sides:
            self._add_totals(side.totals, side.starts, side.sender, side.receiver)
        if counted.reads is not None:
            self._add_reads(counted.reads)
        if counted.sent is not None:
            for key, count in counted.sent.copies.items():
                add(self.copies, key, *count)
            self._delivered().add_counts(counted.sent.fates)

    def add(self, verdicts: Verdicts, lengths: npt.NDArray[np.uint32]) -> None:
        """Count a batch; `lengths` uint32[n] are the frames' original lengths in bytes.

        Raises UsageError for another number of them: the compiled loop trusts it.
        """
        if len(lengths) != len(verdicts):
            what = f"lengths has {len(lengths)} items for {len(verdicts)} verdicts"
            raise usage(what, "one length a frame")
        if not len(verdicts):
            return
        sides = verdicts.asked_sides
        if all(side.raw is not None for side in sides):
            self._add_raw(verdicts, sides, np.ascontiguousarray(lengths))
        else:
            self._add_deciders(verdicts, lengths)
        if verdicts.noteworthy:
            self._add_reads(np.bincount(verdicts.reads))
        self._add_copies(verdicts)

    def skip(self, packets: PacketBatch) -> None:
        """Count a batch whose link type is not known, by interface."""
        count_unjudged(self.unjudged, packets)

    def _add_raw(
        self, verdicts: Verdicts, sides: Sequence[SideVerdicts], lengths: npt.NDArray[np.uint32]
    ) -> None:
        """Count by the loops' own results, in one pass; sides: those that were asked."""
        columns = [_settled(side) for side in sides]
        totals = [np.zeros((2, (int(entry.max()) + 2) * _CODES), np.uint64) for entry, _ in columns]
        if len(sides) == 1:
            dispatch.require().tally(*columns[0], lengths, *totals[0])
            asked = [(verdicts.sender is not None, verdicts.receiver is not None)]
        else:
            dispatch.require().tally_sides(*columns[0], *columns[1], lengths, *totals)
            asked = [(True, False), (False, True)]
        self._add_unasked(verdicts, lengths, totals)
        for side, found, which in zip(sides, totals, asked, strict=True):
            assert side.raw is not None
            self._add_totals(found, side.raw[2], *which)

    def _add_unasked(
        self,
        verdicts: Verdicts,
        lengths: npt.NDArray[np.uint32],
        totals: Sequence[npt.NDArray[np.uint64]],
    ) -> None:
        """Count frames that no rule was asked about, and take them out of the loops' sums."""
        if verdicts.unasked is None:
            return
        index = np.flatnonzero(verdicts.unasked)
        why = -1 - verdicts.unasked[index].astype(np.int64)
        for side, name in enumerate(("sender", "receiver")):
            there = verdicts.side[index] == side
            for entry in _UNDECIDED:
                mine = index[there & (why == entry)]
                if not len(mine):
                    continue
                octets = int(lengths[mine].sum(dtype=np.uint64))
                totals[side if len(totals) > 1 else 0][:, 0] -= np.array(
                    [len(mine), octets], np.uint64
                )
                add(self.deciders, Decider("drop", name, -1, entry), len(mine), octets)

    def _add_totals(
        self,
        totals: npt.NDArray[np.uint64],
        starts: npt.NDArray[np.int64],
        sender: bool,
        receiver: bool,
    ) -> None:
        """Count by the loops' own sums, which `pipeline.scan.SideCounts` describes."""
        places: list[int] = np.flatnonzero(totals[0]).tolist()
        for at in places:
            number, result = at // _CODES - 1, at % _CODES
            capability = int(np.searchsorted(starts[1:], number, side="right")) - 1
            local = number if number < 0 else number - int(starts[capability + 1])
            passes = result >= Result.ACCEPT
            decider = Decider(
                "redirect" if result == Result.REDIRECT else "accept" if passes else "drop",
                "receiver" if (receiver if passes else not sender) else "sender",
                capability if number >= 0 else -1,
                local,
            )
            add(self.deciders, decider, int(totals[0, at]), int(totals[1, at]))

    def _add_deciders(self, verdicts: Verdicts, lengths: npt.NDArray[np.uint32]) -> None:
        entry = verdicts.entry.astype(np.int64)
        if verdicts.unasked is not None:
            entry -= verdicts.unasked
        lowest = min(_UNDECIDED)
        entries = int(entry.max()) - lowest + 1
        capabilities = int(verdicts.capability.max()) + 2
        key = entry - lowest
        if capabilities > 1:
            key += (verdicts.capability.astype(np.int64) + 1) * entries
        key *= 6
        key += verdicts.action + np.uint8(3) * verdicts.side
        frames = np.bincount(key)
        sums = np.bincount(key, weights=lengths)
        for number in np.flatnonzero(frames).tolist():
            place, kind = divmod(number, 6)
            side, action = divmod(kind, 3)
            capability, at = divmod(place, entries)
            decider = Decider(
                VERDICTS[Action(action)], ("sender", "receiver")[side], capability - 1, at + lowest
            )
            add(self.deciders, decider, int(frames[number]), int(sums[number]))

    def _add_reads(self, counts: npt.NDArray[Any]) -> None:
        """Count frames by the distinct values of `reads`, of which there are few."""
        for value in np.flatnonzero(counts).tolist():
            found = int(counts[value])
            self.uncertain += found if value & UNCERTAIN_MASK else 0
            for bit in Reads:
                if not value & bit:
                    continue
                if bit in ASSUMPTIONS:
                    self.assumed[ASSUMPTIONS[bit]] += found
                else:
                    name = (bit.name or "").lower()
                    self.missing[name] = self.missing.get(name, 0) + found

    def _add_copies(self, verdicts: Verdicts) -> None:
        for copy in verdicts.copy_columns():
            targets, inverse = np.unique(copy.target[copy.sent], return_inverse=True)
            frames = np.bincount(inverse, minlength=len(targets))
            sums = np.bincount(
                inverse, weights=copy.length[copy.sent].astype(np.float64), minlength=len(targets)
            )
            for number, target in enumerate(targets.tolist()):
                key = (copy.side, copy.kind, target)
                add(self.copies, key, int(frames[number]), int(sums[number]))

    def rows(self) -> list[dict[str, Any]]:
        """One row a decider, most frames first: verdict, side, rule, line, text, frames, bytes."""
        rows = [
            {**decider_row(self.policy, decider), "frames": count.frames, "bytes": count.bytes}
            for decider, count in self.deciders.items()
        ]
        return sorted(rows, key=_order)

    def merge(self, other: Tally) -> None:
        """Add what another tally of the same policy counted; raises UsageError for another's."""
        self._same_policy(other.policy.digest)
        for mine, its in (
            (self.deciders, other.deciders),
            (self.copies, other.copies),
            (self.unjudged, other.unjudged),
        ):
            for key, count in its.items():
                add(mine, key, count.frames, count.bytes)
        if other.deliveries is not None:
            self._delivered().merge(other.deliveries)
        self.uncertain += other.uncertain
        for sums, more in ((self.assumed, other.assumed), (self.missing, other.missing)):
            for name, found in more.items():
                sums[name] = sums.get(name, 0) + found

    def _same_policy(self, digest: object) -> None:
        if digest != self.policy.digest:
            raise usage(
                "these figures were counted by other rules",
                "count both by the same rules: `policy` in the JSON is their digest",
            )

    def to_json(self) -> dict[str, Any]:
        """Everything counted, as one JSON-ready object, which `from_json` reads back."""
        total = self.total
        return {
            "policy": self.policy.digest,
            "frames": total.frames,
            "bytes": total.bytes,
            "verdicts": {name: self.verdict(name)._asdict() for name in VERDICTS.values()},
            "rules": self.rows(),
            "copies": [
                {"side": side, "kind": kind, "to": f"{target:010x}", **count._asdict()}
                for (side, kind, target), count in sorted(self.copies.items())
            ],
            "deliveries": None if self.deliveries is None else self.deliveries.to_json(),
            "unjudged": [
                {"path": path, "interface": name, "linktype": linktype, **count._asdict()}
                for (path, name, linktype), count in sorted(self.unjudged.items())
            ],
            "uncertain": self.uncertain,
            # in one order, whatever was read first: batches may be cut anywhere
            "missing": {name: self.missing[name] for name in sorted(self.missing)},
            "assumed": self.assumed,
        }

    @classmethod
    def from_json(cls, document: Any, policy: Policy) -> Tally:
        """The tally that `to_json` wrote; raises UsageError where it is not one of this policy.

        Other keys, such as `ztfast filter --json` adds, are passed over.
        """
        tally = cls(policy)
        try:
            tally._same_policy(document["policy"])
            for row in document["rules"]:
                add(tally.deciders, _decider(policy, row), *read_count(row))
            for row in document["copies"]:
                key = str(row["side"]), str(row["kind"]), int(row["to"], 16)
                add(tally.copies, key, *read_count(row))
            for row in document["unjudged"]:
                place = str(row["path"]), str(row["interface"]), int(row["linktype"])
                add(tally.unjudged, place, *read_count(row))
            if document["deliveries"] is not None:
                tally._delivered().read(document["deliveries"])
            tally.uncertain = whole(document["uncertain"])
            for name in tally.assumed:
                tally.assumed[name] = whole(document["assumed"][name])
            tally.missing = {str(name): whole(n) for name, n in document["missing"].items()}
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, UsageError):
                raise
            raise usage(
                f"this is not a tally: {type(error).__name__} at {error}",
                "give what `ztfast filter --json` or Tally.to_json wrote",
            ) from None
        return tally


def _decider(policy: Policy, row: Mapping[str, Any]) -> Decider:
    """A decider out of its row: capabilities by name, or by id where they have none."""
    capability, rules = -1, policy.rules
    if row["capability"] is not None:
        names = [_capability_name(one) for one in policy.ordered_capabilities]
        capability = names.index(row["capability"])
        rules = policy.ordered_capabilities[capability].rules
    undecided = {text: number for number, text in _UNDECIDED.items()}
    entry = undecided[row["rule"]] if row["entry"] is None else whole(row["entry"])
    if entry >= len(known_rules(rules)):
        raise ValueError(f"entry {entry}, which the rules do not have")
    if row["verdict"] not in VERDICTS.values() or row["side"] not in ("sender", "receiver"):
        raise ValueError(f"{row['verdict']!r:.20} by {row['side']!r:.20}")
    return Decider(row["verdict"], row["side"], capability, entry)


def _capability_name(capability: Capability) -> str:
    return capability.name or str(capability.id)


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Most frames first; then as the rules stand, whatever came first in the capture."""
    entry = -1 if row["entry"] is None else row["entry"]
    place = row["line"] or 0, row["verdict"], row["capability"] or "", entry, row["side"]
    return -row["frames"], *place, row["rule"]  # its words alone tell what no entry decided


def decider_row(policy: Policy, decider: Decider) -> Mapping[str, Any]:
    """A decider in words: which rule of the source, with its line."""
    row: dict[str, Any] = {
        "verdict": decider.verdict,
        "side": decider.side,
        "capability": None,
        "entry": decider.entry if decider.entry >= 0 else None,
        "line": None,
        "included": None,
        "rule": _UNDECIDED.get(decider.entry, ""),
    }
    rules = policy.rules
    if decider.capability >= 0:
        capability = policy.ordered_capabilities[decider.capability]
        row["capability"] = _capability_name(capability)
        rules = capability.rules
    if decider.entry >= 0:
        known = known_rules(rules)
        rule = known[decider.entry]
        row["line"] = rule.span.line if rule.span else None
        row["included"] = rule.parent.line if rule.parent else None
        row["rule"] = rule_text(policy, known, decider.entry)
    return row


def _settled(side: SideVerdicts) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """The loops' (entries, codes), those of redirects to where a frame goes anyway as accepting."""
    assert side.raw is not None
    entry, code = side.raw[:2]
    if side.redirects:
        at = np.flatnonzero(code == Result.REDIRECT)
        at = at[side.accept[at] > 0]
        if len(at):
            code = code.copy()
            code[at] = Result.ACCEPT
    return entry, code


def decider_text(policy: Policy, capability: int, entry: int) -> str:
    """What decided, as `Decider` numbers it, in one line."""
    if entry < 0:
        return _UNDECIDED[entry]
    rules = policy.rules if capability < 0 else policy.ordered_capabilities[capability].rules
    return rule_text(policy, known_rules(rules), entry)


def known_rules(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that evaluators see: those of a known type."""
    from ztfast.model.entries import read_entries

    return [rules[entry.rule] for entry in read_entries(rule.json for rule in rules)]


def rule_text(policy: Policy, rules: Sequence[Rule], index: int) -> str:
    """The action at `index` with its matches, as the source has them, in one line.

    A macro's rules stand with the values of their include.  Rules that came as JSON give the
    entry's number (from 0, as explain counts), and its type.
    """
    span, source = rules[index].span, policy.source
    if span is None or source is None:
        return f"entry {index}: {rules[index].json.get('type', '')}"
    if rules[index].parent is not None:
        return _included_text(policy, rules, index)
    end = 0
    for before in reversed(rules[:index]):
        if before.span is None or str(before.json.get("type")).startswith("ACTION_"):
            break  # matches of another action stand before that one
        end = max(end, before.span.end)
    if not end:
        return source.line_text(span.line).strip().rstrip("; ")
    text = _COMMENT.sub("", source.text[span.start : end])
    return " ".join(text.split())


def _included_text(policy: Policy, rules: Sequence[Rule], index: int) -> str:
    """The action at `index` with its matches as this include of a macro has them."""
    from ztfast.lang.printer import entry_printer  # start-up stays short

    shown = entry_printer(policy.tags)
    first = index
    while first and not str(rules[first - 1].json.get("type")).startswith("ACTION_"):
        first -= 1
    words = [shown(rules[index].json)]
    for rule in rules[first:index]:
        text = shown(rule.json)
        joined = len(words) == 1 or text.startswith("or ")
        words.append(text if joined else f"and {text}")
    return " ".join(words)
