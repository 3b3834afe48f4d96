"""A witness once more, as `ztfast explain` judges it: by another way than that of the proof.

Contract: an `Explainer` describes both ends as a user of `explain` would and gives the verdict
("accept", "drop", "redirect"), or None where `explain` cannot be told the circumstances: random
draws, a MAC that the sender was certified, a bridge behind the destination.
Tested by tests/proof/test_search.py.
"""

from __future__ import annotations

from ztfast.engine.context import FrameContext
from ztfast.explain.contexts import ContextResolver, Ends
from ztfast.explain.explain import explain
from ztfast.frames.frame import Frame
from ztfast.frames.headers import ip_ends
from ztfast.frames.notation import FrameSpec
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy
from ztfast.network.members import Member


class Explainer:
    """A policy, ready to have witnesses explained; `side` is "both", "out" or "in"."""

    def __init__(self, policy: Policy, engine: str, side: str) -> None:
        self._side = side
        self._resolver = ContextResolver(policy, engine=engine)
        view = self._resolver.views["out"]
        self._random = any(
            entry.kind is Kind.MATCH_RANDOM
            for entries in (view.base, *view.capabilities)
            for entry in entries
        )

    def verdict(
        self, frame: Frame, sender: FrameContext | None, receiver: FrameContext | None
    ) -> str | None:
        """The verdict on a frame between two nodes, each as its own side sees it (None: not asked).

        Of one side alone the other node is what that side sees of it.
        """
        context = sender or receiver
        assert context is not None
        group = bool(frame.mac_dest >> 40 & 1)
        bridged = sender is not None and not sender.zt_dest and not group
        if self._random or context.owned_macs or bridged:
            return None
        ids = self._resolver.views["out"].capability_ids
        source = Member(
            context.zt_source,
            ips=tuple(context.owned_ips),
            tags=(sender.local_tags if sender else context.remote_tags) or {},
            capabilities=frozenset(ids[index] for index in context.held),
            mac=frame.mac_source,
            takes_defaults=False,  # they are among those that it holds
        )
        dest = receiver.node if receiver else context.zt_dest
        tags = receiver.local_tags if receiver else context.remote_tags
        # a sender alone, of a multicast, knows no recipient for whom it would judge again
        target = Member(dest, tags=tags or {}, mac=frame.mac_dest) if dest else None
        spec = FrameSpec("", frame, context.zt_source, dest, *ip_ends(frame))
        contexts = self._resolver.described_contexts(spec, Ends(source, target))
        return explain(self._resolver, contexts, self._side).verdict
