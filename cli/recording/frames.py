"""Makes one SVG of several screens that tmux captured, each shown for some seconds: frames.py OUT.svg WIDTH SCREEN...

rich draws each screen; what is written here puts them one over the other. Where nothing moves, the first is shown.
"""

import io
import re
import sys

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

SECONDS = 3.5
# Red, green, yellow, blue, magenta, cyan.
COLORS = [(224, 108, 117), (152, 195, 121), (229, 192, 123), (97, 175, 239), (198, 120, 221), (86, 182, 194)]
THEME = TerminalTheme(
    (22, 25, 30),
    (220, 223, 228),
    [(40, 44, 52), *COLORS, (220, 223, 228)],
    [(92, 99, 112), *COLORS, (255, 255, 255)],
)
# The parts that rich makes, with a mark between them.
PARTS = "\x00".join(["{styles}", "{backgrounds}", "{matrix}", "{lines}", "{terminal_width}", "{terminal_height}"])


def parts(path, width, name):
    """What rich makes of a screen."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="standard")
    with open(path, encoding="utf-8") as file:
        for line in file.read().rstrip("\n").split("\n"):
            console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    return console.export_svg(theme=THEME, code_format=PARTS, unique_id=name).split("\x00")


def main():
    out, width, *screens = sys.argv[1:]
    frames = [parts(path, int(width), f"f{number}") for number, path in enumerate(screens)]
    total = SECONDS * len(frames)
    shown = 100 / len(frames)
    css = [".t{font-family:'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace;font-size:20px;white-space:pre}"]
    css.append(f"@keyframes show{{0%,{shown:.2f}%{{visibility:visible}}{shown + 0.01:.2f}%,100%{{visibility:hidden}}}}")
    groups = []
    for number, (styles, backgrounds, matrix, lines, *_) in enumerate(frames):
        css.append(styles)
        first = "hidden" if number else "visible"
        css.append(f"#s{number}{{animation:show {total}s {number * SECONDS}s infinite;visibility:{first}}}")
        groups.append(f'<g id="s{number}"><defs>{lines}</defs>{backgrounds}<g class="t" xml:space="preserve">{matrix}</g></g>')
    right, bottom = float(frames[0][4]) + 18, float(frames[0][5]) + 24
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" role="img" aria-label="bpfvar top in a terminal">
<style>{''.join(css)}</style>
<rect width="100%" height="100%" rx="8" fill="#16191e"/>
<g transform="translate(9, 9)">{''.join(groups)}</g>
</svg>
"""
    # Segments of nothing but spaces are not seen.
    svg = re.sub(r"<text[^>]*>(&#160;|\s)*</text>", "", svg)
    with open(out, "w", encoding="utf-8") as file:
        file.write(svg)


main()
