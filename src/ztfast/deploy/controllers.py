"""What both kinds of controller can do: give a network with its members, take rules.

Contract: `Deployed` is what a controller keeps, as it answered; its policy and network are read as
every other document.  `write` sends rules and `restore` what was there before; neither is believed:
who calls reads back and compares the meaning.  A controller answers 200 to broken rules, drops
entries whose type it does not know, cuts numbers, and keeps no source text; Central keeps it.
Tested by tests/deploy/test_controllers.py, against a server that is as lenient.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ztfast.deploy.http import Api, refuse
from ztfast.deploy.meaning import meaning_digest
from ztfast.deploy.target import Target
from ztfast.errors import RulesError
from ztfast.lang import compile_text, load_json
from ztfast.lang.tokens import is_blank
from ztfast.model.addresses import parse_address
from ztfast.model.entries import Json
from ztfast.model.policy import Policy
from ztfast.network.documents import Node
from ztfast.network.load import network_of_json
from ztfast.network.members import Network

_KEPT = ("rules", "capabilities", "tags")


@dataclass(frozen=True)
class Deployed:
    """A network's document and its members', as a controller gave them."""

    target: Target
    network: dict[str, Json]
    members: list[Json]

    @property
    def document(self) -> dict[str, Json]:
        """Both in one, as `ztfast.load_network` reads it."""
        return {"network": self.network, "members": self.members}

    def read_network(self) -> Network:
        """The members and settings; raises NetworkError."""
        return network_of_json(Node(self.document, str(self.target)))

    def read_policy(self) -> Policy:
        """The rules that are in force; a network without any has none and accepts nothing."""
        config = self._config
        source = self.network.get("rulesSource")
        rules = {key: config.get(key) or [] for key in _KEPT}
        names = {
            key: self.network[key]
            for key in ("capabilitiesByName", "tagsByName")
            if isinstance(self.network.get(key), dict)
        }
        try:
            made = load_json(json.dumps({"config": rules, **names}), str(self.target))
        except RulesError as error:
            refuse(str(self.target), f"the rules in force: {error.diagnostics[0].message}")
        if isinstance(source, str) and not is_blank(source):
            written = _compiled(source, str(self.target))
            if written is not None and meaning_digest(written) == meaning_digest(made):
                return written
        return made

    def restoring(self) -> dict[str, Json]:
        """The body that brings these rules back."""
        if self.target.kind == "central":
            return {"rulesSource": self.network.get("rulesSource") or ""}
        return {key: self._config.get(key) or [] for key in _KEPT}

    @property
    def _config(self) -> dict[str, Json]:
        config = self.network.get("config")
        return config if isinstance(config, dict) else self.network


def _compiled(source: str, name: str) -> Policy | None:
    try:
        return compile_text(source, name)
    except RulesError:
        return None


class Controller:
    """A network on a controller."""

    def __init__(self, target: Target, token: str, api: Api | None = None) -> None:
        self.target = target
        self._api = api if api is not None else Api(target, token)
        central = target.kind == "central"
        self._path = ("" if central else "/controller") + f"/network/{target.network}"

    def read(self) -> Deployed:
        """What is deployed now; raises DeployError."""
        network = self._api.get(self._path)
        if not isinstance(network, dict):
            refuse(str(self.target), "the answer is not a network")
        named = network.get("id") or network.get("nwid")
        if str(named).lower() != self.target.network:
            refuse(str(self.target), f"the answer is of the network {named!r:.40}")
        return Deployed(self.target, network, self._members())

    def write(self, policy: Policy, text: str | None) -> None:
        """Send rules; text: their source, which Central keeps.  Raises DeployError."""
        body = policy.to_json()
        if self.target.kind == "central":
            self._api.post(self._path, {"rulesSource": text or "", **body})
        else:
            self._api.post(self._path, body["config"])

    def restore(self, before: Deployed) -> None:
        """Send what was there before.  Raises DeployError."""
        self._api.post(self._path, before.restoring())

    def _members(self) -> list[Json]:
        """Every member's document: Central has a list, controllers one or another of two."""
        if self.target.kind == "central":
            return self._list(self._api.get(f"{self._path}/member"))
        newer = self._api.get(f"/unstable{self._path}/member", missing={})
        if isinstance(newer, dict) and isinstance(newer.get("data"), list):
            return self._list(newer["data"])
        listed = self._api.get(f"{self._path}/member")
        if not isinstance(listed, dict):  # [{address: revision}, …]
            listed = {key: 0 for one in self._list(listed) if isinstance(one, dict) for key in one}
        addresses = [address for address in listed if parse_address(address) is not None]
        return [self._api.get(f"{self._path}/member/{address}") for address in addresses]

    def _list(self, answer: Json) -> list[Json]:
        if not isinstance(answer, list):
            refuse(str(self.target), "the answer is not a list of members")
        return answer
