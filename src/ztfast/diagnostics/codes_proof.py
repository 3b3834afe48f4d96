"""The entries of `diagnostics.codes` for what the analysis proves.

Contract: data only.  Tested by tests/diagnostics/test_codes.py and tests/proof/test_findings.py.
"""

from __future__ import annotations

from ztfast.diagnostics.code import Code

ANALYSIS: tuple[Code, ...] = (
    Code(
        "ZT201",
        "an action that is never reached",
        "No frame gets this action: what stands before it has decided all its frames (the"
        " finding names those entries), or its own matches contradict each other. Proved for"
        " every frame, member and tag, on both sides of the network.",
    ),
    Code(
        "ZT202",
        "a match that is always true",
        "Wherever evaluation comes to this match it is true, so it narrows nothing down. In"
        " a capability only matches are named that would narrow nothing whatever the base rules"
        " leave.",
    ),
    Code(
        "ZT203",
        "a match that is always false",
        "Wherever evaluation comes to this match it is false: the value is impossible, or what"
        " stands before it has taken all frames that could meet it. `dport 80 and dport 443` asks"
        " one frame for two ports: alternatives are joined by `or`.",
    ),
    Code(
        "ZT204",
        "a tee or watch that never sends",
        "Copies are sent only where the frame is accepted in the end, and a later tee or watch"
        " replaces an earlier one. No frame makes this one send.",
    ),
    Code(
        "ZT205",
        "a capability that grants nothing",
        "A capability is asked only where the base rules come to their end or to `break`. No"
        " frame is accepted because of this one.",
    ),
    Code(
        "ZT206",
        "a capability that grants everything",
        "Whoever holds this capability gets every frame through that the base rules leave open.",
    ),
    Code(
        "ZT207",
        "nothing is accepted",
        "There are accepting actions, and yet no frame passes one side of the network.",
    ),
    Code(
        "ZT208",
        "replies that cannot come back",
        "Rules keep no state of connections: the first packet of a TCP connection is accepted"
        " here, and the packet that answers it is dropped. Accept answers too, for example all"
        " TCP packets with ACK set.",
    ),
    Code(
        "ZT209",
        "the analysis ran out of time",
        "The time limit came before all was proved. Nothing is claimed about what was left"
        " open; everything that was reported is proved.",
    ),
    Code(
        "ZT210",
        "address resolution that never arrives",
        "Members find each other's MAC by ARP (IPv4) or neighbour discovery (IPv6). Where the rules"
        " accept IP and never those, no conversation begins: the commonest reason why nobody can"
        " talk. Accept them before the other rules.",
    ),
    Code(
        "ZT211",
        "a `break` that takes ARP requests",
        "A sender asks everybody at once, so it knows no receiver's tags. A match of both sides'"
        " tags, or of the receiver's, then counts as true on ZeroTier 1.14. A `drop` behind it is"
        " passed over, a `break` is not: the request ends there, and the members that it is about"
        " cannot be found. Accept ARP and neighbour solicitations before it.",
    ),
    Code(
        "ZT212",
        "answers of UDP that cannot come back",
        "As ZT208, of UDP: a packet from a client's port is accepted here and the one that answers"
        " it is dropped. Not said of ports that nobody answers from (syslog, SNMP traps, NetFlow)"
        " or that both ends use (NTP, IKE). Programs on ports from 1024 on often talk from one port"
        " to the same: a rule by which those get answers is not named.",
    ),
    Code(
        "ZT213",
        "copies that never arrive",
        "The member that a tee or watch sends to judges what it gets by the same rules, as the"
        " receiver. It takes a copy at the tee itself, if it comes there and the matches hold. One"
        " that was cut so far that they do not, or that another rule stops first, is refused. The"
        " copies of the frame's sender are meant, or of its receiver where the sender sends none,"
        " of frames with ordinary headers; `ztfast deliver` shows all. A receiver does not own the"
        " address that a frame of IPv4 comes from: behind `drop not chr ipauth` its copies are"
        " lost.",
    ),
    Code(
        "ZT214",
        "copies that never end",
        "A member that gets a copy judges it by the same rules, and sends copies of its own. Here"
        " targets of tees send one frame to each other in a ring, for ever, and the network soon"
        " carries nothing else. Rings of three or four targets are found.",
    ),
    Code(
        "ZT215",
        "copies that depend on their target's tags",
        "The member that a tee or watch sends to judges what it gets by the same rules, with tags"
        " of its own. A rule before the tee that asks for the receiver's tags, as `drop not tdiff"
        " department 0`, then stops copies of frames between others that it lets pass: a sensor"
        " sees its own department. Put the tee before such rules.",
    ),
    Code(
        "ZT290",
        "the solver is not installed",
        "The analysis needs z3-solver: `pip install 'ztfast[analysis]'`.",
    ),
    Code(
        "ZT291",
        "a claim that its witness does not confirm",
        "A frame that was to show a claim was judged differently by an evaluator. Nothing is"
        " claimed then; it is a fault of ztfast: please report it with the rules.",
    ),
    Code(
        "ZT292",
        "a revision that cannot be read",
        "`git:REVISION:PATH` names a revision or a file that git does not know.",
    ),
    Code(
        "ZT293",
        "a search that cannot be read",
        "`--where` takes matches of the rules language, as `ipprotocol tcp and dport 22`;"
        " `--verdict` takes accept, drop, redirect[:ADDRESS], tee[:ADDRESS] or watch[:ADDRESS];"
        " `--from-tag` and `--to-tag` take NAME=VALUE.",
    ),
)
