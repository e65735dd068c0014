"""The id of a run (运行编号) on all that it makes: set where a run begins, read where anything is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zjtx_alloc.base.messages import say

_RUN: ContextVar[str] = ContextVar("run", default="")


def set_run_id(run: str) -> None:
    """From here on everything made bears this id; a report's kernel calls it before its first cell."""
    _RUN.set(run)


@contextmanager
def bearing_run_id(run: str) -> Iterator[None]:
    """Within it everything made bears this id."""
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


def current_run_id() -> str:
    """The id of the run that is being made; blank where there is none, as in a notebook opened by hand."""
    return _RUN.get()


def run_line() -> str:
    """What a table, a figure or a page says of its run; blank where there is none."""
    return say("note.run", run=_RUN.get()) if _RUN.get() else ""
