"""The id of a run (运行编号) on all that it makes: set once, read where tables, figures and pages are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zjtx_alloc.base.messages import say

_RUN: ContextVar[str] = ContextVar("run", default="")


def stamp(run: str) -> None:
    """From here on everything made bears this id; a report's kernel calls it before its first cell."""
    _RUN.set(run)


@contextmanager
def stamped(run: str) -> Iterator[None]:
    """Within it everything made bears this id."""
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


def run_line() -> str:
    """What a table or a figure says of its run; blank where there is none, as in a notebook opened by hand."""
    return say("note.run", run=_RUN.get()) if _RUN.get() else ""
