"""The one door to a user's TOML files: bounded in size and depth, no text that hides what it says, and checked against a form."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.files import UnreadableError, read_whole
from zjtx_alloc.base.messages import is_said, say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.base.text import hidden, shown


class Strict(BaseModel):
    """A table with no other keys or types than its own, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_MOST_BYTES = 2**20  # the largest scenario shipped has 7 kB
_DEEPEST = 12
_LARGEST = 10**15  # a whole number beyond it is no count and no money
_Form = TypeVar("_Form", bound=BaseModel)
# Signs that a Chinese input method writes where TOML has another, and what tomllib calls the rest.
_SIGNS = {
    "quotes": "“”‘’「」＂",
    "equals": "＝",
    "comma": "，、；",
    "brackets": "【】［］｛｝〔〕",
    "colon": "：:",
    "digits": "０１２３４５６７８９．－％%",
}
_KINDS = (
    ("value", "Invalid value"), ("key", "Expected '='"), ("bracket", "Expected ']'"), ("array", "Unclosed array"),
    ("table", "inline table"), ("string", "string"), ("string", r"'\n'"), ("newline", "Expected newline"), ("character", "character"),
    ("statement", "Invalid statement"),
)  # fmt: skip
_QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'')
_BARE = re.compile(r"\s*\[{0,2}[\w.\s-]*[^\x00-\x7f]")
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
        text = content.decode("utf-8-sig")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UnreadableError(say("toml.encoding", row=content[: error.start].count(b"\n") + 1)) from None
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(_syntax(str(error), text)) from None
    except RecursionError:
        raise UnreadableError(say("toml.deep", most=_DEEPEST)) from None
    except ValueError:  # a number of thousands of digits
        raise UnreadableError(say("toml.number", most=_LARGEST)) from None
    _check(table)
    return table


def _syntax(described: str, text: str) -> str:
    """Where tomllib stumbled, and the usual cause in words: signs of a Chinese keyboard, a bare Chinese key, what is missing."""
    found = _PLACE.search(described)
    row, column = (int(n or 0) for n in found.groups()) if found else (0, 0)
    lines = text.splitlines()
    line = lines[row - 1] if 0 < row <= len(lines) else lines[-1] if lines else ""
    if described.startswith(("Cannot", "Duplicate")):  # overwrite a value, declare a table again
        return say("toml.twice" if row else "toml.twice_somewhere", row=row)
    plain = _QUOTED.sub("", line).partition("#")[0]
    causes = [cause for cause, signs in _SIGNS.items() if any(sign in plain for sign in signs)]
    causes += ["bare"] if _BARE.match(plain) and not causes else []
    cause = say(f"toml_cause.{causes[0] if causes else _kind(described)}")
    return say(
        "toml.syntax" if row else "toml.syntax_end", row=row, column=column, line=shown(line.strip()), cause=cause
    )


def _kind(described: str) -> str:
    """What is missing or wrong by the words of tomllib; ``other`` for any other."""
    return next((kind for kind, word in _KINDS if word in described), "other")


def _check(thing: Any, place: tuple[str, ...] = (), depth: int = 0) -> None:
    """Refuse what is nested too deeply, a number too large and text that hides something, in a table, list or value."""
    key = shown(".".join(place))
    if depth > _DEEPEST:
        raise UnreadableError(say("toml.deep", most=_DEEPEST))
    if isinstance(thing, int) and abs(thing) > _LARGEST:
        raise UnreadableError(say("toml.large", key=key, most=_LARGEST))
    for text in (*place[-1:], *([thing] if isinstance(thing, str) else [])):
        if sign := hidden(text):
            raise UnreadableError(say("toml.hidden", key=key, character=f"U+{ord(sign):04X}"))
    if isinstance(thing, dict):
        for name, value in thing.items():
            _check(value, (*place, str(name)), depth + 1)
    elif isinstance(thing, list):
        for value in thing:
            _check(value, place, depth + 1)


@dataclass(frozen=True)
class Mistake:
    """What is wrong at one place of a file: its keys, what stands there, whether it has no business there, what may stand there."""

    keys: tuple[str, ...]
    value: Any
    is_stranger: bool
    allowed: str


def mistakes(error: ValidationError) -> list[Mistake]:
    """What pydantic found wrong, in Chinese."""
    found = []
    for one in error.errors():
        limits = dict(one.get("ctx", {}))
        if "expected" in limits:
            quoted = re.findall(r"'([^']*)'", str(limits["expected"]))
            limits["expected"] = "、".join(quoted or str(limits["expected"]).split(" or "))
        allowed = str(limits["error"]) if one["type"] == "value_error" else _allowed(one["type"], limits)
        keys = tuple(str(key) for key in one["loc"] if key != "[key]")
        found.append(Mistake(keys, one["input"], one["type"] == "extra_forbidden", allowed))
    return found


def _allowed(kind: str, limits: dict[str, Any]) -> str:
    return say(f"type.{kind}", **limits) if is_said(f"type.{kind}") else say("type.other")


def shipped_files(folder: str) -> dict[str, Path]:
    """The TOML files of a folder of ``data`` by name, in order."""
    return dict(sorted((path.stem, path) for path in shipped("data", *folder.split("/")).glob("*.toml")))


def load_form(
    folder: str, name: str | Path, form: type[_Form], *, named: bool = False, unknown: str = "forms.no_file"
) -> _Form:
    """Read a shipped file of a folder of ``data`` by name, or a user's own ``.toml`` file by path.

    Parameters
    ----------
    named : bool
        Whether the form has a ``name``: the file's.
    unknown : str
        The message if there is no such file.

    Raises
    ------
    ScenarioError
        If there is no such file, or with everything that is wrong in it: key, what is allowed.
    """
    known = shipped_files(folder)
    path = known.get(str(name), Path(name))
    try:
        if path.suffix.lower() != ".toml":
            raise FileNotFoundError
        return form.model_validate(({"name": path.stem} if named else {}) | read_toml(path))
    except FileNotFoundError:
        raise ScenarioError(say(unknown, name=shown(name), known="、".join(known))) from None
    except ValidationError as error:
        lines = [(shown(".".join(one.keys)), one.allowed) for one in mistakes(error)]
        what = "；".join(say("forms.line", key=key, allowed=allowed) if key else allowed for key, allowed in lines)
        raise ScenarioError(say("forms.malformed", file=path.name, what=what)) from None
    except UnreadableError as error:
        raise ScenarioError(say("forms.unreadable", file=shown(path.name), reason=error)) from None


def _is_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:  # 2024-13-45
        raise ValueError(say("type.day", value=shown(text))) from None
    return text


def _is_decimal(text: str) -> str:
    if re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text, re.ASCII) is None:
        raise ValueError(say("type.decimal", value=shown(text)))
    return text


Day = Annotated[str, AfterValidator(_is_day)]  # as 2024-06-14
Exact = Annotated[str, AfterValidator(_is_decimal)]  # a decimal as text, not negative
