"""The differences to plain upvotes as a small SVG: a dot for the mean, a line for its 95 % interval."""

from collections.abc import Mapping, Sequence

from benchmarks.trending.figures import FIGURES, Comparison

LEFT, WIDTH, ROW = 250, 640, 26
REACH = 0.1  # the scale ends here on both sides
COLOURS = ("#8a8a8a", "#0b5cad")


def draw(found: Mapping[str, Sequence[Comparison]]) -> str:
    """One row for each figure and half."""
    rows = [(half, line, COLOURS[n % 2]) for n, (half, lines) in enumerate(found.items()) for line in lines]
    rows.sort(key=lambda row: FIGURES.index(row[1].figure))
    bottom = 20 + ROW * len(rows)
    body = [_mark(half, line, colour, 20 + ROW * n) for n, (half, line, colour) in enumerate(rows)]
    scale = [
        f'<line x1="{_x(at):.0f}" x2="{_x(at):.0f}" y1="10" y2="{bottom}" stroke="{"#333" if at == 0 else "#ddd"}"/>'
        f'<text x="{_x(at):.0f}" y="{bottom + 16}" text-anchor="middle">{at:+.2f}</text>'
        for at in (-0.1, -0.05, 0.0, 0.05, 0.1)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 44}" font-family="sans-serif" '
        f'font-size="13" role="img"><title>Difference to plain upvotes, with 95 % intervals</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(scale)}{"".join(body)}'
        f'<text x="{_x(0):.0f}" y="{bottom + 36}" text-anchor="middle">difference to plain upvotes</text></svg>\n'
    )


def _x(value: float) -> float:
    middle, half = (LEFT + WIDTH - 30) / 2, (WIDTH - 30 - LEFT) / 2
    return middle + half * max(min(value / REACH, 1.0), -1.0)


def _mark(half: str, line: Comparison, colour: str, y: int) -> str:
    return (
        f'<text x="8" y="{y + 12}">{line.figure}, {half}</text>'
        f'<line x1="{_x(line.low):.1f}" x2="{_x(line.high):.1f}" y1="{y + 8}" y2="{y + 8}" stroke="{colour}" '
        f'stroke-width="3"/><circle cx="{_x(line.difference):.1f}" cy="{y + 8}" r="5" fill="{colour}"/>'
    )
