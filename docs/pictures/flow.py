"""`python -m docs.pictures.flow`: from rules, members and frames to answers, as an SVG.

Contract: prints docs/pictures/flow.svg.  400 units wide, so that its letters are read on a
telephone; it has its own background, light or dark as the reader's system is, and loads nothing.
Tested by tests/docs/test_pictures.py.
"""

from __future__ import annotations

WIDTH, HEIGHT = 400, 352
EDGE, GAP, BOX = 10, 10, 120  # three boxes a row

STYLE = """
.page { fill: #ffffff; stroke: #c9d1d9 } .box { fill: #eef6f3; stroke: #1f6f5c }
.core { fill: #1f6f5c } .inner { fill: #17574a }
text { fill: #1b1f24; font: 11.5px system-ui, sans-serif; text-anchor: middle }
.name { font-weight: 600; font-size: 13px } .light { fill: #ffffff }
path { fill: none; stroke: #57606a; stroke-width: 1.5 } .tip { fill: #57606a; stroke: none }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; stroke: #30363d } .box { fill: #12261f; stroke: #3fa58a }
  text { fill: #e6edf3 } path { stroke: #9da7b1 } .tip { fill: #9da7b1; stroke: none }
}
""".strip()

# name, two lines below it
Box = tuple[str, str, str]
GIVEN: tuple[Box, ...] = (
    ("Rules", "your text, or", "a controller's JSON"),
    ("Members", "who is who,", "JSON or TOML"),
    ("Frames", "a capture, a pipe,", "a live interface"),
)
ANSWERS: tuple[Box, ...] = (
    ("Changes", "who gains or loses:", "reach, diff, test"),
    ("Complaints", "which line did it:", "explain, filter"),
    ("Sensors", "just their frames:", "filter, tap"),
)
ABOUT = "Rules, members and frames go in; answers to changes, complaints and sensors come out"


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """A centred line."""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{words}</text>'


def rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A box with round corners."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{kind}"/>'
    )


def row(y: float, boxes: tuple[Box, ...]) -> list[str]:
    """Three boxes beside each other."""
    drawn = []
    for number, (name, *lines) in enumerate(boxes):
        x = middle(number)
        drawn += [rect(x - BOX / 2, y, BOX, 68, "box"), text(x, y + 21, name, "name")]
        drawn += [text(x, y + 40 + 16 * at, line) for at, line in enumerate(lines)]
    return drawn


def middle(number: int) -> float:
    """Where a row's box has its middle."""
    return EDGE + BOX / 2 + number * (BOX + GAP)


def down(x: float, y: float, length: float) -> list[str]:
    """An arrow that points down."""
    end = y + length
    tip = f"M{x:g} {end:g}l-5 -8h10z"
    return [f'<path d="M{x:g} {y:g}V{end - 7:g}"/>', f'<path class="tip" d="{tip}"/>']


def engine(y: float) -> list[str]:
    """What is done with them: both sides' rules, one after the other."""
    across = f"M184 {y + 54:g}h24"
    return [
        rect(EDGE, y, WIDTH - 2 * EDGE, 104, "core"),
        text(WIDTH / 2, y + 22, "What your network would do with each frame", "name light"),
        rect(34, y + 36, 150, 36, "inner"),
        text(109, y + 58, "the sender's rules", "light"),
        f'<path d="{across}" style="stroke: #ffffff"/>',
        f'<path class="tip" d="M216 {y + 54:g}l-8 -5v10z" style="fill: #ffffff"/>',
        rect(216, y + 36, 150, 36, "inner"),
        text(291, y + 58, "the receiver's rules", "light"),
        text(WIDTH / 2, y + 92, "tags, capabilities, addresses; tee, watch, redirect", "light"),
    ]


def picture() -> str:
    """The SVG, whole."""
    columns = [middle(number) for number in range(3)]
    parts = [rect(0.5, 0.5, WIDTH - 1, HEIGHT - 1, "page"), *row(12, GIVEN)]
    for x in columns:
        parts += down(x, 82, 26)
    parts += engine(110)
    for x in columns:
        parts += down(x, 216, 26)
    parts += row(244, ANSWERS)
    parts.append(
        text(WIDTH / 2, 335, "No network, controller or root needed; tap alone needs root.")
    )
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="560"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join(
        [head, f"<title>{ABOUT}</title>", f"<style>{STYLE}</style>", *parts, "</svg>\n"]
    )


if __name__ == "__main__":
    print(picture(), end="")
