"""Sets of files: a folder whose files are all the old ones or all the new ones, whatever is killed or full meanwhile."""

import ctypes
import errno
import filecmp
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import DRAFT, check_free, check_regular, not_written
from zjtx_alloc.base.messages import say

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_WAIT = 30.0  # seconds for another process to install its set
_PATIENCE = 2.0  # seconds in which a scanner of Windows lets go of a folder
_WORKING_FOLDER, _EXCHANGE = -100, 2  # AT_FDCWD; RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS


def install(
    drafts: Path, folder: Path, stale: Iterable[str] = (), around: AbstractContextManager[Any] | None = None
) -> None:
    """Put a finished set of files, with its subfolders, in the place of the one in a folder that ``alone_in`` holds.

    A folder beside takes the new files and, as hard links, all else that the old one holds: what users keep there,
    what other steps made. Then the two change places, on Linux and macOS in one step. Elsewhere, and where a file
    system cannot do that, the old one is moved aside first: between the two moves there is none, and
    ``alone_in`` brings it back.

    Parameters
    ----------
    drafts, folder : Path
    stale : iterable of str
        Names that the set need not have: of an earlier set they go.
    around : context manager, optional
        Entered once the new folder is complete (``is_replaced``), left when the old one is gone.

    Raises
    ------
    ReportError
        If a file is open in another program, the disk is full, or a disk is mounted in the folder; the set is the old one.
    """
    names = sorted(path.relative_to(drafts) for path in drafts.rglob("*") if path.is_file())
    ours = sorted({*names, *map(Path, stale)})
    check_free(folder / name for name in ours)
    if not os.access(folder, os.W_OK):
        raise ReportError(say("file.read_only", folder=folder))
    folder = folder.resolve()
    new = _beside(folder, "new")
    with _removed_if_failed(new, folder):
        new.mkdir(mode=0o700)
        _carry(folder, new, {folder / name for name in ours})
        for name in names:
            _copy(drafts / name, new / name, folder / name)
        _made_alike(folder, new)
        os.utime(new)
    with _removed_if_failed(new, folder), around or nullcontext(), _removed_if_failed(new, folder):
        _swap(new, folder)
        _carry(new, folder, {new / name for name in ours})  # what came into the old one meanwhile
        _remove(new)


def is_replaced(folder: Path) -> bool:
    """Whether a folder's set is being replaced at the moment, or was when a process ended."""
    return _beside(folder.resolve(), "new").exists()


def _beside(folder: Path, kind: str) -> Path:
    return folder.with_name(f"{DRAFT}{folder.name}.{kind}")


@contextmanager
def _removed_if_failed(new: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        _remove(new)
        raise ReportError(say("file.busy", file=folder)) from None
    except OSError as error:
        _remove(new)
        raise ReportError(not_written(folder, error)) from None
    except BaseException:
        _remove(new)
        raise


def _carry(source: Path, target: Path, without: set[Path]) -> None:
    """Give a folder what another holds, but for some files: as hard links, or as copies where there are no links."""
    for path in source.iterdir():
        if path not in without and not path.name.startswith(DRAFT):
            with suppress(FileNotFoundError):  # taken away meanwhile, as an office program does with its own
                _carry_one(path, target / path.name, without)


def _carry_one(path: Path, there: Path, without: set[Path]) -> None:
    if path.is_symlink():
        if not os.path.lexists(there):
            there.symlink_to(path.readlink())
    elif path.is_dir():
        if path.is_mount():
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(path))
        there.mkdir(exist_ok=True)
        _carry(path, there, without)
        _made_alike(path, there)
    elif not (there.exists() and filecmp.cmp(path, there)):
        there.unlink(missing_ok=True)
        _link(path, there)


def _link(path: Path, there: Path) -> None:
    try:
        there.hardlink_to(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EXDEV, errno.ENOSPC, errno.EDQUOT):
            raise
        shutil.copy2(path, there)


def _copy(draft: Path, there: Path, before: Path) -> None:
    """Copy a file of the set, in pieces; one that was there before keeps its permissions."""
    there.parent.mkdir(parents=True, exist_ok=True)
    with draft.open("rb") as source, there.open("xb") as file:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())  # or a power cut leaves the new name on an empty file
    if before.exists():
        shutil.copymode(before, there)


def _made_alike(one: Path, other: Path) -> None:
    """Give a folder the owner and the permissions of another."""
    if sys.platform != "win32":
        with suppress(OSError):  # only root may give files away
            os.chown(other, one.stat().st_uid, one.stat().st_gid)
    shutil.copystat(one, other)


def _swap(new: Path, folder: Path) -> None:
    """Let two folders change places."""
    here = Path.cwd()
    if not _exchanged(new, folder):
        aside = _beside(folder, "old")
        try:
            _rename(folder, aside)
            _rename(new, folder)
        except BaseException:
            _bring_back(folder)
            raise
        aside.rename(new)
    if folder in (here, *here.parents):
        os.chdir(here)  # this process stands in the old one, which will be gone


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system or the file system cannot."""
    if sys.platform == "linux":
        swap, at = "renameat2", (_WORKING_FOLDER,)
    elif sys.platform == "darwin":
        swap, at = "renamex_np", ()
    else:
        return False
    call = getattr(ctypes.CDLL(None), swap, None)  # an old C library has none
    return call is not None and call(*at, os.fsencode(one), *at, os.fsencode(other), _EXCHANGE) == 0


def _rename(path: Path, there: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            path.rename(there)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _bring_back(folder: Path) -> None:
    """Put a folder that was moved aside in its place again, if nothing has come there."""
    aside = _beside(folder, "old")
    if aside.exists():
        with suppress(OSError):
            folder.rmdir()  # one that is empty has been made since
        if not folder.exists():
            aside.rename(folder)


def _remove(folder: Path) -> None:
    """Remove a folder and, of what it holds, what is not linked elsewhere."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)  # a user's folder may be read-only
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which ends with the process however that ends; what a killed one left beside is gone.

    Raises
    ------
    ReportError
        If another process holds the folder too long.
    """
    folder = folder.resolve()
    path, until = _beside(folder, "lock"), time.monotonic() + _WAIT
    check_regular(path)
    try:
        while (held := _locked(path)) is None:
            if time.monotonic() > until:
                raise ReportError(say("file.other_run", folder=folder))
            time.sleep(0.05)
    except OSError as error:
        raise ReportError(not_written(path, error)) from None
    try:
        _bring_back(folder)
        _remove(_beside(folder, "old"))
        _remove(_beside(folder, "new"))
        for torn in folder.rglob(f"{DRAFT}*"):
            with suppress(OSError):
                torn.unlink()
        yield
    finally:
        with suppress(OSError):  # Windows keeps a file that is open
            path.unlink()
        held.close()


def _locked(path: Path) -> Any:
    """The lock file, open and locked; None while another process holds it, or has just taken it away."""
    # A link that has taken its place meanwhile would make or open a file elsewhere.
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "r+b")
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except (BlockingIOError, PermissionError, FileNotFoundError):  # held, and so Windows says it; taken away
        pass
    except OSError:
        file.close()
        raise
    file.close()
    return None
