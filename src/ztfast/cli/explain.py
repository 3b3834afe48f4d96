"""`ztfast explain`: why one frame gets its verdict.

Contract: exit 0 whatever the verdict; 1 for rules, captures or networks that are refused; 2
for a frame or option that makes no sense.  Tested by tests/cli/test_explain.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.options import seed_option, version_option
from ztfast.cli.settings import from_settings

if TYPE_CHECKING:
    from ztfast.explain.contexts import ContextResolver, Ends, FrameContexts
    from ztfast.frames.notation import FrameSpec
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network


@click.command()
@click.argument("rules", metavar="[RULES]", required=False)
@click.option("--frame", metavar="SPEC", help="The frame, as `tcp anna > files:443 syn`.")
@click.option("--capture", metavar="FILE", help="Take the frame from a capture (with --number).")
@click.option("--number", metavar="N", type=click.IntRange(1), default=1, help="Which one, from 1.")
@click.option("--network", metavar="FILE|ID", help="Members from a file, or just a network's id.")
@click.option("--from-tag", metavar="NAME=VALUE", multiple=True, help="A tag of the sender.")
@click.option("--to-tag", metavar="NAME=VALUE", multiple=True, help="A tag of the receiver.")
@click.option("--cap", metavar="NAME|ID", multiple=True, help="A capability of the sender.")
@click.option(
    "--ipauth",
    type=click.Choice(["yes", "no"]),
    help="Does the sender own its source address (default: yes, as an assumption)?",
)
@click.option(
    "--side",
    type=click.Choice(["both", "out", "in"]),
    default="both",
    show_default=True,
    help="Whose verdict: the sender's (out), the receiver's (in), or both.",
)
@version_option
@seed_option
@click.option("--brief", is_flag=True, help="Leave out sets in which nothing was true.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as a JSON object.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
def command(rules: str | None, **options: Any) -> None:
    """Say why a frame gets its verdict from RULES, entry by entry, on both sides.

    The frame is one line of text, `hex:` and an Ethernet frame's bytes, or one of a capture.
    RULES `-` is standard input; left out, those of the network. With a network the frame may
    name members and services. docs/explain.md has the notation of frames.

    \b
    Examples:
      ztfast explain rules.ztrules --frame 'tcp 10.1.1.2:5555 > 10.1.1.7:443 syn'
      ztfast explain --network net.toml --frame 'tcp anna > files:smb syn'
    """
    import json
    import sys

    from ztfast.cli.terminal import for_terminal
    from ztfast.diagnostics.render import wants_colour
    from ztfast.explain.delivery import delivery_notes
    from ztfast.explain.explain import explain
    from ztfast.explain.render import to_object, to_text
    from ztfast.sinks.text import write_text

    _check(options)
    resolver, contexts = _resolved(rules, options)
    sent = None
    if options["side"] == "both":
        sent = delivery_notes(resolver, contexts.frame, _number(options))
    found = explain(resolver, contexts, options["side"], sent)
    if options["as_json"]:
        text = json.dumps(to_object(found), indent=2) + "\n"
    else:
        colour = options["output"] is None and wants_colour(sys.stdout)
        text = for_terminal(to_text(found, options["brief"], colour), options["output"])
    read = [rules, options["network"], options["capture"]]
    write_text(options["output"], text, read)


def _check(options: dict[str, Any]) -> None:
    if (options["frame"] is None) == (options["capture"] is None):
        raise click.UsageError("give the frame: --frame SPEC, or --capture FILE --number N")
    described = [name for name in ("from_tag", "to_tag", "cap", "ipauth") if options[name]]
    if described and from_settings("network"):
        options["network"] = None  # who is described is not a member of the project's network
    if options["network"] and described:
        shown = f"--{described[0].replace('_', '-')}"
        raise click.UsageError(f"--network says who the members are: leave out {shown}")


def _resolved(rules: str | None, options: dict[str, Any]) -> tuple[ContextResolver, FrameContexts]:
    """The resolver, and the frame with its circumstances."""
    from ztfast.cli.inputs import note_engine, read_rules
    from ztfast.explain.contexts import ContextResolver, with_member_macs

    policy, network = read_rules(rules, options["network"])
    spec = _frame_spec(options, network)
    number = _number(options)
    note_engine(policy, options["engine"])
    resolver = ContextResolver(
        policy, network, options["engine"], options["ipauth"] != "no", options["seed"]
    )
    if network is not None:
        return resolver, resolver.contexts(with_member_macs(spec, network), number)
    return resolver, resolver.described_contexts(spec, _ends(policy, spec, options), number)


def _number(options: dict[str, Any]) -> int:
    """The frame's number in its input, from 0: it keys random draws."""
    return 0 if options["frame"] is not None else int(options["number"]) - 1


def _frame_spec(options: dict[str, Any], network: Network | None) -> FrameSpec:
    """The frame, from its text or a capture."""
    from ztfast.errors import FrameError, UsageError
    from ztfast.frames.headers import ip_ends
    from ztfast.frames.notation import FrameSpec, parse_frame
    from ztfast.network.names import MemberNames
    from ztfast.pipeline.read import captured_frame

    if options["frame"] is None:
        frame = captured_frame(options["capture"], options["number"])
        return FrameSpec("", frame, None, None, *ip_ends(frame))
    try:
        return parse_frame(options["frame"], None if network is None else MemberNames(network))
    except FrameError as error:
        raise UsageError(*error.diagnostics) from None


def _ends(policy: Policy, spec: FrameSpec, options: dict[str, Any]) -> Ends:
    """The two ends as the options describe them."""
    from ztfast.cli.inputs import read_capabilities, read_tags
    from ztfast.explain.contexts import Ends, described_member

    from_tags = read_tags(policy, "--from-tag", options["from_tag"])
    to_tags = read_tags(policy, "--to-tag", options["to_tag"])
    capabilities = read_capabilities(policy, "--cap", options["cap"])
    sender = receiver = None
    if from_tags or capabilities or options["ipauth"]:
        owns = options["ipauth"] != "no"
        sender = described_member(spec, True, from_tags, capabilities, owns)
    if to_tags:
        receiver = described_member(spec, False, to_tags)
    return Ends(sender, receiver)
