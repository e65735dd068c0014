"""Values of the right kind that no caller should pass, and what every public function is called with. No test of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

HUGE = 10**400
NUMBERS = {
    "minus one": -1, "nothing": 0, "a half": 0.5, "nan": float("nan"), "infinity": float("inf"), "minus infinity": float("-inf"),
    "ten to the 400": HUGE, "a billion": 10**9, "ten to the 18": 10**18, "true": True, "sNaN": Decimal("sNaN"), "Decimal NaN": Decimal("NaN"),
    "a Decimal beyond floats": Decimal("1E+5000"), "a fraction beyond floats": Fraction(HUGE, 3), "float32": np.float32(0.1), "numpy nan": np.float64("nan"),
    "NA": pd.NA, "a word": "x", "a number as a word": "9" * 400, "a list": [1], "complex": 1j,
}  # fmt: skip
TEXTS = {
    "blank": "", "a word": "x", "half a character": "\ud800", "NUL": "a\0b", "long": "名" * 5000, "a way up": "../../x", "digits": "9" * 5000,
    "braces": "{0.__class__}", "a device": "/dev/zero", "a folder": "/",
}  # fmt: skip
LABELS = {
    "mixed labels": lambda index: [1, None, ("a",), *index[3:]] if len(index) > 3 else [1, "x", None][: len(index)],
    "a label twice": lambda index: [index[0], index[0], *index[2:]] if len(index) > 1 else list(index),
    "numbers for labels": lambda index: list(range(len(index))),
}


def series(valid: pd.Series) -> Iterator[tuple[str, Any]]:
    """A Series gone wrong: in one cell, in its labels, in its length and in its type."""
    for name, value in NUMBERS.items():
        cells = list(valid)
        cells[:1] = [value]
        yield f"with {name}", pd.Series(cells, valid.index, dtype=object)
    for name, change in LABELS.items():
        yield name, pd.Series(list(valid), pd.Index(change(list(valid.index)), dtype=object))
    yield "empty", valid.iloc[:0]
    yield "short", valid.iloc[1:]
    yield "with a stranger", pd.concat([valid, pd.Series([1], index=["陌生"])])
    for kind in ("float32", "complex128", "category", "str"):
        yield f"of {kind}", valid.astype(kind)
    yield "of dates", pd.Series(pd.Timestamp("2024-01-01"), index=valid.index)


def sequence(valid: list[Any]) -> Iterator[tuple[str, Any]]:
    """A sequence gone wrong."""
    for name, value in NUMBERS.items():
        yield f"with {name}", [value, *valid[1:]]
    yield "empty", []
    yield "ragged", [[1, 2], [3]]
    yield "nested", [[[1]]]
    yield "an array of arrays", np.ones((2, 2, 2))
    yield "an array of objects", np.array([*valid[1:], None], dtype=object)


def frame(valid: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """A table gone wrong: cell by cell in its first row, in its columns, in its labels."""
    for column in valid:
        for name, value in NUMBERS.items():
            changed = valid.astype(object).copy()
            if len(changed):
                changed[column] = [value, *changed[column].iloc[1:]]
            yield f"{column} with {name}", changed
        yield f"without {column}", valid.drop(columns=column)
        yield f"{column} twice", pd.concat([valid, valid[[column]]], axis=1)
    yield "empty", valid.iloc[:0]
    yield "without columns", valid.iloc[:, :0]
    if valid.index.nlevels == 1:
        for name, change in LABELS.items():
            yield name, valid.set_axis(pd.Index(change(list(valid.index)), dtype=object))


def mapping(valid: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """A mapping gone wrong: in its first value, in its first key."""
    key, *_ = valid
    for name, value in NUMBERS.items():
        yield f"with {name}", {**valid, key: value}
        if name not in ("a list", "sNaN"):  # which no mapping can hold
            yield f"of {name}", {value: valid[key]}
    yield "empty", {}


def number(_valid: Any) -> Iterator[tuple[str, Any]]:
    """A number gone wrong."""
    yield from NUMBERS.items()


def few(_valid: Any) -> Iterator[tuple[str, Any]]:
    """A number gone wrong where each that may be right takes a second."""
    yield from ((name, NUMBERS[name]) for name in ("minus one", "a half", "nan", "ten to the 400", "sNaN", "float32"))


def text(_valid: Any) -> Iterator[tuple[str, Any]]:
    """A text gone wrong."""
    yield from TEXTS.items()


@dataclass(frozen=True)
class Call:
    """A function, arguments that it takes, and how each of some of them goes wrong."""

    function: Callable[..., Any]
    valid: dict[str, Any]
    wrong: dict[str, Callable[[Any], Iterator[tuple[str, Any]]]]

    def hostile(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The arguments with one of them gone wrong, each with a name."""
        for argument, gone_wrong in self.wrong.items():
            for name, value in gone_wrong(self.valid.get(argument)):
                yield f"{argument} {name}", self.valid | {argument: value}
