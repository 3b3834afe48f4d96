"""A plan: rules that are to be deployed, and what was deployed when it was made.

Contract: a `Plan` goes through JSON without a difference; `read_plan` refuses a document of which
any field is not what its digest is of, and says which.  `make_plan` changes nothing anywhere.
Tested by tests/deploy/test_plan.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ztfast.deploy.controllers import Deployed
from ztfast.deploy.http import DeployError
from ztfast.deploy.losses import Loss, loss_texts, losses, matrices, own_way, parse_allowed
from ztfast.deploy.meaning import meaning_digest
from ztfast.deploy.target import Target, parse_target
from ztfast.errors import Diagnostic, RulesError, UsageError, ZtfastError
from ztfast.lang import compile_text, load_json, print_policy
from ztfast.lang.sources import is_json
from ztfast.model.entries import Json
from ztfast.model.policy import Policy
from ztfast.network.documents import parse_json
from ztfast.network.members import Network
from ztfast.pipeline.reach import Reach

FORMAT = "ztfast plan 1"
_RULES = ("config", "capabilitiesByName", "tagsByName")
_FIELDS = ("target", "live", "goal", "allowed_losses", "rules_source", *_RULES)


@dataclass(frozen=True)
class Plan:
    """What `apply` is to do.

    live: digest of the meaning of the rules in force when it was made.  policy, text: the rules to
    deploy and their source.  allowed: what was said may be lost.
    """

    target: Target
    live: str
    policy: Policy
    text: str | None
    allowed: tuple[str, ...] = ()

    @property
    def goal(self) -> str:
        """Digest of the meaning of the rules to deploy."""
        return meaning_digest(self.policy)

    @property
    def changes(self) -> bool:
        """Is there anything to do?"""
        return self.live != self.goal

    def to_json(self) -> dict[str, Any]:
        """The plan as one JSON-ready object, which `read_plan` reads."""
        fields: dict[str, Any] = {
            "target": str(self.target),
            "live": self.live,
            "goal": self.goal,
            "allowed_losses": list(self.allowed),
            "rules_source": self.text,
            **self.policy.to_json(),
        }
        return {"format": FORMAT, "digests": field_digests(fields), **fields}


@dataclass(frozen=True)
class Findings:
    """What a plan's change does to members.

    ways: who reaches whom before and after; None where members are not known.  lost: what closes
    and nobody allowed.  lockout: in words, where this machine loses its way to the controller.
    """

    network: Network
    ways: tuple[Reach, Reach] | None
    closed: list[Loss] = field(default_factory=list[Loss])
    lost: list[Loss] = field(default_factory=list[Loss])
    lockout: str = ""

    def texts(self, found: Sequence[Loss]) -> list[str]:
        """Losses by names, as `--allow-loss` takes them."""
        return loss_texts(found, self.network)


def make_plan(
    live: Deployed,
    policy: Policy,
    *,
    text: str | None = None,
    allow: Sequence[str] = (),
    services: Sequence[str] | None = None,
    engine: str = "1.14",
) -> tuple[Plan, Findings]:
    """A plan to deploy rules over what a controller has, and what that would close.

    Raises UsageError for an `allow` that names nobody, NetworkError and DeployError for answers
    that cannot be read.
    """
    network, before = live.read_network(), live.read_policy()
    plan = Plan(live.target, meaning_digest(before), policy, text, tuple(allow))
    allowed = [parse_allowed(one, network) for one in allow]
    try:
        ways = matrices(before, policy, network, services, engine)
    except UsageError:
        if services:
            raise
        return plan, Findings(network, None)
    closed = losses(*ways)
    lost = [loss for loss in closed if not any(one.covers(loss) for one in allowed)]
    lockout = _lockout(before, policy, network, live.target, engine)
    return plan, Findings(network, ways, closed, lost, lockout)


def readable(live: Policy, like: Policy) -> Policy:
    """The rules in force as a text would have them, with the names of the rules that follow."""
    if live.source is not None and not is_json(live.source.text):
        return live
    tags, capabilities = ({one.id: one.name for one in of} for of in (like.tags, like.capabilities))
    named = replace(
        live,
        tags=tuple(replace(tag, name=tag.name or tags.get(tag.id)) for tag in live.tags),
        capabilities=tuple(
            replace(one, name=one.name or capabilities.get(one.id)) for one in live.capabilities
        ),
    )
    try:
        return compile_text(print_policy(named), "the rules in force")
    except RulesError:  # names that stand for two things, entries that no text has
        return live


def _lockout(old: Policy, new: Policy, network: Network, target: Target, engine: str) -> str:
    """Whether the machine that applies would lose its way to the controller, in words."""
    parts = urlsplit(target.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    way = own_way(network, target.host, port)
    if way is None:
        return ""
    before, after = matrices(old, new, network, [f"{port}/tcp"], engine)
    names = {member.address: network.member_name(member.address) for member in way}
    mine, its = (member.address for member in way)
    if not any((loss.client, loss.server) == (mine, its) for loss in losses(before, after)):
        return ""
    return f"this machine ({names[mine]}) would lose its way to the controller ({names[its]})"


def read_plan(data: bytes, name: str) -> Plan:
    """A plan of a file; raises DeployError."""
    try:
        document: Json = parse_json(data, name)
    except ZtfastError as error:
        _refuse(name, error.diagnostics[0].message)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        _refuse(name, "is not a plan that `ztfast plan -o` wrote")
    digests = document.get("digests")
    if not isinstance(digests, dict):
        _refuse(name, "is a plan without digests")
    for field_name, digest in field_digests(document).items():
        if digests.get(field_name) != digest:
            _refuse(name, f"was changed by hand: `{field_name}` is not what its digest is of")
    try:
        return _plan(document, name)
    except ZtfastError as error:
        _refuse(name, error.diagnostics[0].message)


def _plan(document: Mapping[str, Json], name: str) -> Plan:
    """The plan of a document whose digests are right; raises ZtfastError."""
    target, live, source = (document.get(key) for key in ("target", "live", "rules_source"))
    allowed = document.get("allowed_losses")
    if not isinstance(target, str) or not isinstance(live, str) or not isinstance(allowed, list):
        _refuse(name, "is a plan without a target, digests or allowed losses")
    rules = json.dumps({key: document.get(key) for key in _RULES})
    plan = Plan(
        parse_target(target),
        live,
        load_json(rules, name),
        source if isinstance(source, str) else None,
        tuple(map(str, allowed)),
    )
    if plan.goal != document.get("goal"):
        _refuse(name, "has other rules than `goal` is the digest of")
    return plan


def field_digests(document: Mapping[str, Json]) -> dict[str, str]:
    """SHA-256 of each field of a plan's document, in hex."""
    texts = {key: json.dumps(document.get(key), sort_keys=True) for key in _FIELDS}
    return {key: hashlib.sha256(text.encode()).hexdigest() for key, text in texts.items()}


def _refuse(name: str, what: str) -> NoReturn:
    raise DeployError(Diagnostic("ZT651", what, path=name, help="make it again: ztfast plan"))
