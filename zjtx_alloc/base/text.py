"""Text that is what it seems: no character that cannot be seen, nothing that a program takes for a formula."""

import re
from pathlib import Path

# Control characters but for line feed and tab, lone surrogates, and the marks that turn the direction of writing.
_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\u200e\\u200f\\u061c\\u202a-\\u202e\\u2066-\\u2069]"
)
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
    return _HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def unarmed(value: object) -> object:
    """A text that Excel would take for a formula, behind an apostrophe; with no line end that begins a new row there."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def as_given(text: str) -> str:
    """A text as it was before ``unarmed``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
