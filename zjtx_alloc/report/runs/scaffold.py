"""What all kinds of run have in common: drafts made side by side, bound by records, installed as one set and listed."""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.file_sets import alone_in, install
from zjtx_alloc.base.files import check_free, folder_for, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.run_id import bearing_run_id, set_run_id
from zjtx_alloc.report.runs.index import listed
from zjtx_alloc.report.runs.records import ENVIRONMENT, FACTS, GIVEN, RECORD, bound_in, facts_csv, run_id, write_records
from zjtx_alloc.report.runs.unit_pages import finished_pages, pages_there
from zjtx_alloc.report.writers.html import FRONT, Heading
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import save_bundle


@dataclass(frozen=True)
class Job:
    """A run to be made."""

    folder: Path
    record: dict[str, Any]  #: As ``run_record``: what is computed from what (dict).
    label: str  #: The scenarios, for the titles of pages.
    bound: tuple[str, ...]  #: The files that are the same bytes for the same inputs.
    drawn: tuple[str, ...]  #: The files that depend on versions of libraries.
    stale: tuple[str, ...] = ()  #: Other files that an earlier run may have left in the folder.
    with_units: bool = False  #: Whether pages of units that are finished of this very run stay.

    def heading(self) -> Heading:
        """What its pages are of, and which there are."""
        return Heading(self.label, tuple(name for name in self.drawn if name.endswith(".html")))


@dataclass(frozen=True)
class Draft:
    """A run in the making: its files come together in a temporary folder."""

    work: Path  #: For what is needed only meanwhile.
    folder: Path  #: For the files of the run.
    data: str  #: The facts of the run as a notebook's parameter: a path, blank for the shipped ones.
    _heading: Heading
    _pool: ThreadPoolExecutor
    _bar: tqdm
    _kept: list[str]
    _pages: list[Future[Path]] = field(default_factory=list)

    def saved(self, scenario: Scenario) -> str:
        """A scenario as a file for a notebook, with those it refers to: it may exist in memory only."""
        return str(save_bundle(scenario, Path(tempfile.mkdtemp(dir=self.work))))

    def keep(self, name: str, content: bytes) -> None:
        """Keep what the user gave, so that the run can be computed again."""
        self._kept.append(write_whole(self.folder / name, content).name)

    def page(self, name: str, parameters: dict[str, Any], study: bool = False) -> None:
        """Begin a page by its notebook; its kernel works while this process goes on."""
        from zjtx_alloc.report.runs.notebooks import write_page  # noqa: PLC0415 - a second that other uses need not pay

        path, given = self.folder / f"{name}.html", parameters | {"data": self.data}
        self._pages.append(self._pool.submit(write_page, path, given, self._heading, self.work, study))

    def wrote(self, path: Path) -> None:
        """Report progress."""
        self._bar.set_description(say("run.wrote", file=path.name))
        self._bar.update()


def report_folder(out: str | Path, name: str) -> Path:
    """The folder ``out/name`` of a run, made if it is not there.

    Raises
    ------
    ReportError
        If ``out`` is itself the folder of a run, whose front page the list of runs would take away; or as ``folder_for``.
    """
    if (Path(out) / RECORD).is_file():
        raise ReportError(say("run.out_is_run", folder=out, record=RECORD, parent=Path(out).absolute().parent))
    return folder_for(out, name)


@contextmanager
def drafted(job: Job, panel: Panel | None) -> Iterator[Draft]:
    """Make a run: within it, its files are drafted; at its end they have been bound, installed and listed.

    Parameters
    ----------
    job : Job
    panel : Panel, optional
        Facts of the user's own, which are kept with the run.

    Raises
    ------
    ReportError
        If the files cannot be written; then none is.
    """
    from zjtx_alloc.report.runs.kernel import begin_kernels, kept_kernels, kill_kernels  # noqa: PLC0415 - as the notebooks

    cores, pages = os.cpu_count() or 1, sum(name.endswith(".html") and name != FRONT for name in job.drawn)
    number, names = run_id(job.record), (*job.bound, *job.drawn)
    check_free(job.folder / name for name in (*names, ENVIRONMENT, RECORD))
    with (
        tempfile.TemporaryDirectory() as work,
        tqdm(total=len(names), leave=False) as bar,
        kept_kernels(),
        # Threads, since papermill only waits for its kernels; each begins with a context of its own.
        ThreadPoolExecutor(cores, initializer=set_run_id, initargs=(number,)) as pool,
        bearing_run_id(number),
    ):
        begin_kernels(min(cores, pages))
        drafts, kept = Path(work) / "drafts", list[str]()
        data = "" if panel is None else str(drafts / FACTS)
        draft = Draft(Path(work), drafts, data, job.heading(), pool, bar, kept)
        if panel is not None:
            draft.keep(FACTS, facts_csv(panel))
        try:
            yield draft
            for done in as_completed(draft._pages):
                draft.wrote(done.result())
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(page.done() for page in draft._pages):
                kill_kernels()
                time.sleep(0.05)
            raise
        units = finished_pages(job.folder, number).files() if job.with_units else {}
        write_records(drafts, job.record, (*job.bound, *kept), job.drawn, units)
        with alone_in(job.folder):
            stale = (FACTS, *job.stale, *bound_in(job.folder, GIVEN), *(() if units else pages_there(job.folder)))
            install(drafts, job.folder, stale, listed(job.folder.parent))
