"""Files: written whole or not at all; read and written over only where they are files."""

import errno
import os
import secrets
import shutil
import stat
import time
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.messages import say

DRAFT = ".zjtx-"  # how the names of unfinished files begin
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # the latter of Windows
_ZIP_YEARS = range(1980, 2108)
_LONGEST_NAME = 180  # bytes: a name of 255 must hold an ending too
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
_KNOWN = {
    errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EFBIG: "full", errno.EACCES: "denied", errno.EPERM: "denied",
    errno.EROFS: "read_only", errno.ENOENT: "absent", errno.ENOTDIR: "not_a_folder", errno.EEXIST: "not_a_folder",
    errno.EISDIR: "a_folder", errno.ENAMETOOLONG: "long_name", errno.ELOOP: "loop", errno.EMFILE: "many",
    errno.EXDEV: "mounted", errno.EBUSY: "mounted", errno.ENOLCK: "no_locks",
}  # fmt: skip
_SPECIAL = {
    stat.S_IFLNK: "link", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device",
}  # fmt: skip


class UnreadableError(Exception):
    """Why a file cannot be read, in Chinese; a caller's own error says which file and what to do."""


def read_whole(path: str | Path, most: int, first: int | None = None) -> bytes:
    """The bytes, or the ``first`` ones, of a regular file of at most ``most``: a pipe would wait, a device never end.

    Raises
    ------
    FileNotFoundError
        If there is none.
    UnreadableError
    """
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(say("file.not_regular"))
        if status.st_size > most:
            raise UnreadableError(say("file.too_big", size=status.st_size / 2**20, most=most / 2**20))
        with Path(path).open("rb") as file:
            return file.read(
                min(status.st_size or most, most if first is None else first)
            )  # room is made for all of it
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(why(error)) from None
    except ValueError:  # a NUL in the path
        raise UnreadableError(say("file.bad_path")) from None


def why(error: OSError) -> str:
    """The cause of a failed reading or writing, in Chinese where it is one that people meet."""
    kind = _KNOWN.get(error.errno or 0)
    return say(f"os_error.{kind}") if kind else str(error.strerror or error)


def check_regular(path: Path) -> None:
    """Raise ReportError if a link, a device, a pipe or a socket is there: moving a file to its place would destroy it.

    Folders on the way may be links. A link put there after this look is replaced by the file and never followed.
    """
    try:
        kind = _SPECIAL.get(stat.S_IFMT(path.lstat().st_mode))
    except (OSError, ValueError):  # nothing is there, or the writing itself says why it cannot be reached
        return
    if kind:
        raise ReportError(say("file.special", file=path, kind=say(f"file_kind.{kind}")))


def check_absent(path: Path) -> None:
    """Raise ReportError if anything is there, were it a link to nothing: it may hold what a user has filled in."""
    if os.path.lexists(path):
        raise ReportError(say("file.exists", file=path))


def write_whole(path: str | Path, content: bytes) -> Path:
    """Write a file beside its place, then move it there: a reader sees the old one or the new one.

    A new file has the permissions that the system gives one (umask), one that is written over keeps its own.

    Raises
    ------
    ReportError
        If what is there is no file, the file is open in a program that locks it (Excel), must not be written, or does
        not fit on the disk.
    """
    path = Path(path)
    check_regular(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{DRAFT}{secrets.token_hex(8)}")
        handle = os.open(draft, _CREATE, 0o600 if path.exists() else 0o666)
    except PermissionError:
        raise ReportError(say("file.read_only", folder=path.parent)) from None
    except (OSError, ValueError) as error:
        raise ReportError(not_written(path, error)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power cut leaves the new name on an empty file
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except PermissionError:
        raise ReportError(say("file.busy", file=path)) from None
    except (OSError, ValueError) as error:
        raise ReportError(not_written(path, error)) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return path


def not_written(path: Path, error: OSError | ValueError) -> str:
    """That a path could not be written, why, and what to do."""
    reason = why(error) if isinstance(error, OSError) else say("file.bad_path")
    return say("file.not_written", file=repr(str(path)) if "\0" in str(path) else path, reason=reason)


def check_free(paths: Iterable[Path]) -> None:
    """Raise ReportError if what is there is no file or cannot be written, before work is spent on its content."""
    for path in paths:
        check_regular(path)
        try:
            if path.exists():
                path.open("r+b").close()
        except PermissionError:
            raise ReportError(say("file.busy", file=path)) from None
        except OSError as error:
            raise ReportError(not_written(path, error)) from None


def folder_for(out: str | Path, name: str) -> Path:
    """The folder ``out/name``, made if it is not there; never one outside ``out``.

    Raises
    ------
    ReportError
        If the name is none for a folder, or the folder cannot be made.
    """
    if not is_file_name(name):
        raise ReportError(say("file.bad_name", name=name[:60]))
    folder = Path(out) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ReportError(not_written(folder, error)) from None
    return folder


def is_file_name(name: str) -> bool:
    """Whether a text can name one file or folder on any system: no path, no device, nothing that cannot be seen."""
    plain = name.strip() == name and not name.startswith(".") and not name.endswith(".")
    seen = not any(c in '/\\:*?"<>|' or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name)
    return bool(name) and plain and seen and name.partition(".")[0].upper() not in _DEVICES and (
        len(name.encode("utf-8", "replace")) <= _LONGEST_NAME
    )  # fmt: skip


def check_clock() -> None:
    """Raise ReportError if the clock shows a year that a package (.docx, .xlsx) cannot hold."""
    if (year := time.localtime().tm_year) not in _ZIP_YEARS:
        raise ReportError(say("file.clock", year=year))


def write_csv(path: Path, text: str) -> Path:
    """Write text as UTF-8 with BOM, which Chinese Excel needs, and plain newlines."""
    return write_whole(path, text.encode("utf-8-sig"))
