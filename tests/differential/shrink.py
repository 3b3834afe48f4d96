"""Making a failing case small, and printing it as a vector that anybody can run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from tests.differential.generate import NETWORK_ID, Case, MemberFacts, Row
from ztfast.model.reads import Reads

T = TypeVar("T")
Fails = Callable[[Case], bool]

_MOST_STEPS = 4000


def shrink(case: Case, fails: Fails) -> Case:
    """A case that still fails and of which no part can be left out or made simpler."""
    budget = [_MOST_STEPS]

    def still(candidate: Case) -> bool:
        budget[0] -= 1
        return budget[0] >= 0 and bool(candidate.rows) and fails(candidate)

    while budget[0] > 0:
        before = case
        case = _fewer_rows(case, still)
        case = _fewer_entries(case, still)
        for candidate in _simpler(case):
            if still(candidate):
                case = candidate
        if case == before:
            break
    return case


def _without_parts(items: Sequence[T], holds: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Delta debugging: leave out halves, quarters… down to single items."""
    kept = tuple(items)
    size = max(1, len(kept) // 2)
    while size:
        start = 0
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if holds(fewer):
                kept = fewer
            else:
                start += size
        size //= 2
    return kept


def _fewer_rows(case: Case, still: Fails) -> Case:
    rows = _without_parts(case.rows, lambda rows: still(case._replace(rows=rows)))
    return case._replace(rows=rows)


def _fewer_entries(case: Case, still: Fails) -> Case:
    rules = _without_parts(case.rules, lambda rules: still(case._replace(rules=rules)))
    case = case._replace(rules=rules)
    for index in range(len(case.capabilities)):
        own = case.capabilities[index]

        def with_rules(rules: tuple[Any, ...], index: int = index, base: Case = case) -> Case:
            sets = base.capabilities
            return base._replace(capabilities=(*sets[:index], rules, *sets[index + 1 :]))

        case = with_rules(_without_parts(own, lambda rules: still(with_rules(rules))))
    return case


# --- simpler values ------------------------------------------------------------------------


def _simpler(case: Case) -> Iterator[Case]:
    """Candidates, each a little simpler than the case; made from the case as it was."""
    if case.capabilities and not case.capabilities[-1]:
        members = tuple(
            member._replace(capabilities=member.capabilities[:-1]) for member in case.members
        )
        yield case._replace(capabilities=case.capabilities[:-1], members=members)
    for index, member in enumerate(case.members):
        for simpler in _simpler_member(member):
            members = (*case.members[:index], simpler, *case.members[index + 1 :])
            yield case._replace(members=members)
    if len(case.rows) <= 8:
        for index, row in enumerate(case.rows):
            for less in _simpler_row(row):
                yield case._replace(rows=(*case.rows[:index], less, *case.rows[index + 1 :]))
    for index, entry in enumerate(case.rules):
        for plain in _simpler_entry(entry):
            yield case._replace(rules=(*case.rules[:index], plain, *case.rules[index + 1 :]))


def _simpler_member(member: MemberFacts) -> Iterator[MemberFacts]:
    if member.ips:
        yield member._replace(ips=())
        yield member._replace(ips=member.ips[1:])
    if member.macs:
        yield member._replace(macs=())
        yield member._replace(macs=member.macs[1:])
    if member.emulates:
        yield member._replace(emulates=0)
    for tag in member.tags:
        yield member._replace(tags={key: v for key, v in member.tags.items() if key != tag})
    if any(member.capabilities):
        yield member._replace(capabilities=(False,) * len(member.capabilities))


def _simpler_row(row: Row) -> Iterator[Row]:
    frame = row.frame
    for changes in (
        {"local": 1, "sender": 1},
        {"remote": 2},
        {"addresses_known": True},
        {"no_tee": False},
        {"number": 0},
        {"zt_source": 0},
        {"zt_dest": 0},
        {"node": 0},
    ):
        if any(getattr(row, name) != value for name, value in changes.items()):
            yield row._replace(**changes)
    if frame.unknown:
        yield row._replace(frame=frame._replace(unknown=Reads(0)))
    if frame.length != len(frame.payload):
        yield row._replace(frame=frame._replace(length=len(frame.payload)))
    for field in ("vlan", "mac_source", "mac_dest"):
        if getattr(frame, field):
            yield row._replace(frame=frame._replace(**{field: 0}))
    if frame.payload and frame.length == len(frame.payload):
        for cut in {len(frame.payload) // 2, len(frame.payload) - 1}:
            yield row._replace(frame=frame._replace(payload=frame.payload[:cut], length=cut))
    for at, byte in enumerate(frame.payload):
        if byte:
            zeroed = frame.payload[:at] + b"\0" + frame.payload[at + 1 :]
            yield row._replace(frame=frame._replace(payload=zeroed))


def _simpler_entry(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("not", "or"):
        if entry.get(key):
            yield {**entry, key: False}
    for key, value in entry.items():
        if isinstance(value, int) and not isinstance(value, bool) and value:
            yield {**entry, key: 0}


# --- printing ------------------------------------------------------------------------------


def vectors(case: Case) -> str:
    """Each row as a line of the form that `ztfast eval` takes.

    What that form cannot say (bytes not captured, members nobody described, draws) is under
    `beyond`; a case with several rows needs them in one batch.
    """
    return "\n".join(json.dumps(vector(case, row)) for row in case.rows)


def vector(case: Case, row: Row) -> dict[str, Any]:
    """One row as the `in` form of the eval vectors."""
    nobody = MemberFacts({}, ())
    members = (nobody, *case.members)
    sender = members[row.sender]
    held = [index for index, holds in enumerate(sender.capabilities) if holds]
    frame = row.frame
    made: dict[str, Any] = {
        "engine": case.engine,
        "direction": case.direction,
        "node": f"{row.node:010x}",
        "rules": list(case.rules),
        "capabilities": [{"id": index, "rules": list(case.capabilities[index])} for index in held],
        "local_tags": {str(tag): value for tag, value in members[row.local].tags.items()},
        "remote_tags": None
        if row.remote < 0
        else {str(tag): value for tag, value in members[row.remote].tags.items()},
        "owned_ips": [_ip_text(text) for text in sender.ips],
        "owned_macs": [_mac_text(mac) for mac in sender.macs],
        "zt_source": f"{row.zt_source:010x}",
        "zt_dest": f"{row.zt_dest:010x}",
        "mac_source": _mac_text(frame.mac_source),
        "mac_dest": _mac_text(frame.mac_dest),
        "ethertype": frame.ethertype,
        "vlan": frame.vlan,
        "frame": frame.payload.hex(),
        "prng": 0,
        "no_tee": row.no_tee,
        "ndp": (None, "rfc4193", "6plane")[members[row.local].emulates],
        "network": f"{NETWORK_ID:016x}",
    }
    beyond = _beyond(case, row)
    return {**made, "beyond": beyond} if beyond else made


def _beyond(case: Case, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    frame = row.frame
    if frame.length != len(frame.payload):
        found["length"] = frame.length
    if frame.unknown:
        found["unknown"] = int(frame.unknown)
    if 0 in (row.local, row.remote, row.sender) or not row.addresses_known:
        found["members"] = {"local": row.local, "remote": row.remote, "sender": row.sender}
        found["addresses_known"] = row.addresses_known
        found["assumed"] = {"ipauth": case.assumed_ipauth, "macauth": case.assumed_macauth}
    if any(entry.get("type") == "MATCH_RANDOM" for rules in (case.rules, *case.capabilities)
           for entry in rules):
        found["draws"] = {"seed": case.seed, "number": row.number}
    return found


def _ip_text(text: str) -> str:
    from ipaddress import ip_address

    return str(ip_address(bytes.fromhex(text)))


def _mac_text(mac: int) -> str:
    return ":".join(f"{byte:02x}" for byte in mac.to_bytes(6, "big"))
