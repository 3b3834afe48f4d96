"""One evaluation as a JSON object, in and out: the form of the eval vectors.

Contract: `read_case` checks every key's type and range and names the key that is wrong;
`evaluate_case` gives the `out` form.  What a network would do with odd rules is done
here too (unreadable entries left out, the surplus cut off) and `case_findings` says so.
Tested by tests/engine/test_case*.py with all of the eval vectors.

Keys of a case: `direction`, `rules`, `ethertype` and `frame` are required.  Else: `engine`
"1.14"; `node`, `zt_source`, `zt_dest` "0000000000"; `mac_source`, `mac_dest` zeros; `vlan`
and `prng` 0; `local_tags` {}; `remote_tags` null; `capabilities`, `owned_ips`,
`owned_macs` []; `no_tee` false; `ndp` null; `network` the id of the network that the cases were
recorded in; `id` is handed through.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, NoReturn

from ztfast.engine import backends
from ztfast.engine.context import FrameContext, Noted, Outcome, Sent
from ztfast.engine.prng import draw
from ztfast.engine.reference import evaluate, sent_copies
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.errors import Diagnostic, FrameError, RulesError, ZtfastError
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.entries import Json, read_entries, read_entry
from ztfast.model.kinds import Entry, Kind
from ztfast.model.policy import MAX_BASE_RULES, MAX_CAPABILITY_RULES
from ztfast.model.result import Result
from ztfast.model.view import DIRECTIONS, ENGINES, View
from ztfast.network.batch_context import EMULATES_6PLANE, EMULATES_RFC4193

MAX_PAYLOAD = 1 << 18

_HEX = re.compile(r"[0-9a-fA-F]*")
_ADDRESS = re.compile(r"[0-9a-fA-F]{10}")
_NETWORK_ID = re.compile(r"[0-9a-fA-F]{16}")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_MISSING: Any = object()
_CERTAIN = 0xFFFFFFFF
_NETWORK = "8056c2e21c000001"
_NDP = {None: 0, "rfc4193": EMULATES_RFC4193, "6plane": EMULATES_6PLANE}


# --- reading -------------------------------------------------------------------------------


def _refuse(kind: type[ZtfastError], key: str, wants: str, value: object) -> NoReturn:
    shown = "nothing" if value is _MISSING else f"{value!r:.60}"
    raise kind(Diagnostic("ZT410", f"case: key {key!r} is {shown}", help=f"it must be {wants}"))


def _integer(case: Mapping[str, Any], key: str, bits: int, default: object = 0) -> int:
    value = case.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
        _refuse(FrameError, key, f"an integer from 0 to {(1 << bits) - 1}", value)
    return value


def _text(
    case: Mapping[str, Any],
    key: str,
    pattern: re.Pattern[str],
    wants: str,
    default: object = _MISSING,
) -> str:
    value = case.get(key, default)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        _refuse(FrameError, key, wants, value)
    return value


def _choice(case: Mapping[str, Any], key: str, choices: tuple[str, ...], default: object) -> str:
    value = case.get(key, default)
    if not isinstance(value, str) or value not in choices:
        _refuse(FrameError, key, " or ".join(f'"{choice}"' for choice in choices), value)
    return value


def _address(case: Mapping[str, Any], key: str) -> int:
    return int(_text(case, key, _ADDRESS, "10 hex digits, a ZeroTier address", "0" * 10), 16)


def _mac(text: object, key: str) -> int:
    if not isinstance(text, str) or not _MAC.fullmatch(text):
        _refuse(FrameError, key, "a MAC address as aa:bb:cc:dd:ee:ff", text)
    return int(text.replace(":", ""), 16)


def _ip(text: object, key: str) -> bytes:
    if isinstance(text, str):
        try:
            return (IPv6Address if ":" in text else IPv4Address)(text).packed
        except AddressValueError:
            pass
    _refuse(FrameError, key, "an IPv4 or IPv6 address without a prefix length", text)


def _list(case: Mapping[str, Any], key: str, kind: type[ZtfastError], default: Any) -> list[Json]:
    value: Json = case.get(key, default)
    if not isinstance(value, list):
        _refuse(kind, key, "a list", value)
    return value


def _tags(case: Mapping[str, Any], key: str) -> dict[int, int]:
    value: Json = case.get(key, {})
    if not isinstance(value, Mapping):
        _refuse(FrameError, key, "an object of tag ids and values", value)
    tags: dict[int, int] = {}
    for name, number in value.items():
        where = f"{key}.{name!s:.20}"
        if not re.fullmatch(r"[0-9]{1,10}", str(name)) or int(name) >= 1 << 32:
            _refuse(FrameError, where, "named by a tag id from 0 to 4294967295", name)
        tags[int(name)] = _integer({where: number}, where, 32)
    return tags


def _rule_lists(case: Mapping[str, Any]) -> list[tuple[str, int, list[Json], int]]:
    """(key, capability id or -1, JSON rules, how many the network keeps), base rules first."""
    lists = [("rules", -1, _list(case, "rules", RulesError, _MISSING), MAX_BASE_RULES)]
    for index, capability in enumerate(_list(case, "capabilities", RulesError, [])):
        key = f"capabilities[{index}]"
        if not isinstance(capability, Mapping):
            _refuse(RulesError, key, "an object with `id` and `rules`", capability)
        number = capability.get("id", 0)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << 32:
            _refuse(RulesError, f"{key}.id", "an integer from 0 to 4294967295", number)
        rules: Json = capability.get("rules", _MISSING)
        if not isinstance(rules, list):
            _refuse(RulesError, f"{key}.rules", "a list", rules)
        lists.append((f"{key}.rules", number, rules, MAX_CAPABILITY_RULES))
    return lists


def _view(case: Mapping[str, Any]) -> View:
    lists = [(number, read_entries(rules, limit)) for _, number, rules, limit in _rule_lists(case)]
    return View(
        direction=_choice(case, "direction", DIRECTIONS, _MISSING),
        base=lists[0][1],
        capabilities=tuple(entries for _, entries in lists[1:]),
        capability_ids=tuple(number for number, _ in lists[1:]),
        engine=_choice(case, "engine", ENGINES, "1.14"),
    )


def _frame(case: Mapping[str, Any]) -> Frame:
    digits = _text(case, "frame", _HEX, "the payload's bytes in hex, two digits each")
    if len(digits) % 2 or len(digits) > 2 * MAX_PAYLOAD:
        _refuse(FrameError, "frame", f"at most {MAX_PAYLOAD} bytes, two hex digits each", digits)
    payload = bytes.fromhex(digits)
    zero = "00:00:00:00:00:00"
    return Frame(
        payload=payload,
        length=len(payload),
        ethertype=_integer(case, "ethertype", 16, _MISSING),
        vlan=_integer(case, "vlan", 16),
        mac_source=_mac(case.get("mac_source", zero), "mac_source"),
        mac_dest=_mac(case.get("mac_dest", zero), "mac_dest"),
    )


def _context(case: Mapping[str, Any], view: View) -> FrameContext:
    prng = _integer(case, "prng", 32)
    no_tee = case.get("no_tee", False)
    if not isinstance(no_tee, bool):
        _refuse(FrameError, "no_tee", "true or false", no_tee)

    def drawn(_: int) -> int:
        return prng

    return FrameContext(
        node=_address(case, "node"),
        zt_source=_address(case, "zt_source"),
        zt_dest=_address(case, "zt_dest"),
        local_tags=_tags(case, "local_tags"),
        remote_tags=None if case.get("remote_tags") is None else _tags(case, "remote_tags"),
        owned_ips=frozenset(
            _ip(text, "owned_ips") for text in _list(case, "owned_ips", FrameError, [])
        ),
        owned_macs=frozenset(
            _mac(text, "owned_macs") for text in _list(case, "owned_macs", FrameError, [])
        ),
        emulates=_emulates(case.get("ndp")),
        network_id=int(_text(case, "network", _NETWORK_ID, "16 hex digits", _NETWORK), 16),
        held=tuple(range(len(view.capabilities))),
        no_tee=no_tee,
        draw=drawn,
    )


def _emulates(scheme: object) -> int:
    if not (scheme is None or isinstance(scheme, str)) or scheme not in _NDP:
        _refuse(FrameError, "ndp", '"rfc4193", "6plane" or null', scheme)
    return _NDP[scheme]


def read_case(case: Json) -> tuple[View, Frame, FrameContext]:
    """The three parts of a case; raises RulesError or FrameError naming the wrong key."""
    if not isinstance(case, Mapping):
        raise FrameError(Diagnostic("ZT410", f"a case must be a JSON object, not {case!r:.60}"))
    view = _view(case)
    return view, _frame(case), _context(case, view)


def case_findings(case: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """What the network would silently leave out of a case's rules, as error-level findings."""
    found: list[Diagnostic] = []
    for key, _, rules, limit in _rule_lists(case):
        unknown = [index for index, rule in enumerate(rules) if read_entry(rule) is None]
        if unknown:
            found.append(_left_out(key, rules, unknown))
        surplus = len(rules) - len(unknown) - limit
        if surplus > 0:
            text = f"{key}: the network keeps {limit} entries and cuts {surplus} off"
            found.append(Diagnostic("ZT412", text, help="shorten the rules"))
    return tuple(found)


def _left_out(key: str, rules: list[Json], unknown: list[int]) -> Diagnostic:
    places = ", ".join(str(index) for index in unknown[:5]) + (", …" if len(unknown) > 5 else "")
    first = rules[unknown[0]]
    name = first.get("type") if isinstance(first, Mapping) else first
    shown, help = f"type {name!r:.40}", "correct `type`: upper case, as MATCH_ETHERTYPE"
    if isinstance(first, Mapping) and name == Kind.MATCH_CHARACTERISTICS.name:
        shown, help = f"mask {first.get('mask')!r:.40}", "write `mask` as text of hex digits"
    text = (
        f"{key}: {len(unknown)} entries that a controller cannot read are left out, as the network"
        f" does (index {places}; the first has {shown}), which can widen a rule"
    )
    return Diagnostic("ZT411", text, help=help)


# --- evaluating ----------------------------------------------------------------------------


def evaluate_case(case: Mapping[str, Any], backend: str = "reference") -> dict[str, Any]:
    """Evaluate a case and give its `out` form, with the case's `id` if it has one.

    backend: "reference", or without a log (it is null) "native", "auto" or what another
    package adds (engine.backends).
    Raises RulesError or FrameError for a bad case, BackendError where native is missing.
    """
    chosen = backends.choose(backend)
    view, frame, context = read_case(case)
    if chosen == "reference":
        out = _out(evaluate(view, frame, context, want_log=True))
    else:
        out = _columns_out(chosen, view, frame, context)
    return {"id": case["id"], **out} if "id" in case else out


def _columns_out(backend: str, view: View, frame: Frame, context: FrameContext) -> dict[str, Any]:
    from ztfast.engine.single_frame import case_context

    batch_context = case_context(view, context)
    if backend == "native":
        from ztfast.engine.single_frame import evaluate_one

        verdicts = evaluate_one(view, frame, batch_context, context.draw(0))
    else:
        fixed, seed = _drawn(view, context.draw(0))
        verdicts = backends.evaluate(
            backend, fixed, FrameBatch.from_frame(frame), batch_context, seed
        )
    return _out_of_columns(verdicts, frame, context)


def _drawn(view: View, value: int) -> tuple[View, int]:
    """The view and a seed with which every draw says what `value` would: certain, or never.

    `random` is true where the draw is at most the probability; with the seed given, no draw is 0.
    """

    def fixed(entry: Entry) -> Entry:
        if entry.kind is not Kind.MATCH_RANDOM:
            return entry
        return entry._replace(value=(_CERTAIN if value <= (entry.value[0] or 0) else 0,))

    sets = (view.base, *view.capabilities)
    count = sum(map(len, sets))
    if not any(entry.kind is Kind.MATCH_RANDOM for entries in sets for entry in entries):
        return view, 0
    seed = next(s for s in itertools.count() if all(draw(s, 0, i) for i in range(count)))
    base, *rest = (tuple(map(fixed, entries)) for entries in sets)
    return replace(view, base=base, capabilities=tuple(rest)), seed


def _out(outcome: Outcome) -> dict[str, Any]:
    return {
        "result": outcome.result.name,
        "accept": outcome.accept,
        "destination": f"{outcome.destination:010x}",
        "capability": outcome.capability,
        "copies": _copies(outcome.copies),
        "qos": outcome.qos,
        "log": outcome.log,
    }


def _copies(copies: Iterable[Sent]) -> list[dict[str, Any]]:
    return [
        {"to": f"{copy.to:010x}", "flags": copy.flags, "length": copy.length} for copy in copies
    ]


def _out_of_columns(verdicts: SideVerdicts, frame: Frame, context: FrameContext) -> dict[str, Any]:
    """The `out` form of the first frame's columns."""
    capability = int(verdicts.capability[0])
    destination = int(verdicts.destination[0])
    copies = sent_copies(
        inbound=verdicts.direction == "in",
        capability_copy=_noted(verdicts, "capability_"),
        copy=_noted(verdicts, ""),
        redirect=destination if destination not in (context.zt_dest, 0) else None,
        length=frame.length,
    )
    return {
        "result": Result(int(verdicts.result[0])).name,
        "accept": int(verdicts.accept[0]),
        "destination": f"{destination:010x}",
        "capability": None if capability < 0 else capability,
        "copies": _copies(copies),
        "qos": int(verdicts.qos[0]),
        "log": None,
    }


def _noted(verdicts: SideVerdicts, prefix: str) -> Noted | None:
    entry, target, length, watch = (
        getattr(verdicts, f"{prefix}copy_{name}")[0].item()
        for name in ("entry", "target", "length", "watch")
    )
    return None if entry < 0 else Noted(entry, target, length, watch)
