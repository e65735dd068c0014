"""Writing files: whole or not at all, and a word to the user where another program holds one open."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from zjtx_alloc.errors import ReportError
from zjtx_alloc.messages import say


def write_whole(path: str | Path, content: bytes) -> Path:
    """Write a file beside its place, then move it there: a reader sees the old one or the new one.

    Raises
    ------
    ReportError
        If the file is open in a program that locks it (Excel), or must not be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except PermissionError:
        raise ReportError(say("file.read_only", folder=path.parent)) from None
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(0o644)  # mkstemp makes it private
        draft.replace(path)
    except PermissionError:
        raise ReportError(say("file.busy", file=path)) from None
    finally:
        draft.unlink(missing_ok=True)
    return path


def check_free(paths: Iterable[Path]) -> None:
    """Raise ReportError if an existing file cannot be written, before work is spent on its content."""
    for path in paths:
        if path.exists():
            try:
                path.open("r+b").close()
            except PermissionError:
                raise ReportError(say("file.busy", file=path)) from None


def write_csv(path: Path, text: str) -> Path:
    """Write text as UTF-8 with BOM, which Chinese Excel needs, and plain newlines."""
    return write_whole(path, text.encode("utf-8-sig"))
