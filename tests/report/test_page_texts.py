"""What notebooks say around tables and figures, as readers of the pages find it."""

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PAGES = ("allocation", "uncertainty", "plan", "quota", "backtest", "data", "compare")


def cells(name):
    """Kind and text of each cell after the parameters and imports."""
    found = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in found]


@pytest.mark.parametrize("name", PAGES)
def test_each_figure_has_a_line_that_says_what_to_see(name):
    shown = cells(name)
    for (kind, text), (_, following) in zip(shown, [*shown[1:], ("", "")], strict=True):
        if kind == "code" and re.search(r"picture\(", text):
            assert following.startswith("看点：") or "看点：" in text, text


@pytest.mark.parametrize("name", [name for name in PAGES if name != "data"])
def test_the_answer_comes_first_and_the_technical_part_last(name):
    heads = [text.split("\n")[0] for kind, text in cells(name) if kind == "markdown" and text.startswith("## ")]
    assert heads[0] == "## 一、结论"
    assert [head.startswith("## 附录：") for head in heads] == [False] * (len(heads) - 1) + [True]
    assert [head[3] for head in heads[:-1]] == list("一二三四五六七八九"[: len(heads) - 1])
