"""Text that hides nothing: control signs and marks that turn the direction of writing are found, and shown as codes."""

import re

# Control signs but for line feed and tab, lone surrogates, and the marks that turn the direction of writing.
_HIDDEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\u200e\\u200f\\u061c\\u202a-\\u202e\\u2066-\\u2069]"
)


def hidden(text: str) -> str:
    """The first sign of a text that cannot be seen, so that what is read is not what is there; blank if none."""
    found = _HIDDEN.search(text)
    return found.group() if found else ""


def shown(value: object, most: int = 80) -> str:
    """A value as a message shows it: not endless, and with nothing in it that cannot be seen."""
    text = str(value)
    return seen(text if len(text) <= most else f"{text[:most]}…")


def seen(text: str) -> str:
    """Text with codes in the place of what cannot be seen."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
