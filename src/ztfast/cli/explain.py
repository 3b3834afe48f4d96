"""`ztfast explain`: why one frame gets its verdict.

Contract: exit 0 whatever the verdict; 1 for rules, captures or networks that are refused; 2
for a frame or option that makes no sense.  Tested by tests/cli/test_explain.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ztfast.explain.contexts import ContextResolver, Ends, FrameContexts
    from ztfast.frames.notation import FrameSpec
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network


@click.command()
@click.argument("rules", metavar="RULES")
@click.option("--frame", metavar="SPEC", help="The frame, as `tcp 10.1.1.2 > 10.1.1.7:443 syn`.")
@click.option("--capture", metavar="FILE", help="Take the frame from a capture (with --number).")
@click.option("--number", metavar="N", type=click.IntRange(1), default=1, help="Which one, from 1.")
@click.option("--network", metavar="FILE|ID", help="Members from a file, or just a network's id.")
@click.option("--from-tag", metavar="NAME=VALUE", multiple=True, help="A tag of the sender.")
@click.option("--to-tag", metavar="NAME=VALUE", multiple=True, help="A tag of the receiver.")
@click.option("--cap", metavar="NAME|ID", multiple=True, help="A capability of the sender.")
@click.option(
    "--ipauth",
    type=click.Choice(["yes", "no"]),
    help="Was the sender given the address it sends from (default: yes, as an assumption)?",
)
@click.option(
    "--side",
    type=click.Choice(["both", "out", "in"]),
    default="both",
    show_default=True,
    help="Whose verdict: the sender's (out), the receiver's (in), or both.",
)
@click.option(
    "--engine",
    type=click.Choice(["1.14", "1.12"]),
    default="1.14",
    show_default=True,
    help="The ZeroTier version whose behaviour counts.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Keys `random` matches.")
@click.option("--brief", is_flag=True, help="Only sets with a true match, or taken.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as a JSON object.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
def command(rules: str, **options: Any) -> None:
    """Say why a frame gets its verdict from RULES, entry by entry, on both sides.

    The frame is one line of text, `hex:` and an Ethernet frame's bytes, or one of a capture.
    RULES `-` is standard input. docs/explain.md has the notation of frames.

    \b
    Example: ztfast explain rules.ztrules --frame 'tcp 10.1.1.2:5555 > 10.1.1.7:443 syn'
    """
    import json
    import sys

    from ztfast.explain.explain import explain
    from ztfast.explain.render import to_object, to_text
    from ztfast.sinks.text import write_text

    _check(options)
    resolver, contexts = _staged(rules, options)
    found = explain(resolver, contexts, options["side"])
    if options["as_json"]:
        text = json.dumps(to_object(found), indent=2) + "\n"
    else:
        colour = options["output"] is None and sys.stdout.isatty()
        text = to_text(found, options["brief"], colour)
    write_text(options["output"], text)


def _check(options: dict[str, Any]) -> None:
    if (options["frame"] is None) == (options["capture"] is None):
        raise click.UsageError("give the frame: --frame SPEC, or --capture FILE --number N")
    described = [name for name in ("from_tag", "to_tag", "cap", "ipauth") if options[name]]
    if options["network"] and described:
        shown = f"--{described[0].replace('_', '-')}"
        raise click.UsageError(f"--network says who the members are: leave out {shown}")


def _staged(rules: str, options: dict[str, Any]) -> tuple[ContextResolver, FrameContexts]:
    """The resolver, and the frame with its circumstances."""
    from ztfast.errors import FrameError, UsageError
    from ztfast.explain.contexts import ContextResolver, placed
    from ztfast.frames.headers import ip_ends
    from ztfast.frames.notation import FrameSpec, parse_frame
    from ztfast.lang import load

    if options["frame"] is not None:
        try:
            spec = parse_frame(options["frame"])
        except FrameError as error:
            raise UsageError(*error.diagnostics) from None
        number = 0
    else:
        number = options["number"] - 1
        frame = _captured(options["capture"], options["number"])
        spec = FrameSpec("", frame, None, None, *ip_ends(frame))
    policy = load(rules)
    network = _network(options["network"])
    resolver = ContextResolver(
        policy, network, options["engine"], options["ipauth"] != "no", options["seed"]
    )
    if network is not None:
        return resolver, resolver.contexts(placed(spec, network), number)
    return resolver, resolver.described_contexts(spec, _ends(policy, spec, options), number)


def _captured(name: str, number: int) -> Any:
    """Frame `number` (from 1) of a capture, as a Frame."""
    from ztfast.capture import open_capture
    from ztfast.errors import CaptureError, Diagnostic
    from ztfast.frames.batch import FrameBatch

    count = 0
    with open_capture(name, limit=number) as packets:
        for batch in packets:
            if count + len(batch) >= number:
                return FrameBatch.from_packets(batch).frame(number - count - 1)
            count += len(batch)
    text = f"has {count} frames, so there is no frame {number}"
    raise CaptureError(Diagnostic("ZT415", text, path=name, help="frames count from 1"))


def _network(text: str | None) -> Network | None:
    from ztfast.model.addresses import parse_network_id
    from ztfast.network.load import load_network
    from ztfast.network.members import Network

    if text is None:
        return None
    number = parse_network_id(text)
    return load_network(text) if number is None else Network(id=number)


def _ends(policy: Policy, spec: FrameSpec, options: dict[str, Any]) -> Ends:
    """The two ends as the options describe them."""
    from ztfast.explain.contexts import Ends, described_member

    from_tags = _tags(policy, "--from-tag", options["from_tag"])
    to_tags = _tags(policy, "--to-tag", options["to_tag"])
    capabilities = _capabilities(policy, options["cap"])
    sender = receiver = None
    if from_tags or capabilities or options["ipauth"]:
        owns = options["ipauth"] != "no"
        sender = described_member(spec, True, from_tags, capabilities, owns)
    if to_tags:
        receiver = described_member(spec, False, to_tags)
    return Ends(sender, receiver)


def _tags(policy: Policy, option: str, given: tuple[str, ...]) -> dict[int, int]:
    from ztfast.errors import NetworkError, UsageError, usage
    from ztfast.network.documents import Node
    from ztfast.network.toml import RuleNames

    values: dict[str, int | str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise usage(f"{option} {text[:60]!r} is not NAME=VALUE", f"as: {option} team=sales")
        if name in values:
            raise usage(f"{option} gives {name[:60]!r} twice", "leave one of them out")
        values[name] = int(value) if value.isascii() and value.isdigit() else value
    try:
        return RuleNames(policy).tags(Node(values, option))
    except NetworkError as error:
        raise UsageError(*error.diagnostics) from None


def _capabilities(policy: Policy, given: tuple[str, ...]) -> frozenset[int]:
    from ztfast.errors import NetworkError, UsageError
    from ztfast.network.documents import Node
    from ztfast.network.toml import RuleNames

    values = [int(text) if text.isascii() and text.isdigit() else text for text in given]
    try:
        return frozenset(RuleNames(policy).capabilities(Node(values, "--cap")))
    except NetworkError as error:
        raise UsageError(*error.diagnostics) from None
