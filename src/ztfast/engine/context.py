"""What the reference evaluator is given beside a frame, and what it gives back.

Contract: plain frozen values.  `FrameContext` is one node's circumstances for one frame
(docs/spec/evaluation.md, "What goes in"), `Outcome` what that node does with it.
Tested through the reference evaluator, tests/engine/test_reference*.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ztfast.model.reads import Reads
from ztfast.model.result import Result

LogItem = list[int] | str | None


def _draw_nothing(_: int) -> int:
    return 0


class FrameContext(NamedTuple):
    """The circumstances of one evaluation.

    node, zt_source, zt_dest: 40-bit ZeroTier addresses (`zt_dest` 0 where unknown).
    local_tags, remote_tags: id to value; `remote_tags` None where membership is not known.
    owned_ips (packed, 4 or 16 bytes), owned_macs (48 bits): what the sender was given.
    emulates: EMULATES_RFC4193 and EMULATES_6PLANE (network.batch_context): the schemes of whose
    addresses in the network `network_id` this node, judging in, takes every one as the sender's.
    held: indexes into the view's capabilities, in the order in which they are tried.
    no_tee: this is the sender's second pass, for one recipient of several: it sends no copies
    (docs/spec/evaluation.md section 8).
    draw: the draw of the `random` match with this index, where the base rules' entries
    are counted first and then those of *all* the view's capabilities.

    The rest says what nobody knows and is only assumed:
    assumed_ipauth, assumed_macauth: None where the sender's ownership is known, else what
    to answer; local_tags_known, remote_tags_known, addresses_known: False where the tags
    and addresses above are an assumption.
    """

    node: int = 0
    zt_source: int = 0
    zt_dest: int = 0
    local_tags: Mapping[int, int] = {}
    remote_tags: Mapping[int, int] | None = None
    owned_ips: frozenset[bytes] = frozenset()
    owned_macs: frozenset[int] = frozenset()
    emulates: int = 0
    network_id: int | None = None
    held: tuple[int, ...] = ()
    no_tee: bool = False
    draw: Callable[[int], int] = _draw_nothing
    assumed_ipauth: bool | None = None
    assumed_macauth: bool | None = None
    local_tags_known: bool = True
    remote_tags_known: bool = True
    addresses_known: bool = True


class Noted(NamedTuple):
    """A copy that a tee or watch noted: by which entry, to whom, how many payload bytes."""

    entry: int
    target: int
    length: int
    watch: bool


class State(NamedTuple):
    """What one evaluation of a rule set carries from entry to entry.

    matches: the set so far.  skip_drop, super_accept: armed (spec sections 5 and 6).
    copy: noted so far.  reads: what was read without being known.
    """

    matches: bool
    skip_drop: bool
    super_accept: bool
    copy: Noted | None
    reads: Reads


class EntryStep(NamedTuple):
    """One entry as it was evaluated: for explanations and coverage.

    entry: its index in the rule set.  answer: of a match before `not` ("no", "yes", "hardNo",
    "hardYes"), None for actions and for a skipped AND.  matched: after `not`, None likewise.
    result: where the entry ended the rule set.
    """

    entry: int
    before: State
    after: State
    answer: str | None
    matched: bool | None
    result: Result | None


class Trial(NamedTuple):
    """One evaluation of one rule set: the base rules (None) or a capability of the view."""

    capability: int | None
    result: Result
    steps: tuple[EntryStep, ...]


class Sent(NamedTuple):
    """A copy that goes out: to which address, with which flags, how many payload bytes."""

    to: int
    flags: int
    length: int


class Outcome(NamedTuple):
    """What one side does with one frame.

    result: of the base rules.  accept: 0, 1, or 2 (super-accept); a redirected frame has 0.
    accepted: the frame, or its redirected self, passes.  destination: after redirects.
    capability: index in the view of the one that accepted, or None.
    entry: index of the entry that ended the rule set which decided (the accepting
    capability's, else the base rules'; a BREAK counts), -1 where the list ended.
    copies: in sending order.  copy, capability_copy: the noted copies among them that the
    base rules and the accepting capability sent.  qos: the bucket, 0 out and 255 in at the start.
    reads: what was read without being known.  log: one item a base entry, None unless asked for:
    None for actions and what was not reached, "S0" for a skipped AND, else
    [match before not, set before].  trials: every rule set that was evaluated, in order, empty
    unless asked for.
    """

    result: Result
    accept: int
    accepted: bool
    destination: int
    capability: int | None
    entry: int
    copies: tuple[Sent, ...]
    copy: Noted | None
    capability_copy: Noted | None
    qos: int
    reads: Reads
    log: list[LogItem] | None
    trials: tuple[Trial, ...] = ()
