"""What notebooks say around tables and figures, as readers of the pages find it."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import zjtx_alloc as za

# Sentences that only who writes Python, or a TOML file by its keys, ever reads; those of a scenario's validators
# are said in the words of a workbook to its readers (tests/rules/test_programme_mistakes.py).
OF_PYTHON = {
    "quota",
    "criterion_form",
    "ledger",
    "closing",
    "apportion",
    "solver",
    "engine",
    "optima",
    "margins",
    "paradox",
}
OF_FILES = {
    "scenario",
    "factors",
    "outcomes",
    "conditions",
    "rubric",
    "composite",
    "uncertainty",
    "toml",
    "type",
    "grants",
}
IN_PYTHON = {
    "firms.real",
    "programme.not_here",
    "backtest.reference",
    "backtest.no_table",
    "programme.same_batch",
    "sweep.no_dask",
}
PROGRAMMERS = r"load_\w+|\bza\.|\bpd\.|Series|DataFrame|\bNone\b|\bTrue\b|known：|\[[a-z_]+[].]|\b[a-z]+_[a-z_]+"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ROOT = Path(__file__).parents[2]
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


def test_no_sentence_for_readers_has_a_word_of_programmers():
    templates = tomllib.loads((ROOT / "data" / "messages.zh.toml").read_text(encoding="utf-8"))
    found = [
        (f"{section}.{name}", words)
        for section, table in templates.items()
        for name, text in table.items()
        if isinstance(text, str) and section not in OF_PYTHON | OF_FILES and f"{section}.{name}" not in IN_PYTHON
        if (words := re.findall(PROGRAMMERS, re.sub(r"\{[^}]*\}", "", text)))
    ]
    assert found == []
    for name in ("no_data", "no_indicator"):  # said of a workbook too
        assert not re.search(PROGRAMMERS, re.sub(r"\{[^}]*\}", "", templates["panel"][name]))


@pytest.mark.thorough
def test_no_page_has_a_word_of_programmers(tmp_path):
    folder = za.run("2024-baseline", tmp_path, pages=("plan", "uncertainty", "budget")).folder
    for page in folder.glob("*.html"):
        text = re.sub(
            r"<(style|script|svg).*?</\1>|<[^>]*>|https?://[\w./?=&%-]+",
            " ",
            page.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
        assert not re.findall(PROGRAMMERS, text), page.name
