"""`ztfast search`: a frame that gets a verdict, or proof that there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ztfast.proof.search import SearchResult


@click.command()
@click.argument("rules", metavar="RULES")
@click.option(
    "--verdict",
    required=True,
    metavar="VERDICT",
    help="accept, drop, redirect[:ADDRESS], tee[:ADDRESS] or watch[:ADDRESS].",
)
@click.option("--where", default="", metavar="MATCHES", help="Matches of the rules language.")
@click.option(
    "--side",
    type=click.Choice(["both", "out", "in"]),
    default="both",
    show_default=True,
    help="Whose verdict: the sender's (out), the receiver's (in), or both.",
)
@click.option("--from-tag", multiple=True, metavar="NAME=VALUE", help="A tag of the sender.")
@click.option("--to-tag", multiple=True, metavar="NAME=VALUE", help="A tag of the receiver.")
@click.option(
    "--engine",
    type=click.Choice(["1.14", "1.12"]),
    default="1.14",
    show_default=True,
    help="The ZeroTier version whose behaviour counts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--time-limit", type=click.FloatRange(0.1), default=30.0, show_default=True, metavar="SECONDS"
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(ctx: click.Context, /, rules: str, **options: Any) -> None:
    """Find a frame that gets a verdict by RULES (`-`: standard input), or prove there is none.

    Exit status: 0 a frame was found, 1 there is none (or no time for the proof), 2 usage.

    \b
    Example: ztfast search rules.ztrules --verdict accept --from-tag role=guest \\
                 --where 'ipprotocol tcp and dport 22 and ipdest 10.1.1.7/32'
    """
    from ztfast.lang import load
    from ztfast.proof.search import SearchQuery, search
    from ztfast.sinks.text import write_text

    query = SearchQuery(
        options["verdict"],
        options["where"],
        options["side"],
        options["engine"],
        options["from_tag"],
        options["to_tag"],
    )
    result = search(load(rules), query, options["time_limit"])
    found = _json(result) if options["as_json"] else _text(result, query.verdict)
    write_text(options["output"], found)
    ctx.exit(0 if result is not None else 1)


def _text(result: SearchResult | None, verdict: str) -> str:
    if result is None:
        return f"no frame gets `{verdict}`: proved for every frame, member and draw asked for\n"
    from ztfast.diagnostics.render import harmless
    from ztfast.frames.text import frame_text

    lines = [f"{frame_text(result.frame)}: {result.verdict}"]
    if result.circumstances:
        lines.append(f"  where: {result.circumstances}")
    frame = hex_text(result.frame)
    lines += [
        f"  --frame '{frame} vlan {result.frame.vlan}'"
        if result.frame.vlan
        else f"  --frame {frame}"
    ]
    return "\n".join(harmless(line, keep="") for line in lines) + "\n"


def hex_text(frame: Any) -> str:
    """The frame with its Ethernet header, in hex as `ztfast explain --frame` takes it."""
    from ztfast.frames.build import ethernet_bytes

    return "hex:" + ethernet_bytes(frame).hex()


def witness_json(frame: Any, circumstances: str) -> dict[str, Any]:
    """A witness for other programs."""
    from ztfast.frames.text import frame_text

    return {
        "text": frame_text(frame),
        "hex": hex_text(frame),
        "vlan": frame.vlan,
        "circumstances": circumstances,
    }


def _json(result: SearchResult | None) -> str:
    found: dict[str, Any] = {"found": result is not None, "proved": result is None}
    if result is not None:
        found["witness"] = witness_json(result.frame, result.circumstances)
        found["verdict"] = str(result.verdict.verdict)
        found["by"] = result.verdict.by
    return json.dumps(found, indent=2) + "\n"
