"""The two Chinese fonts that pages, figures and documents carry; without them nothing is drawn, rather than empty boxes."""

from pathlib import Path

import pylopdf_fonts_zh_cn as fonts

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.messages import say


def sans() -> Path:
    """The file of Noto Sans SC.

    Raises
    ------
    ReportError
        If it is not there, or empty.
    """
    return _present(fonts.sans_path())


def serif() -> Path:
    """The file of Noto Serif SC; raises as ``sans``."""
    return _present(fonts.serif_path())


def _present(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file() or path.stat().st_size == 0:
        raise ReportError(say("file.no_font", file=path.name))
    return path
