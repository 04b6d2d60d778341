"""I/O latency over time, as text for a terminal and as SVG.

A curve is what the slowest I/O of a moment had been waiting: the latency of what completed, and the
age of what was still in flight. Both axes are the same for every curve of a chart; time 0 is the
pull of the cable.
"""

import html
import math

DECADES = (-3, 2)  # 1 ms to 100 s
TICKS = {-3: "1 ms", -2: "10 ms", -1: "100 ms", 0: "1 s", 1: "10 s", 2: "100 s"}


class Curve:
    """One observation's latency, beside the pull and the plug that it saw."""

    def __init__(self, name, result, pulled, plugged):
        self.name = name
        self.plugged = plugged - pulled
        width = result["bucket_ms"] / 1000
        begin = result["start"] - pulled
        values = [us / 1e6 if count else None for us, count in result["series"]]
        for io in result["slow"]:
            started = io["start"] - result["start"]
            first = int(started / width)
            for n in range(first, min(int((started + io["took"]) / width) + 1, len(values))):
                age = min(io["took"], max(0.0, (n + 1) * width - started))
                values[n] = max(values[n] or 0.0, age)
        self.points = [(begin + (n + 0.5) * width, max(v, 0.001))
                       for n, v in enumerate(values) if v is not None]

    def end(self):
        return self.points[-1][0] if self.points else self.plugged


def _span(curves):
    return -3.0, max(max(c.plugged for c in curves) + 5, min(max(c.end() for c in curves),
                                                              2.0 * curves[0].plugged + 15))


def _height(value):
    """0 at the bottom of the scale, 1 at its top."""
    low, high = DECADES
    return min(1.0, max(0.0, (math.log10(value) - low) / (high - low)))


# ---- terminal ----

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # braille, row by column


class _Braille:
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[0] * columns for _ in range(rows)]

    def dot(self, x, y):
        """x to the right, y upwards, in dots."""
        if 0 <= x < self.columns * 2 and 0 <= y < self.rows * 4:
            down = self.rows * 4 - 1 - y
            self.cells[down // 4][x // 2] |= DOTS[down % 4][x % 2]

    def lines(self):
        return ["".join(chr(0x2800 + cell) if cell else " " for cell in row) for row in self.cells]


def _axis(columns, begin, end, curve):
    """The two lines below a panel: ticks with the pull and the plug, and the seconds."""
    def column(t):
        return min(columns - 1, max(0, int((t - begin) / (end - begin) * columns)))
    step = next(s for s in (5, 10, 15, 20, 30, 60, 120, 300, 600) if (end - begin) / s <= 10)
    ruler, words = ["─"] * columns, [" "] * (columns + 12)
    t = 0
    while t < end:
        ruler[column(t)] = "┬"
        words[column(t):column(t) + len(f"{t} s")] = f"{t} s"
        t += step
    ruler[column(0)], ruler[column(curve.plugged)] = "▼", "▲"
    return "".join(ruler), "".join(words)[:columns + 6].rstrip()


def terminal(title, curves, columns=80, rows=10, colour=False):
    """A panel for each curve, one above the other, as a list of lines."""
    begin, end = _span(curves)
    lines = [title]
    paints = ("\033[32m", "\033[31m", "\033[33m") if colour else ("", "", "")
    reset = "\033[0m" if colour else ""
    for curve, paint in zip(curves, paints):
        canvas = _Braille(columns, rows)
        before = None
        for t, value in curve.points:
            x = int((t - begin) / (end - begin) * columns * 2)
            y = round(_height(value) * (rows * 4 - 1))
            low, high = (y, y) if before is None or before[0] < x - 2 else sorted((before[1], y))
            for dot in range(low, high + 1):
                canvas.dot(x, dot)
            before = x, y
        low, high = DECADES
        labels = {rows - 1 - round((d - low) / (high - low) * (rows - 1)): TICKS[d] for d in TICKS}
        lines.append(f"{'':>7}  {paint}{curve.name}{reset}")
        for number, text in enumerate(canvas.lines()):
            lines.append(f"{labels.get(number, ''):>7} ┤{paint}{text}{reset}")
        ruler, words = _axis(columns, begin, end, curve)
        lines += [f"{'':>7} └{ruler}", f"{'':>7}  {words}"]
    lines.append(f"{'':>7}  ▼ cable pulled   ▲ cable put back   (longest wait of any I/O, log scale)")
    return lines


# ---- SVG ----

COLOURS = ("#1b7f4b", "#c0392b", "#b9770e")
WIDTH, CHART_HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 340, 78, 24, 62, 56


def _path(curve, end, x, y):
    parts, before = [], None
    for t, value in curve.points:
        if t > end:
            break
        verb = "M" if before is None or t - before > 0.5 else "L"
        parts.append(f"{verb}{x(t):.1f} {y(value):.1f}")
        before = t
    return "".join(parts)


def _chart(title, curves, top):
    begin, end = _span(curves)
    bottom, right = top + CHART_HEIGHT - BOTTOM, WIDTH - RIGHT
    inner = bottom - top - TOP

    def x(t):
        return LEFT + (min(max(t, begin), end) - begin) / (end - begin) * (right - LEFT)

    def y(value):
        return bottom - _height(value) * inner

    plugged = curves[0].plugged
    out = [f'<text x="{LEFT}" y="{top + 22}" class="title">{html.escape(title)}</text>',
           f'<rect x="{x(0):.1f}" y="{top + TOP}" width="{x(plugged) - x(0):.1f}" '
           f'height="{inner}" class="out"/>']
    for decade, text in TICKS.items():
        at = y(10.0 ** decade)
        out.append(f'<path d="M{LEFT} {at:.1f}H{right}" class="grid"/>'
                   f'<text x="{LEFT - 8}" y="{at + 4:.1f}" class="tick" text-anchor="end">{text}'
                   '</text>')
    step = next(s for s in (5, 10, 20, 30, 60, 120, 300, 600) if (end - begin) / s <= 12)
    for t in range(0, int(end) + 1, step):
        out.append(f'<path d="M{x(t):.1f} {bottom}v5" class="axis"/><text x="{x(t):.1f}" '
                   f'y="{bottom + 19}" class="tick" text-anchor="middle">{t}</text>')
    for t, text, anchor, shift in ((0, "cable pulled", "start", 5), (plugged, "put back", "start", 5)):
        out.append(f'<path d="M{x(t):.1f} {top + TOP - 8}V{bottom}" class="mark"/><text '
                   f'x="{x(t) + shift:.1f}" y="{top + TOP - 3}" class="tick" '
                   f'text-anchor="{anchor}">{text}</text>')
    for curve, colour in reversed(list(zip(curves, COLOURS))):
        out.append(f'<path d="{_path(curve, end, x, y)}" fill="none" stroke="{colour}" '
                   'stroke-width="1.4" stroke-linejoin="round"/>')
    out.append(f'<path d="M{LEFT} {top + TOP}V{bottom}H{right}" class="axis"/>'
               f'<text x="{(LEFT + right) / 2:.0f}" y="{bottom + 40}" class="tick" '
               'text-anchor="middle">seconds since the cable was pulled</text>'
               f'<text transform="translate(18 {(top + TOP + bottom) / 2:.0f}) rotate(-90)" '
               'class="tick" text-anchor="middle">longest wait of any I/O</text>')
    at = right
    for curve, colour in reversed(list(zip(curves, COLOURS))):
        at -= 8 * len(curve.name) + 34
        out.append(f'<path d="M{at} {top + 18}h22" stroke="{colour}" stroke-width="3"/>'
                   f'<text x="{at + 28}" y="{top + 22}" class="tick">{html.escape(curve.name)}'
                   '</text>')
    return "\n".join(out)


def svg(charts):
    """charts: [(title, [Curve, ...]), ...], one below the other."""
    height = len(charts) * CHART_HEIGHT + 10
    body = "\n".join(_chart(title, curves, n * CHART_HEIGHT)
                     for n, (title, curves) in enumerate(charts))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"
 width="{WIDTH}" height="{height}" font-family="sans-serif">
<style>
.title {{ font-size: 15px; font-weight: bold; fill: #222 }}
.tick {{ font-size: 12px; fill: #444 }}
.grid {{ stroke: #e4e4e4; fill: none }}
.axis {{ stroke: #444; fill: none }}
.mark {{ stroke: #888; stroke-dasharray: 4 3; fill: none }}
.out {{ fill: #f4ead7 }}
</style>
<rect width="100%" height="100%" fill="white"/>
{body}
</svg>
"""
