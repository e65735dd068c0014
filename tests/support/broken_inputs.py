"""Broken inputs: what each is, how it is made, which command meets it, and what must be told. No test of its own.

``broken_tables``, ``broken_files`` and ``broken_options`` hold them; ``python tests/support/broken_inputs.py FOLDER`` writes
those that are files, to be tried by hand.
"""

import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Made = bytes | Callable[[Path], object]

# How the command meets an input of a kind; {file} is the input, {out} an empty folder.
COMMANDS: dict[str, tuple[str, ...]] = {
    "table": ("check", "{file}"),
    "facts": ("allocate", "2024-baseline", "--data", "{file}", "--out", "{out}/quotas.csv"),
    "scenario": ("allocate", "{file}", "--out", "{out}/quotas.csv"),
    "outcomes": ("budget", "2024-baseline", "--outcomes", "{file}", "--out", "{out}"),
    "actuals": ("budget", "2024-baseline", "--actuals", "{file}", "--out", "{out}"),
    "firms": ("plan-document", "{file}", "--unit", "天津", "--out", "{out}/plan.docx"),
    "policy": ("calendar", "--award", "trial"),
    "run": ("verify-run", "{file}"),
}


@dataclass(frozen=True)
class Broken:
    """One broken input.

    ``made`` is its content, or makes it at a path; ``said`` must stand in the message; ``name`` with its ending is
    the file's. ``arguments`` take the place of the kind's command.
    """

    kind: str
    name: str
    made: Made
    said: str
    arguments: tuple[str, ...] = ()
    code: int = 1

    def put(self, folder: Path) -> Path:
        """Make the input in a folder; its path."""
        path = folder / self.name
        if isinstance(self.made, bytes):
            path.write_bytes(self.made)
        else:
            self.made(path)
        return path

    def call(self, path: Path, out: Path) -> list[str]:
        """The command's arguments."""
        return [part.format(file=path, out=out) for part in self.arguments or COMMANDS[self.kind]]


def package(content: bytes, **parts: bytes) -> bytes:
    """A workbook with parts of its package changed or added; a name ends in its last folder's file: ``sheet1``."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, parts.pop(Path(item.filename).stem, None) or old.read(item))
        for name, part in parts.items():
            new.writestr(f"xl/{name}.xml", part)
    return changed.getvalue()


def part_of(content: bytes, stem: str) -> bytes:
    """A part of a workbook's package by the stem of its name."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read(next(name for name in book.namelist() if Path(name).stem == stem))


def sparse(size: int, start: bytes = b"") -> Callable[[Path], object]:
    """A file of a size that takes no room on the disk."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(start)
            file.truncate(size)

    return make


def folder(path: Path) -> None:
    """A folder where a file is asked for."""
    path.mkdir()


def nothing(path: Path) -> None:
    """No file at all."""


def loop(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path)


def pipe(path: Path) -> None:
    """A pipe that nobody writes into."""
    import os  # noqa: PLC0415 - where there are pipes

    os.mkfifo(path)


def endless(path: Path) -> None:
    """A device that never ends."""
    path.symlink_to("/dev/zero")


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (folder, "文件夹"),
    "nothing": (nothing, "找不到"),
    "a loop": (loop, "成环"),
    "a pipe": (pipe, "管道"),
    "a device": (endless, "设备"),
    "100 MB": (sparse(100 * 2**20, b"# "), "兆"),
}


def no_files(kind: str, ending: str, absent: str = "找不到") -> list[Broken]:
    """What is no file, or far too large a one, for a kind of input."""
    return [
        Broken(kind, f"{name}.{ending}", made, absent if name == "nothing" else said)
        for name, (made, said) in NO_FILES.items()
    ]


if __name__ == "__main__":
    from support.broken_files import broken_files
    from support.broken_tables import broken_tables

    where = Path(sys.argv[1])
    for broken in (*broken_tables(), *broken_files()):
        (place := where / broken.kind).mkdir(parents=True, exist_ok=True)
        broken.put(place)
