"""Every notebook, run and opened in a real JupyterLab: nothing fails, every table can be read."""

from pathlib import Path

import papermill
import pytest
from support.explorer_page import browser
from support.jupyter_page import MEASURED, laboratory

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        papermill.execute_notebook(
            str(path), str(folder / path.name), progress_bar=False, execution_timeout=120,
            kernel_manager_class="zjtx_alloc.report.runs.kernel.OwnKernelManager",
        )  # fmt: skip
    return folder


@pytest.mark.slow
@pytest.mark.needs_browser
def test_every_table_of_a_notebook_can_be_read_in_jupyterlab(executed, tmp_path):
    wrong, said, tables = [], [], 0
    with laboratory(executed, tmp_path) as address, browser() as chromium:
        for path in sorted(executed.glob("*.ipynb")):
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.on("console", lambda line: said.append(line))  # noqa: PLW0108 - playwright takes no method of a list
            page.goto(f"{address}/doc/tree/{path.name}?reset")
            page.wait_for_selector(".jp-OutputArea-output", timeout=60_000)
            page.wait_for_function(
                "() => !document.querySelector('.jp-Notebook-cell.jp-mod-placeholder')", timeout=60_000
            )
            for width in (1280, 900):
                page.set_viewport_size({"width": width, "height": 900})
                page.evaluate("() => document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
                page.wait_for_timeout(500)
                found = page.evaluate(MEASURED)
                tables += len(found)
                wrong += [
                    (path.stem, width, table)
                    for table in found
                    if table["cut"] or table["beyond"] or (table["fewest"] or 99) < 3
                ]
            page.close()
    assert wrong == []
    assert [line.text for line in said if line.type == "error"] == []
    assert tables > 100
