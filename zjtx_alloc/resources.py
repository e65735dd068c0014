"""Where the shipped data and notebooks are: in the source tree, or inside the installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "data").is_dir() else _PACKAGE.parent


def shipped(*parts: str) -> Path:
    """Path of a shipped file or folder, e.g. ``shipped("data", "units.csv")``."""
    return _ROOT.joinpath(*parts)
