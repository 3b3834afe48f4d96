"""One frame as the rules see it: header fields and the payload behind the ethertype.

Contract: a plain value for the reference evaluator, explanations and witnesses; the
native path never makes one.  `unknown` says which header fields were not captured.
"""

from __future__ import annotations

from typing import NamedTuple

from ztfast.model.reads import Reads


class Frame(NamedTuple):
    """A frame: `payload` is what was captured, `length` what the payload really had (bytes).

    `mac_source` and `mac_dest` are 48-bit integers.  `unknown` is a set of
    `Reads.ETHERTYPE`, `MAC_DEST`, `MAC_SOURCE` for fields that existed but were not captured.
    """

    payload: bytes
    length: int
    ethertype: int
    vlan: int = 0
    mac_source: int = 0
    mac_dest: int = 0
    unknown: Reads = Reads(0)
