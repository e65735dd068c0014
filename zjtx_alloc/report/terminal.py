"""Text for a terminal: tables where a Chinese character takes two columns, characters that a GBK console has."""

import codecs
import io
import os
import re
import sys
import unicodedata
import warnings
from collections.abc import Sequence

from zjtx_alloc.base.text import seen

_CHINESE = re.compile("[\u4e00-\u9fff]")
_INSTEAD = {"−": "-", "²": "^2", "½": "1/2"}  # what we write and GBK lacks


def speak_plainly() -> None:
    """Let stdout and stderr show what their encoding lacks by plainer characters: a minus must not become a question mark.

    Warnings are sentences of ours or none.
    """
    codecs.register_error("zjtx", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="zjtx")
    if not os.environ.get("ZJTX_TRACE"):
        warnings.showwarning = _warned


def _warned(message: Warning | str, *_where: object, **_options: object) -> None:
    """A warning of ours as its sentence alone; libraries warn in English of what no user can change."""
    if _CHINESE.search(text := str(message)):
        print(seen(text), file=sys.stderr)


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_INSTEAD.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the cells of each column in line."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "FWA" else 1 for character in text)
