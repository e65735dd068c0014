"""What every figure says for itself: assumptions and sources at its foot, measures on its axes, lines that fit."""

import re
from dataclasses import replace

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

import zjtx_alloc as za
from zjtx_alloc.report import table as tables
from zjtx_alloc.report.figures import (
    allocation as figures,
    budget as figures_budget,
    compare as figures_comparison,
    data as figures_data,
    studies as figures_planning,
    sweep as figures_sweep,
)
from zjtx_alloc.report.figures.style import foot, picture, style
from zjtx_alloc.report.notes.marks import mark_shares, source_line
from zjtx_alloc.report.results import money_by_year
from zjtx_alloc.report.tables import sweep as sweep_tables
from zjtx_alloc.report.tables.ranges import regret_note, uncertainty_summary

SOURCES = r"数据来源：本工具推算（2023-12、2024-06[^）]*）；多处（官方页面、媒体报道、转载）（2023-12、2024-06[^）]*）；工业和信息化部（2024-04）。"


@pytest.fixture(scope="module")
def plan(panel):
    return za.plan_budget(za.BudgetRequest(["2024-baseline"], ["central"]), panel)


@pytest.fixture(scope="module")
def comparison(allocation, panel, baseline):
    return za.compare([allocation, baseline.model_copy(update={"name": "hamilton", "criterion": "hamilton"})], panel)


DRAWN = {
    "quota": lambda allocation, plan, comparison: figures.quota_figure(allocation),
    "map": lambda allocation, plan, comparison: figures.map_figure(allocation),
    "budget": lambda allocation, plan, comparison: figures_budget.budget_figure(plan.full, plan.allocations),
    "fan": lambda allocation, plan, comparison: figures_budget.fan_figure(plan.outlooks, plan.allocations),
    "bridge": lambda allocation, plan, comparison: figures_budget.bridge_figure(
        plan.bridge(), source_line(*plan.allocations)
    ),
    "gains": lambda allocation, plan, comparison: figures_comparison.gains_figure(comparison),
    "gain map": lambda allocation, plan, comparison: figures_comparison.gain_map(comparison, "hamilton"),
    "regions": lambda allocation, plan, comparison: figures_comparison.regions_figure(comparison),
    "money": lambda allocation, plan, comparison: figures_comparison.money_figure(
        comparison, money_by_year(comparison)
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_names_its_sources_and_measures(name, allocation, plan, comparison):
    figure = DRAWN[name](allocation, plan, comparison)
    told = figure.get_supxlabel().replace("\n", "")
    assert re.search(SOURCES, told)
    for axes in figure.axes:
        if axes.axison:
            labels = axes.get_xlabel() + axes.get_ylabel()
            assert any(measure in labels for measure in ("（家）", "（亿元）", "（%）")), labels


def test_a_figure_of_several_batches_bears_the_marks_of_all(panel):
    several = za.plan([za.load_scenario(name) for name in ("2024-baseline", "2025-baseline")], panel)
    told = figures_planning.plan_figure(several).get_supxlabel().replace("\n", "")
    assert mark_shares(*several.allocations) in told
    assert source_line(*several.allocations) in told


HOSTILE = r"_$\foo$ $x^2$"


@pytest.mark.thorough
def test_names_are_words_no_formulas_and_none_is_left_out_of_a_legend(allocation, plan, panel, baseline):
    """As mathematics the first would end the report, the second be typeset; the underscore hides a label from a legend."""
    renamed = replace(allocation, scenario=baseline.model_copy(update={"name": HOSTILE, "title": HOSTILE}))
    compared = za.compare([allocation, renamed], panel)
    outlook = replace(plan.outlooks[0], outcomes=plan.outlooks[0].outcomes.model_copy(update={"title": HOSTILE}))
    drawn = [
        figures.map_figure(renamed),
        figures_comparison.money_figure(compared, money_by_year(compared)),
        figures_budget.fan_figure((outlook,), plan.allocations),
    ]
    for figure in drawn:
        assert picture(figure).svg
        assert {text.get_parse_math() for text in figure.findobj(Text) if text.get_text()} == {False}
    for figure in drawn[1:]:
        assert any(HOSTILE in text.get_text() for text in figure.axes[0].get_legend().get_texts())


def test_numbers_of_firms_within_a_power_of_ten_are_written_out(panel, baseline):
    close = {name: panel.cells[name].clip(20, 80) for name in ("value", "low", "high")}
    ((code, factor), *_) = baseline.factors.items()
    figure = figures_data.estimate_figure(replace(panel, cells=panel.cells.assign(**close)), [(code, factor.period)])
    assert "<svg" in picture(figure).svg
    labels = {text.get_text() for text in figure.axes[0].get_xticklabels(which="minor")} - {""}
    assert labels
    assert all(label.isdigit() for label in labels), labels


TINY = 'extends = "2024-baseline"\nbudget_with = []\ntotal = {total}\n[floor]\ndefault = 1\n[uncertainty.total]\nmin = {total}\nmax = {total}\n'


@pytest.fixture(scope="module", params=[40, 37])
def tiny(request, panel, tmp_path_factory):
    """So few places that most units have one; with 37 no weight moves any."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.toml"
    path.write_text(TINY.format(total=request.param), encoding="utf-8")
    scenario = za.load_scenario(path)
    return scenario, za.weight_range(panel, scenario), za.robust(panel, scenario), za.sweep(panel, scenario, draws=64)


@pytest.mark.thorough
def test_few_places_leave_bars_dots_and_numbers_within_their_axes(tiny, panel):
    scenario, ranges, held, swept = tiny
    drawn = (
        figures.quota_figure(za.allocate(panel, scenario)),
        figures_planning.range_figure(ranges, held),
        figures_sweep.band_figure(swept),
    )
    for figure in drawn:
        axes = figure.axes[0]
        _, most = axes.get_xlim()
        assert len(axes.texts) == 37
        assert all(text.get_position()[0] < most for text in axes.texts)
        assert all(max(line.get_xdata()) <= most for line in axes.lines)


@pytest.mark.thorough
def test_few_places_are_told_without_signs_of_nothing_or_ratios_to_it(tiny):
    _, ranges, held, swept = tiny
    told = uncertainty_summary(ranges, held) + regret_note(held)
    told += "".join([*sweep_tables.sweep_summary(swept), *sweep_tables.driver_summary(swept)])
    assert "nan" not in told
    assert "-0%" not in told
    assert "北京1—1" not in told
    if not held.measures["worst_regret"].any():
        assert "名额变动最大的单位：无" in told
        assert "最大遗憾：基准名额0.00，稳健名额0.00，即无论权重为何都是最优" in told


def test_a_fit_names_the_sources_of_what_it_fits(panel):
    told = (
        figures_planning.simplex_figure(za.fit_weights(panel, "first_round_continued_r1_sum:2024-04"))
        .get_supxlabel()
        .replace("\n", "")
    )
    assert (
        "数据来源：工业和信息化部（2024-04）；国家统计局 科学技术部（2020）；工业和信息化部中小企业局（2021-06）。"
        in told
    )


def test_a_user_s_own_facts_are_named_as_such(tmp_path, panel, baseline):
    rows = [f"{name},{number}" for number, name in enumerate(panel.units["short_name"], start=10)]
    (tmp_path / "own.csv").write_text("\n".join(["单位,有效期内“小巨人”企业数", *rows]), encoding="utf-8")
    own = za.load_panel(tmp_path / "own.csv")
    told = source_line(za.allocate(own, baseline))
    assert "本工具推算（2023-12）" in told
    assert (
        f"{own.sources.at[own.column('little_giants', own.supplied['little_giants'])['source'].iloc[0], 'publisher']}（{own.supplied['little_giants']}）"
        in told
    )
    assert "工业和信息化部中小企业局" not in told


def test_lines_at_the_foot_fill_the_figure_and_stay_inside():
    with rc_context(style()):
        figure = Figure(figsize=(8.4, 3), layout="constrained")
        figure.subplots()
        foot(figure, "假设2024—2026年共1039家，均值60.0%，" * 12)
        figure.draw_without_rendering()
        box = figure._supxlabel.get_window_extent()
    assert 0.85 < box.width / figure.bbox.width <= 1.0


def test_what_rounds_to_nothing_has_no_sign():
    shown = [tables.shown(kind, value) for kind, value in (("step", 0), ("difference", -0.004), ("difference", 0.0))]
    assert shown == ["0", "0.00", "0.00"]
    assert [tables.shown("difference", -0.04), tables.shown("step", 3), tables.shown("text", "-0")] == [
        "-0.04",
        "+3",
        "-0",
    ]
