"""Text that hides nothing: control signs and marks that turn the direction of writing are found, and shown as codes."""

import unicodedata

_BREAKS = "\n\t"
_TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def is_hidden(character: str) -> bool:
    """Control characters, and those that turn the direction of writing: what is read is not what is there."""
    return (unicodedata.category(character) in ("Cc", "Cs") and character not in _BREAKS) or (
        unicodedata.bidirectional(character) in _TURNS or character in "\u200e\u200f\u061c"
    )


def shown(value: object, most: int = 80) -> str:
    """A value as a message shows it: not endless, and with nothing in it that cannot be seen."""
    text = str(value)
    return seen(text if len(text) <= most else f"{text[:most]}…")


def seen(text: str) -> str:
    """Text with codes in the place of what cannot be seen."""
    return "".join(f"\\u{ord(c):04x}" if is_hidden(c) else c for c in text)
