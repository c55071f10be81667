"""Line plots as SVG, with nothing but the standard library."""

import math

COLOURS = {"nginx": "#009639", "HAProxy": "#106da9", "sidecar": "#d9480f", "LiteLLM": "#7048e8"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 110, 40, 50


class Axis:
    """Maps values to places; logarithmic where the values span magnitudes."""

    def __init__(self, values, start, end, logarithmic):
        self.start, self.end, self.logarithmic = start, end, logarithmic
        self.low = min(values) if logarithmic else 0
        self.high = max(values)

    def place(self, value):
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self):
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            return [10 ** power for power in powers if self.low <= 10 ** power <= self.high]
        step = 10 ** math.floor(math.log10(self.high))
        step = step if self.high / step >= 3 else step / 4
        return [step * count for count in range(int(self.high / step) + 1)]


def short(value):
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def plot(title, x_title, y_title, x_values, curves, logarithmic):
    """A line for each curve; its name stands at its end."""
    x = Axis(x_values, LEFT, WIDTH - RIGHT, logarithmic)
    y = Axis([value for curve in curves.values() for value in curve],
             HEIGHT - BOTTOM, TOP, logarithmic)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{title}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
        f'{x_title}</text>',
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{y_title}</text>']
    for tick in x.ticks():
        at = x.place(tick)
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                     f'{short(tick)}</text>')
    for tick in y.ticks():
        at = y.place(tick)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    for name, curve in curves.items():
        points = [(x.place(a), y.place(b)) for a, b in zip(x_values, curve)]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" '
                     'stroke-width="2"/>')
        parts.append(f'<text x="{points[-1][0] + 6:.1f}" y="{points[-1][1] + 4:.1f}" '
                     f'fill="{COLOURS[name]}">{name}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"
