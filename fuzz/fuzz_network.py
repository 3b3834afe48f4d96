"""Networks, JSON or TOML by their first byte: an error with a place, or an engine with members."""

from __future__ import annotations

from fuzz.checks import refused, same_verdicts, scratch
from ztfast.errors import NetworkError, RulesError
from ztfast.lang import compile_text
from ztfast.network.load import load_network

_POLICY = compile_text(
    "tag team id 1 default 0 enum 1 one enum 2 two;\n"
    "cap more id 5 accept dport 80; ;\n"
    "drop not chr ipauth and not ethertype arp; accept tdiff team 0; accept teq team 2;\n"
    "tee 9 1111111111; break tseq team 1; accept ztsrc 1111111111; drop;"
)


def one(data: bytes) -> None:
    """Read a network, then judge frames in it by rules of ours and by its own."""
    try:
        network = load_network(scratch(data, "network"))
    except (NetworkError, RulesError) as error:
        refused(error)
        return
    same_verdicts(_POLICY, network=network)
    if network.policy is not None:
        same_verdicts(network.policy, network=network)
