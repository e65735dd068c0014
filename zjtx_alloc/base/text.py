"""Text that is what it seems: no character that cannot be seen, nothing that a program takes for a formula."""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

# Control characters but for line feed and tab, lone surrogates, marks that turn the direction of writing or have no
# width, fillers, variation selectors and tags: two names that differ in these alone look the same.
_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\u3164\\ud800-\\udfff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)
_LINE, _ENDING, _LINES = 2000, 500, 500  # characters of a line of a message, of the end of one that is too long; lines
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # in full width too, as Chinese Excel reads them
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def hidden(text: str) -> str:
    """The first character of a text that cannot be seen, so that what is read is not what is there; blank if none."""
    found = _HIDDEN.search(text)
    return found.group() if found else ""


def shown(value: object, most: int = 80) -> str:
    """A value as a message shows it: not endless, but for a path; and with nothing in it that cannot be seen."""
    text = str(value)
    return seen(text if len(text) <= most or isinstance(value, Path) else f"{text[:most]}…")


def seen(text: str) -> str:
    """Text with codes in the place of what cannot be seen."""
    return _HIDDEN.sub(
        lambda found: f"\\u{ord(found[0]):04x}" if found[0] <= "\uffff" else f"\\U{ord(found[0]):08x}", text
    )


def in_brief(message: str) -> str:
    """A message none of whose lines is endless: what is too long keeps its beginning and its end, where the remedy is."""
    lines = message.split("\n")
    lines = lines if len(lines) <= _LINES else [*lines[: _LINES - 1], "……"]
    return "\n".join(line if len(line) <= _LINE else f"{line[: _LINE - _ENDING]}……{line[-_ENDING:]}" for line in lines)


def runs(rows: Iterable[int]) -> str:
    """Row numbers, with runs of them as 1—3."""
    numbered = groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0])  # the same within a run
    found = [[row for _, row in run] for _, run in numbered]
    return "、".join(str(run[0]) if len(run) == 1 else f"{run[0]}—{run[-1]}" for run in found)


def unarmed(value: object) -> object:
    """A text that Excel would take for a formula, behind an apostrophe; with no line end that begins a new row there."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def as_given(text: str) -> str:
    """A text as it was before ``unarmed``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
