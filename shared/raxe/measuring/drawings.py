"""Small plots as SVG, for a page of HTML: curves, bars, strips. The same values give the same bytes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # told apart by the colour-blind too
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 64, 16, 12, 44
_INK, _GRID = "#59636e", "#e4e7eb"
_LETTER = 6.6  # width of a letter of 12 px, on average

Point = tuple[float, float]
Series = tuple[str, Sequence[Point]]


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high``; ``log`` needs both above 0."""

    label: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Where on the axis a value is, 0 to 1; values outside lie at its ends."""
        to: Callable[[float], float] = math.log10 if self.log else float
        value = min(max(value, self.low), self.high)
        width = to(self.high) - to(self.low)
        return (to(value) - to(self.low)) / width if width else 0.5

    def ticks(self) -> list[float]:
        """Round values within the axis, from three to about eight."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
            return [value for value in found if self.low <= value <= self.high]
        span = self.high - self.low
        raw = span / 5 or 1.0
        unit = 10.0 ** math.floor(math.log10(raw))
        step = next(unit * each for each in (1, 2, 5, 10) if unit * each >= raw)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def axis_over(label: str, values: Sequence[float], *, log: bool = False) -> Axis:
    """An axis that holds the values, from 0 unless it is logarithmic."""
    most = max(values, default=1.0)
    if log:
        least = min((value for value in values if value > 0), default=0.1)
        return Axis(label, least / 1.1, max(most, least) * 1.1, log=True)
    return Axis(label, 0.0, most * 1.08 or 1.0)


def colour(index: int) -> str:
    """The colour of the model at that place."""
    return COLOURS[index % len(COLOURS)]


def curves(series: Sequence[Series], x: Axis, y: Axis, *, height: int = 300) -> str:
    """A line a series, with a legend above."""
    legend = _legend([name for name, _ in series])
    frame = _Frame(x, y, height, _TOP + legend.height)
    lines = []
    for index, (_, points) in enumerate(series):
        places = " ".join(f"{_n(frame.x(a))},{_n(frame.y(b))}" for a, b in points)
        lines.append(
            f'<polyline points="{places}" fill="none" stroke="{colour(index)}" stroke-width="1.8" '
            f'stroke-linejoin="round"/>'
        )
    return _svg(height, [*legend.parts, *frame.parts(), *lines])


def bars(groups: Sequence[tuple[str, Sequence[float | None]]], names: Sequence[str], unit: str) -> str:
    """Horizontal bars in groups, a bar a name in each; a value of None has no bar but a dash."""
    legend = _legend(names)
    row, gap = 18, 12
    top = _TOP + legend.height
    height = int(top + len(groups) * (len(names) * row + gap) + 8)
    values = [value for _, group in groups for value in group if value is not None]
    left = _LEFT + 40
    scale = (_WIDTH - left - 110) / (max(values, default=1.0) or 1.0)
    parts, y = list(legend.parts), top
    for title, group in groups:
        middle = y + len(group) * row / 2
        parts.append(_text(left - 10, middle + 4, title, "end"))
        for index, value in enumerate(group):
            width = max((value or 0) * scale, 1)
            words = "-" if value is None else f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
            parts += [
                f'<rect x="{left}" y="{_n(y + 2)}" width="{_n(width)}" height="{row - 4}" fill="{colour(index)}"/>',
                _text(left + width + 6, y + row - 5, words, "start"),
            ]
            y += row
        y += gap
    return _svg(height, parts)


def strips(rows: Sequence[tuple[str, Sequence[tuple[str, Sequence[float]]]]], x: Axis) -> str:
    """For each row and kind a line of ticks, one a value; kinds have the colours of their order."""
    kinds = list(dict.fromkeys(kind for _, parts in rows for kind, _ in parts))
    legend = _legend(kinds)
    line, gap, top = 26, 30, _TOP + legend.height
    height = int(top + sum(gap + line * len(parts) for _, parts in rows) + _BOTTOM)
    frame = _Frame(x, Axis("", 0, 1), height, top)
    drawn, y = [], float(top)
    for name, parts in rows:
        drawn.append(_text(_LEFT, y + 16, name, "start"))
        y += gap - 8
        for kind, values in parts:
            ink = colour(kinds.index(kind))
            ticks = "".join(f"M{_n(frame.x(value))} {_n(y)}v{line - 8}" for value in values)
            drawn.append(f'<path d="{ticks}" stroke="{ink}" stroke-width="2" stroke-opacity=".55"/>')
            y += line
        y += 8
    return _svg(height, [*legend.parts, *frame.x_parts(), *drawn])


@dataclass(frozen=True, slots=True)
class _Legend:
    parts: tuple[str, ...]
    height: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values lie on the drawing; ``top`` is below the legend."""

    x_axis: Axis
    y_axis: Axis
    height: int
    top: float

    def x(self, value: float) -> float:
        return _LEFT + self.x_axis.place(value) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return self.height - _BOTTOM - self.y_axis.place(value) * (self.height - _BOTTOM - self.top)

    def x_parts(self) -> list[str]:
        bottom = self.height - _BOTTOM
        found = [_text((_LEFT + _WIDTH - _RIGHT) / 2, self.height - 8, self.x_axis.label, "middle")]
        for tick in self.x_axis.ticks():
            found.append(_line(self.x(tick), self.top, self.x(tick), bottom))
            found.append(_text(self.x(tick), bottom + 17, f"{tick:g}", "middle"))
        return found

    def parts(self) -> list[str]:
        middle = (self.top + self.height - _BOTTOM) / 2
        label = _text(16, middle, self.y_axis.label, "middle", f' transform="rotate(-90 16 {_n(middle)})"')
        found = [*self.x_parts(), label]
        for tick in self.y_axis.ticks():
            found.append(_line(_LEFT, self.y(tick), _WIDTH - _RIGHT, self.y(tick)))
            found.append(_text(_LEFT - 8, self.y(tick) + 4, f"{tick:g}", "end"))
        return found


def _legend(names: Sequence[str]) -> _Legend:
    """Squares with names, in as many lines as they need."""
    parts, x, y = [], float(_LEFT), 14.0
    for index, name in enumerate(names):
        width = 22 + _LETTER * len(name)
        if x > _LEFT and x + width > _WIDTH - _RIGHT:
            x, y = float(_LEFT), y + 20
        parts.append(f'<rect x="{_n(x)}" y="{_n(y - 9)}" width="10" height="10" fill="{colour(index)}"/>')
        parts.append(_text(x + 15, y, name, "start"))
        x += width + 14
    return _Legend(tuple(parts), int(y) + 8)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{_GRID}"/>'


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    place = f'x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"'
    return f'<text {place} font-size="12" fill="{_INK}"{more}>{escape(words)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" font-family="{_FONT}">'
    return "\n".join([head, *parts, "</svg>"])


_FONT = "system-ui, DejaVu Sans, sans-serif"


def _n(value: float) -> str:
    return f"{value:.1f}"
