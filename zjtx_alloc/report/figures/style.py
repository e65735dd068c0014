"""The one look of all figures: font, colours, foot; and a figure as a picture for a notebook."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Image
from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zjtx_alloc.report.run_id import run_line
from zjtx_alloc.report.writers.fonts import sans

# Okabe & Ito (2008): distinct to colour-blind readers.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
BATCH_COLOURS = (BLUE, ORANGE, GREEN)
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", GREY)
WAN_TO_YI = 10_000
_NOTE_SIZE = 7.5  # points
_DPI = 200
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


def picture(figure: Figure) -> Image:
    """A figure as a PNG for a notebook, sharp on dense screens; its titles are read out to those who cannot see it."""
    buffer = io.BytesIO()
    with in_style():
        _leave_inner_texts(figure)
        figure.set_dpi(_DPI)
        # Not by savefig, which draws a figure with a layout once more, to find the layout.
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
    titles = filter(None, [figure.get_suptitle(), *(axes.get_title(loc="left") for axes in figure.axes)])
    return Image(buffer.getvalue(), width=int(figure.get_figwidth() * 100), alt="；".join(titles))


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
