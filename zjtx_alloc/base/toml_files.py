"""The one door to a user's TOML files: bounded in size and depth, and no text that hides what it says."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from zjtx_alloc.base.files import UnreadableError, read_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import hidden, shown

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)  # of a table: no other keys or types, never changed

_MOST_BYTES = 2**20  # the largest scenario shipped has 7 kB
_DEEPEST = 12
_LARGEST = 10**15  # a whole number beyond it is no count and no money
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file in UTF-8, with or without BOM.

    Raises
    ------
    FileNotFoundError
        If there is none.
    UnreadableError
        If it is no file, too large, not UTF-8, not TOML, nested too deeply, or has characters that cannot be seen.
    """
    content = read_whole(path, _MOST_BYTES)
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableError(say("toml.encoding", row=content[: error.start].count(b"\n") + 1)) from None
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(_syntax(str(error))) from None
    except RecursionError:
        raise UnreadableError(say("toml.deep", most=_DEEPEST)) from None
    except ValueError:  # a number of thousands of digits
        raise UnreadableError(say("toml.number", most=_LARGEST)) from None
    _check(table)
    return table


def _syntax(told: str) -> str:
    """Where tomllib stumbled, in Chinese; what it says beside that, as it says it."""
    found = _PLACE.search(told)
    what = _PLACE.sub("", told).strip()
    if what.startswith("Cannot"):  # overwrite a value, declare a table again
        return say("toml.twice", what=what)
    if found is None or found.group(1) is None:
        return say("toml.syntax_end", what=what)
    return say("toml.syntax", row=found.group(1), column=found.group(2), what=what)


def _check(table: dict[str, Any]) -> None:
    for place, thing, depth in _things(table):
        key = shown(".".join(place))
        if depth > _DEEPEST:
            raise UnreadableError(say("toml.deep", most=_DEEPEST))
        if isinstance(thing, int) and abs(thing) > _LARGEST:
            raise UnreadableError(say("toml.large", key=key, most=_LARGEST))
        for text in (place[-1:], [thing] if isinstance(thing, str) else []):
            if sign := hidden("".join(text)):
                raise UnreadableError(say("toml.hidden", key=key, character=f"U+{ord(sign):04X}"))


def _things(table: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, int]]:
    """Every table, list and value with its keys and depth; by a stack, for files may be deeper than Python's own."""
    waiting: list[tuple[tuple[str, ...], Any, int]] = [((), table, 0)]
    while waiting:
        place, thing, depth = waiting.pop()
        yield place, thing, depth
        if depth > _DEEPEST:
            continue
        if isinstance(thing, dict):
            waiting += [((*place, str(key)), value, depth + 1) for key, value in thing.items()]
        elif isinstance(thing, list):
            waiting += [(place, value, depth + 1) for value in thing]


def type_told(kind: str, **limits: object) -> str:
    """What is allowed where a check of pydantic found an error of this kind."""
    try:
        return say(f"type.{kind}", **limits)
    except KeyError:
        return say("type.other")
