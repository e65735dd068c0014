"""Kernels that outlive their notebooks: lent again, cleared of what was before, replaced when they die, gone at the end."""

import ast
import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import psutil
import pytest
from jupyter_core.utils import ensure_event_loop

import zjtx_alloc as za
from zjtx_alloc.report.runs import kernel, notebooks
from zjtx_alloc.report.runs.kernel import begin_kernels, kept_kernels
from zjtx_alloc.report.runs.notebooks import run_notebook

pytestmark = pytest.mark.thorough

SEEN = "import os\n[os.getpid(), 'left_behind' in globals(), len(Out)]"
LEFT = "left_behind = 1\nleft_behind"


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Run a notebook of two cells; returns what the first shows."""

    def run(*cells):
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]})],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}},
        )
        book.cells += map(nbformat.v4.new_code_cell, cells)
        nbformat.write(book, tmp_path / "own.ipynb")
        monkeypatch.setattr(notebooks, "shipped", lambda *_: tmp_path / "own.ipynb")
        done = nbformat.read(run_notebook("own", {}, tmp_path / "out.ipynb"), as_version=4)
        return ast.literal_eval(done.cells[2].outputs[0]["data"]["text/plain"])

    return run


def test_a_kernel_is_lent_again_without_the_variables_of_the_last_notebook(told):
    with kept_kernels():
        first, *at_first = told(SEEN, LEFT)
        second, *at_second = told(SEEN, LEFT)
        assert first == second
        assert at_first == at_second == [False, 0]
        assert psutil.pid_exists(first)
    assert not psutil.pid_exists(first)


def test_a_kernel_begun_has_imported_what_pages_need_and_is_the_one_lent(told):
    with kept_kernels():
        begin_kernels(1)
        (idle,) = kernel._SHARED.idle
        seen = "import os, sys\n[os.getpid(), 'zjtx_alloc.report.figures.allocation' in sys.modules, 'zjtx_alloc' in globals()]"
        assert told(seen) == [idle.provisioner.process.pid, True, False]


def test_a_report_without_notebooks_begins_no_kernel(monkeypatch, tmp_path):
    """Its front page is a page too, but of no notebook."""
    asked = []
    monkeypatch.setattr(kernel, "begin_kernels", asked.append)
    za.run("2024-baseline", tmp_path, pages=())
    assert asked == [0]


def test_kernels_end_where_a_loop_runs_as_in_jupyter(told):
    def shown():
        try:
            return told(SEEN)
        finally:
            ensure_event_loop().close()  # as write_page

    async def run():
        with kept_kernels(), ThreadPoolExecutor(1) as pool:
            return pool.submit(shown).result()[0]

    assert not psutil.pid_exists(asyncio.run(run()))


def test_a_kernel_of_nobody_s_keeping_ends_with_its_notebook(told):
    assert not psutil.pid_exists(told(SEEN)[0])


def test_a_cell_that_fails_leaves_the_kernel_and_what_it_defined_goes(told):
    with kept_kernels():
        before, *_ = told(SEEN)
        with pytest.raises(za.ReportError, match=r"own\.ipynb 运行失败"):
            told(SEEN, LEFT, "1 / 0")
        assert told(SEEN) == [before, False, 0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_kernel_that_died_is_told_and_another_takes_its_place(told):
    with kept_kernels():
        before, *_ = told(SEEN)
        with pytest.raises(za.ReportError, match=r"own\.ipynb 的计算进程被终止"):
            told(SEEN, f"os.kill(os.getpid(), {int(signal.SIGKILL)})")
        after, *rest = told(SEEN)
        assert after != before
        assert rest == [False, 0]
