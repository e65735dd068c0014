"""Where the shipped data and notebooks are: in the source tree, or inside the installed wheel."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOT = _PACKAGE if (_PACKAGE / "data").is_dir() else _PACKAGE.parent


def shipped(*parts: str) -> Path:
    """Path of a shipped file or folder, e.g. ``shipped("data", "units.csv")``."""
    return _ROOT.joinpath(*parts)


def spellings(row: pd.Series) -> list[str]:
    """Every spelling of a row's name, as users may write it: its code, its name, its aliases (joined by ``|``)."""
    return [str(row.name), row["name"], *filter(None, row["aliases"].split("|"))]


@cache
def shipped_toml(*parts: str) -> dict[str, Any]:
    """A shipped TOML file below ``data``; read once, so copy it before changing it."""
    return tomllib.loads(shipped("data", *parts).read_text(encoding="utf-8"))


@cache
def shipped_table(name: str, key: str) -> pd.DataFrame:
    """A shipped CSV as text, indexed by one of its columns; read once, so copy it before changing it."""
    return pd.read_csv(shipped("data", name), dtype=str, keep_default_na=False, encoding="utf-8").set_index(key)
