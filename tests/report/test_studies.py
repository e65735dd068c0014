"""The pages of a report that look beyond its quotas: unknown weights, three batches as one plan, the look back."""

import json
import re

import pytest
from support.made_pages import odd_words

import zjtx_alloc as za

pytestmark = pytest.mark.thorough

STUDIES = ("uncertainty", "plan", "backtest")
FIGURES = {"uncertainty": 4, "plan": 1, "backtest": 2}
# 北京 and 天津 are due 40.7 and 18.3 places; the whole answers nearest to them on this line are (43, 17) and (38, 20).
ODD = '[rules."奇"]\ncoefficients = { "北京" = 3, "天津" = 5 }\nmin = 214\nmax = 214\n'


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Run reports with the studies, and of the pages that test_report looks at with one."""
    return lambda scenario: za.run(scenario, tmp_path_factory.mktemp("reports"), pages=("budget", *STUDIES)).folder


@pytest.fixture(scope="module")
def folder(whole):
    return whole("2024-baseline")


def page(folder, name):
    return (folder / f"{name}.html").read_text(encoding="utf-8")


def test_a_report_has_a_page_for_each_study(folder):
    assert {f"{name}.html" for name in ("index", "budget", *STUDIES)} == {path.name for path in folder.glob("*.html")}
    outputs = json.loads((folder / "environment.json").read_text(encoding="utf-8"))["outputs"]
    assert {f"{name}.html" for name in STUDIES} <= set(outputs)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_stands_alone_has_its_figures_and_names_its_assumptions(folder, name):
    found = page(folder, name)
    assert not re.findall(r"""src\s*=\s*["']?(?!data:)[^"'\s>]+|@import|url\((?!data:)""", found)
    assert found.count('src="data:image/svg+xml') >= FIGURES[name]
    assert "2024-baseline" in found
    assert "za.load_scenario" not in found
    for mark in ("估算", "公布"):
        assert mark in found
    assert odd_words(found) == []


def test_the_pages_show_the_numbers_of_the_library(folder, panel, baseline):
    ranges, swept = za.weight_range(panel, baseline).table, za.sweep(panel, baseline)
    found = page(folder, "uncertainty")
    assert f"{swept.draws:,}次抽样" in found
    east = ranges.loc["320000"]
    assert f"江苏{east['quota_min']:.0f}—{east['quota_max']:.0f}" in found
    batches = [a.scenario for a in za.allocate_programme(panel, baseline)]
    quota = za.plan(batches, panel).quota
    assert f">{quota.to_numpy().sum():,}</td>" in page(folder, "plan")
    fit = za.fit_weights(panel, "first_round_continued_r1_sum:2024-04").weights["weight"]
    assert all(f"{weight:.2f}（" in page(folder, "backtest") for weight in fit)


@pytest.mark.slow
def test_a_question_without_an_answer_is_told_in_its_page(whole, write_scenario):
    folder = whole(write_scenario('extends = "2024-baseline"\ndrop = ["uncertainty"]\n' + ODD, "odd.toml"))
    assert "没有写权重的可能范围" in page(folder, "uncertainty")
    assert "第1批的“奇”" in page(folder, "plan")
    for name in ("uncertainty", "plan"):
        assert "本情景没有这项结果" in page(folder, name)
        assert "Traceback" not in page(folder, name)
    assert "本情景没有这项结果" not in page(folder, "backtest")


@pytest.mark.slow
def test_the_same_inputs_give_the_same_pages(folder, whole):
    again = whole("2024-baseline")
    for name in STUDIES:
        assert page(again, name) == page(folder, name), name
