"""Forms that a province or the ministry fills in as TOML: conditions and rubrics, shipped or a user's own."""

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.files import UnreadableError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import read_toml, type_told

_DIGITS = 20
_Form = TypeVar("_Form", bound=BaseModel)


def load_form(folder: str, name: str | Path, form: type[_Form]) -> _Form:
    """Read a shipped ``.toml`` file of a folder of ``data`` by name, or a user's own by path.

    Raises
    ------
    ScenarioError
        If there is no such file, or with everything that is wrong in it: key, value, what is allowed.
    """
    shipped_files = {path.stem: path for path in sorted(shipped("data", *folder.split("/")).glob("*.toml"))}
    path = shipped_files.get(str(name), Path(name))
    try:
        return form.model_validate(read_toml(path))
    except FileNotFoundError:
        raise ScenarioError(say("forms.no_file", name=shown(name), known="、".join(shipped_files))) from None
    except ValidationError as error:
        raise ScenarioError(say("forms.malformed", file=path.name, what=_explained(error))) from None
    except UnreadableError as error:
        raise ScenarioError(say("forms.unreadable", file=shown(path.name), reason=error)) from None


def decimal(value: object, name: str, most: int) -> Fraction:
    """A number that a user writes as a decimal, exactly; from 0 to ``most``.

    Raises
    ------
    ScenarioError
        If it is none; ``name`` says in Chinese what it is asked for.
    """
    try:
        exact = Decimal(str(value))
        number = Fraction(exact) if abs(exact.adjusted()) <= _DIGITS else Fraction(-1)  # 1e999999999 would never end
    except (InvalidOperation, ValueError, OverflowError):
        number = Fraction(-1)
    if not 0 <= number <= most:
        raise ScenarioError(say("forms.decimal", name=name, most=most, value=shown(value)))
    return number


def _explained(error: ValidationError) -> str:
    lines = []
    for found in error.errors():
        key = shown(".".join(map(str, found["loc"])))
        if found["type"] == "value_error":
            allowed = str(found["ctx"]["error"])
        elif found["type"] == "extra_forbidden":
            allowed = say("forms.extra")
        else:
            expected = "、".join(re.findall(r"'([^']*)'", str(found.get("ctx", {}).get("expected", ""))))
            allowed = type_told(found["type"], expected=expected)
        lines.append(say("forms.line", key=key, allowed=allowed) if key else allowed)
    return "；".join(lines)
