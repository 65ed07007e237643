"""The picture: seconds against images, both axes logarithmic, for light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.cells import SIZES, Cell, Contender, Scenario, StackShape
from bench.statistics import seconds
from bench.targets import Results

LATENCY = 50
_WIDTH, _HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 190, 40, 48
_SECONDS = (0.1, 1_000.0)
# Readable on white and on black, and distinct without red and green: Okabe and Ito's palette.
_COLORS = {
    Contender.EMPTY: "#999999",
    Contender.NAIVE: "#d55e00",
    Contender.LAYERGUARD: "#0072b2",
    Contender.AWS_CLI: "#e69f00",
    Contender.CRANE: "#cc79a7",
}
_STYLE = (
    "text{font:12px sans-serif;fill:#444}.grid{stroke:#888;stroke-opacity:.3}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """The medians of one contender: images and seconds."""

    contender: Contender
    points: tuple[tuple[int, float], ...]


def curves(results: Results) -> tuple[Curve, ...]:
    """Return a curve for each contender that was measured at two sizes or more."""
    found = []
    for contender in Contender:
        outside = contender in (Contender.AWS_CLI, Contender.CRANE)
        scenario = Scenario.LOOP if outside else Scenario.ANALYZE
        cells = [Cell(scenario, StackShape.of(size), LATENCY, contender) for size in SIZES]
        points = [
            (cell.stack.images, seconds(results[cell]).median) for cell in cells if cell in results
        ]
        if len(points) > 1:
            found.append(Curve(contender, tuple(points)))
    return tuple(found)


def plot(results: Results) -> str:
    """Return the picture as SVG."""
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f"<title>Seconds against images, at {LATENCY} ms a round trip</title>",
            f"<style>{_STYLE}</style>",
            *_axes(),
            *_lines(curves(results)),
            "</svg>",
            "",
        )
    )


def _axes() -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for size in SIZES:
        x = _x(size)
        yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>'
    lowest, highest = (round(math.log10(each)) for each in _SECONDS)
    for power in range(lowest, highest + 1):
        y = _y(10.0**power)
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
        label = f"{10.0**power:,g} s"
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    middle = (_LEFT + right) / 2
    yield f'<text x="{middle:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">images</text>'
    caption = f"pulumi policy analyze, or a loop of commands; {LATENCY} ms a round trip"
    yield f'<text x="{_LEFT}" y="{_TOP - 16}">{caption}</text>'


def _lines(drawn: tuple[Curve, ...]) -> Iterator[str]:
    lowest_label = float("inf")
    for curve in sorted(drawn, key=lambda each: _y(each.points[-1][1]), reverse=True):
        color = _COLORS[curve.contender]
        path = " ".join(f"{_x(size):.1f},{_y(took):.1f}" for size, took in curve.points)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        for size, took in curve.points:
            yield f'<circle cx="{_x(size):.1f}" cy="{_y(took):.1f}" r="3.5" fill="{color}"/>'
        size, took = curve.points[-1]
        # Labels stand in one column, each above the one before.
        y = lowest_label = min(_y(took) + 4, lowest_label - 16)
        x = _WIDTH - _RIGHT + 12
        yield (
            f'<text x="{x}" y="{y:.1f}" style="fill:{color}">'
            f"{curve.contender.value}: {took:,.1f} s at {size:,}</text>"
        )


def _x(size: int) -> float:
    share = math.log10(size / SIZES[0]) / math.log10(SIZES[-1] / SIZES[0])
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(took: float) -> float:
    lowest, highest = _SECONDS
    share = math.log10(took / lowest) / math.log10(highest / lowest)
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
