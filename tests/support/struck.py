"""Strike a process at each change that it makes to the disk: kill it there, or leave it no room from there on.

Every opening for writing, link, move, removal, new folder, change of permissions and flushing counts, in the output
folder and among temporary files. After each strike the run's folder must hold the old set or the new one, to the byte,
with a user's own files; the list of runs must vouch for no other; and the rerun must leave the new set and nothing else.

    python tests/support/struck.py install          a small set, both ways to swap: every strike, half a minute
    python tests/support/struck.py large 300        a set of large files: 300 kills from outside, at any moment
    python tests/support/struck.py report           a report without its notebooks: every strike, half an hour
    python tests/support/struck.py whole 40         a report with its notebooks: 40 strikes, spread evenly
"""

import errno
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from zjtx_alloc.base import file_sets
from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import write_whole

OWN = {"my notes.txt": "mine", "我的/附件.txt": "mine too"}
_CHANGES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.utime",
    "os.chown",
)
_TAKING = ("open", "os.mkdir", "os.link", "os.symlink", "fsync")  # what needs room


class Striker:
    """Counts the changes within some folders, and strikes at one of them."""

    def __init__(self, roots, at=0, kind=""):
        self.roots, self.at, self.kind, self.count = tuple(map(str, roots)), at, kind, 0
        # Counted and not done: what a killed process has written is there all the same, and a disk takes its time.
        os.fsync = lambda handle: self.change("fsync", Path(f"/proc/self/fd/{handle}").readlink())
        sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)) or event in _CHANGES:
            self.change(event, arguments[0])

    def change(self, event, path):
        if not os.fspath(path).startswith(self.roots) if isinstance(path, str | os.PathLike) else True:
            return
        self.count += 1
        if self.kind == "kill" and self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "full" and self.count >= self.at and event in _TAKING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def in_a_child(work, roots=(), at=0, kind=""):
    """Do some work in a forked process, struck or not: how it ended, and how many changes it made."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        code = 9
        try:
            tempfile.tempdir = str(roots[-1]) if roots else None
            striker = Striker(roots, at, kind)
            work()
            code = 0
        except ReportError as error:
            code = 1 if "磁盘空间不足" in str(error) else 8
        except OSError as error:
            code = 1 if error.errno == errno.ENOSPC else 7
        finally:
            striker.kind = ""
            os.write(writing, str(striker.count).encode())
            os._exit(code)
    os.close(writing)
    if kind == "outside":
        time.sleep(at)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as said:
        count = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), int(count or 0)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class Case:
    """A job that replaces the old set of a folder by a new one.

    Parameters
    ----------
    base : Path
        Empty folder for all of it.
    old, new : callable
        Each makes a set below the output folder that it is given.
    name : str
        The run's folder.
    """

    def __init__(self, base, old, new, name):
        self.base, self.new, self.name = base, new, name
        self.begun, self.out, self.temporary = base / "begun", base / "out", base / "tmp"
        assert in_a_child(lambda: old(self.begun))[0] == 0  # here, it would begin threads, which no fork takes along
        for file, text in OWN.items():
            (path := self.begun / name / file).parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.before = contents(self.begun / name)
        self.fresh()
        begin = time.monotonic()
        ended, self.count = in_a_child(lambda: new(self.out), (self.out, self.temporary))
        self.seconds = time.monotonic() - begin
        self.after = contents(self.out / name)
        assert ended == 0, ended
        assert self.after != self.before
        assert self.after.keys() >= OWN.keys()

    def fresh(self):
        for folder in (self.out, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.begun, self.out)
        self.temporary.mkdir()

    def strike(self, at, kind):
        """What is there after a strike: ``old``, ``new``, ``none`` (moved aside) or how it is wrong.

        ``at`` counts the changes before it; for ``outside``, the seconds before another process kills this one. It may
        have ended by then (a later run makes fewer changes than the first, whose caches were empty): ``late``.
        """
        self.fresh()
        ended, _ = in_a_child(lambda: self.new(self.out), (self.out, self.temporary), at, kind)
        if kind != "full" and ended == 0:
            return "late"
        if ended not in ((0, 1) if kind == "full" else (-signal.SIGKILL,)):
            return f"ended with {ended}"
        found = contents(folder) if (folder := self.out / self.name).exists() else None
        state = {id(None): "none"}.get(id(found)) or (
            "old" if found == self.before else "new" if found == self.after else "mixed"
        )
        if kind == "full" and (state == "none" or list(self.out.rglob(".zjtx-*"))):
            return f"full: {state} and something left"
        if state == "mixed" or self.vouched_wrongly():
            return f"{state}, wrong in the list" if state != "mixed" else state
        shutil.rmtree(self.temporary)  # what a killed process leaves there
        self.temporary.mkdir()
        for torn in self.out.glob(".zjtx-*"):
            os.utime(torn, (0, 0))  # it is made again when nobody can be writing any more
        again, _ = in_a_child(lambda: self.new(self.out), (self.out, self.temporary))
        if again or contents(self.out / self.name) != self.after or list(self.out.rglob(".zjtx-*")):
            return f"{state}, and the rerun does not mend it"
        return state

    def vouched_wrongly(self):
        """Whether the list of runs bears a tick beside an id that is not the folder's."""
        if not (page := self.out / "index.html").is_file() or not (self.out / self.name / "run.json").is_file():
            return False
        rows = [row for row in page.read_text(encoding="utf-8").split("<tr>") if f"<b>{self.name}</b>" in row]
        its = re.search(r'"id": "([0-9a-f]+)"', (self.out / self.name / "run.json").read_text(encoding="utf-8"))
        return any("✓" in row and its[1] not in row for row in rows)


def small_set(mark, size=1000):
    """A job that installs a set of five files of so many characters."""

    def make(out):
        (folder := out / "run").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as drafts:
            for name in ("run.json", "a.csv", "b.xlsx", f"{mark}.html", "units/110000.html"):
                (path := Path(drafts) / name).parent.mkdir(exist_ok=True)
                path.write_text(f'{{"id": "{ord(mark):012x}"}}' + mark * size, encoding="utf-8")
            with file_sets.alone_in(folder):
                file_sets.install(Path(drafts), folder, ("o.html",))

    return make


def report(total, pages=()):
    """A job that makes a report of batch 1 with a total."""
    import zjtx_alloc as za  # noqa: PLC0415 - here and below seconds that a set alone need not pay
    from zjtx_alloc.report.runs import run  # noqa: F401, PLC0415

    def make(out):
        za.run(za.load_scenario("2024-baseline").model_copy(update={"total": total}), out, pages=pages)

    return make


def drawn_once():
    """Let tables and documents, which take most of a report's time, be made once and copied from then on."""
    from zjtx_alloc.report.runs import run  # noqa: PLC0415

    made, write = Path(tempfile.mkdtemp()), run.tables_written

    def copies(folder, results):
        kept = made / str(results.allocation.scenario.total)
        if not kept.exists():
            list(write(kept, results))
        for path in sorted(kept.iterdir()):
            yield write_whole(folder / path.name, path.read_bytes())

    run.tables_written = copies


def swept(case, strikes, outside):
    """What was there after each of so many strikes, evenly spread over the changes (all if 0), or at any moment."""
    if outside:
        drawn = random.Random(strikes)
        return Counter(("outside", case.strike(drawn.uniform(0, case.seconds), "outside")) for _ in range(strikes))
    step = max(1, case.count // strikes) if strikes else 1
    return Counter((kind, case.strike(at, kind)) for kind in ("kill", "full") for at in range(case.count, 0, -step))


def main(what, strikes=0):
    with tempfile.TemporaryDirectory() as base:
        pages = ("allocation", "budget", "quota") if what == "whole" else ()
        size = {"install": 1000, "large": 10**6}.get(what)
        made = (
            [small_set("o", size), small_set("n", size), "run"]
            if size
            else [report(1000), report(1039, pages), "2024-baseline"]
        )
        if what == "report":
            drawn_once()
        swaps = (file_sets._exchanged, lambda *_: False) if size else (file_sets._exchanged,)
        for swap in swaps:
            file_sets._exchanged = swap
            case = Case(Path(tempfile.mkdtemp(dir=base)), *made)
            print(case.count, "changes", "" if swap is swaps[0] else "in two moves")
            for (kind, state), times in sorted(swept(case, strikes, what == "large").items()):
                print(kind, state, times, sep="\t", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
