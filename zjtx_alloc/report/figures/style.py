"""The one look of all figures: font, colours, foot; and a figure as a picture for a notebook."""

import base64
import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from zjtx_alloc.report.run_id import run_line
from zjtx_alloc.report.writers.fonts import sans

WAN_TO_YI = 10_000
_NOTE_SIZE = 7.5  # points
_DPI = 200  # of a copied picture
_SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')
_LATIN = 0.58  # width of a letter or digit, in Chinese characters


@cache
def style() -> dict[Any, Any]:
    """Settings for ``rc_context``; this module alone knows the fonts."""
    path = str(sans())
    font_manager.fontManager.addfont(path)
    return {
        "font.family": font_manager.FontProperties(fname=path).get_name(),
        "axes.titleweight": "normal",  # the font has one weight
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "font.size": 9,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,  # titles and names are words, whatever signs of money are in them
    }


@contextmanager
def in_style() -> Iterator[None]:
    """Within it, or in a function decorated with it, figures have the one look."""
    with rc_context(style()):
        yield


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure with one pair of axes; in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def unit_rows(axes: Axes, names: pd.Series) -> None:
    """A row a unit, the first lowest."""
    axes.set_yticks(np.arange(len(names)), names)
    axes.set_ylim(-0.7, len(names) - 0.3)


class Picture(NamedTuple):
    """A figure as a notebook and a page show it."""

    svg: str
    alt: str  #: What is read out to those who cannot see it.
    width: int  #: In pixels, where there is room.

    def _repr_html_(self) -> str:
        # As an image, not as part of the page: it can be copied, and the names within it meet no others.
        data = base64.b64encode(self.svg.encode()).decode()
        alt = html.escape(self.alt)
        image = f'<img alt="{alt}" width="{self.width}" src="data:image/svg+xml;base64,{data}">'
        return f'<div class="figure" tabindex="0" role="region" aria-label="{alt}">{image}</div>'


def picture(figure: Figure) -> Picture:
    """A figure as SVG: less to draw and to carry than a PNG that is sharp on dense screens; letters are outlines, no font is needed."""
    buffer = io.StringIO()
    with in_style(), rc_context({"svg.fonttype": "path", "svg.hashsalt": "zjtx"}):
        _leave_inner_texts(figure)
        # Not by savefig, which draws a figure with a layout once more, to find the layout.
        FigureCanvasSVG(figure).print_svg(buffer, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))  # type: ignore[no-untyped-call]
    titles = filter(None, [figure.get_suptitle(), *(axes.get_title(loc="left") for axes in figure.axes)])
    return Picture(
        _SIZE.sub(_copied_sharp, buffer.getvalue(), count=1), "；".join(titles), int(figure.get_figwidth() * 100)
    )


def _copied_sharp(size: re.Match[str]) -> str:
    """The size of the whole in points as pixels, of which whoever copies the picture out of a page gets so many."""
    width, height = (round(float(points) * _DPI / 72) for points in size.groups())
    return f'width="{width}" height="{height}"'


def _leave_inner_texts(figure: Figure) -> None:
    """Texts that stand at a place of the data need no room around the axes, and there are many."""
    for axes in figure.axes:
        for text in axes.texts:
            text.set_in_layout(text.get_transform() != axes.transData)


def foot(figure: Figure, text: str) -> None:
    """Assumptions and marks under the figure, and the run that it belongs to."""
    lines = "\n".join(filter(None, [_wrapped(text, int((figure.get_figwidth() - 0.3) * 72 / _NOTE_SIZE)), run_line()]))
    figure.supxlabel(lines, fontsize=_NOTE_SIZE, color="#555555", x=0.01, ha="left", linespacing=1.4)


def _wrapped(text: str, width: int) -> str:
    """Break lines of so many Chinese characters between characters, but within no number or word and no mark away from what it opens or closes."""
    lines, filled = [""], 0.0
    for piece in re.findall(r"[（“〔]*(?:[A-Za-z0-9.%&-]+|.)[，。；：、）”〕]*", text):
        room = sum(_LATIN if sign.isascii() else 1 for sign in piece)
        if filled + room > width:
            lines.append("")
            filled = 0
        lines[-1] += piece
        filled += room
    return "\n".join(lines)
