"""统一社会信用代码: what a cell or an entry of a list holds of them."""

from typing import Any

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from zjtx_alloc.facts.cells import Wrong, plain


def credit_code_of(cell: Any) -> str | Wrong:
    """The code that a cell holds, or what is wrong with it."""
    if isinstance(cell, int | float):
        return Wrong("code_number")
    try:
        return str(uscc.validate(plain(cell)))
    except InvalidLength:
        return Wrong("code_length", {"length": str(len(uscc.compact(plain(cell))))})
    except InvalidChecksum:
        return Wrong("code_check")
    except ValidationError:
        return Wrong("code_form")


def valid_code(text: str) -> str | None:
    """A code as it is compared; None if the text is none."""
    return uscc.compact(text) if uscc.is_valid(text) else None


def is_entry(cell: Any) -> bool:
    """Whether a cell of a list of firms is a code or a Chinese name; not blank, a code with a slip, or one that Excel made 9.1E+17."""
    return valid_code(plain(cell)) is not None or not plain(cell).isascii()
