"""report.xlsx as a model: named cells, formulas that give the library's numbers, ties, and rules that only the program knows."""

import random
import re

import openpyxl
import pandas as pd
import pytest
from support.workbooks import named_cells, places_of_keys, unsolved

import zjtx_alloc as za
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.report.report_xlsx.annexes import followers, live_sheets
from zjtx_alloc.report.report_xlsx.model import Model
from zjtx_alloc.report.writers.sheet import cell_of
from zjtx_alloc.report.writers.webster import Search
from zjtx_alloc.report.writers.xlsx import write_workbook

FACTORS = ("sme_count", "little_giants", "first_round_continued_r1_sum")


def model_of(scenario, panel):
    return Model(za.Results(panel, scenario))


@pytest.fixture(scope="module")
def model(results):
    return Model(results)


@pytest.fixture(scope="module")
def book(model, tmp_path_factory):
    """The live sheets of the baseline."""
    path = tmp_path_factory.mktemp("book") / "report.xlsx"
    return write_workbook(path, [*live_sheets(model), *followers(model)], "试")


@pytest.fixture(scope="module")
def slim(model, tmp_path_factory):
    """参数, 测算 and 求解 alone, which LibreOffice opens in a third of the time."""
    parameters, calculation, _, search, _ = live_sheets(model)
    return write_workbook(tmp_path_factory.mktemp("slim") / "report.xlsx", [parameters, calculation, search], "试")


def test_names_for_whoever_checks_from_outside(book, panel, baseline):
    formulas, values = openpyxl.load_workbook(book), openpyxl.load_workbook(book, data_only=True)
    assert named_cells(formulas, "total") == 1039
    assert {code: named_cells(formulas, f"weight_{code}") for code in FACTORS} == dict(zip(FACTORS, (0.4, 0.4, 0.2), strict=True))  # fmt: skip
    assert named_cells(values, "quota") == za.allocate(panel, baseline).quota.tolist()
    assert all(cell.startswith("=") for cell in named_cells(formulas, "quota"))
    assert named_cells(values, "unit_name") == panel.units["short_name"].tolist()


def test_the_formulas_are_those_that_excel_wps_and_libreoffice_share(book):
    """No LET, no volatile function, nothing that must be confirmed as an array, no choice inside a SUMPRODUCT."""
    sheets = openpyxl.load_workbook(book).worksheets
    found = [c.value for s in sheets for row in s.iter_rows() for c in row if str(c.value).startswith("=")]
    assert len(found) > 2000
    assert all(isinstance(formula, str) for formula in found)  # an array formula is an object
    functions = {name for formula in found for name in re.findall(r"([A-Z][A-Z.]+)\(", formula)}
    assert functions == {
        "ABS", "AND", "IF", "INDEX", "INT", "MATCH", "MAX", "MEDIAN", "MIN", "NA", "OR", "ROUND", "SQRT", "SUM", "SUMIF",
        "SUMIFS", "SUMPRODUCT",
    }  # fmt: skip
    within = [re.sub(r"^.*?SUMPRODUCT", "", f) for f in found if "SUMPRODUCT" in f and "divisor" not in f]
    assert not any(re.match(r"\([^()]*\b(IF|MIN|MAX)\(", formula) for formula in within)


def test_a_name_is_given_once_and_every_input_says_what_it_is(model):
    cells = [cell_of(c) for sheet in live_sheets(model) for row in (*sheet.rows, *sheet.totals) for c in row.values()]
    keys = [cell.key for cell in cells if cell.key]
    assert len(keys) == len(set(keys)) == 1 + 3 + 4 + 2 + 1 + (3 + 5) * 37
    assert all(cell.is_input for cell in cells if cell.key)


@pytest.mark.parametrize(
    ("places", "total", "expected"),
    [
        ({"a": 1.5, "b": 1.5}, 3, [2, 1]),  # the same price: the larger first, then by label
        ({"a": 0.5, "b": 1.5, "c": 2.5, "d": 3.5}, 8, [0, 1, 3, 4]),  # whole steps: 1/0.5 = 3/1.5 = 5/2.5 = 7/3.5
        ({"a": 0.333333333, "b": 0.999999999, "c": 1.666666668}, 3, [0, 1, 2]),
        ({"a": 3.0, "b": 0.0}, 3, [3, 0]),
        (
            {"a": 27.777777778, "b": 250.0},
            275,
            [28, 247],
        ),  # apart in the eleventh digit: halving scales took them for a tie
    ],
)
def test_the_search_hands_out_ties_as_the_library_does(places, total, expected):

    problem = QuotaProblem(total=total, entitlement=pd.Series(places), floor=0, cap=total)
    found = Search.of(problem).quota
    assert found == za.solve(problem).quota.tolist() == expected


def test_the_search_is_the_library_on_many_problems_full_of_ties():

    draw, tied = random.Random(5), 0
    for _ in range(100):
        count = draw.randint(2, 9)
        raw = [draw.choice([0, 1, 2, 3, 5, 7, 9, 15]) * draw.choice([1, 0.5, 1 / 3]) for _ in range(count)]
        total = draw.randint(1, 40)
        scale = total / (sum(raw) or 1)
        places = pd.Series([value * scale for value in raw], index=[f"u{n}" for n in range(count)])
        floor = pd.Series([draw.choice([0, 0, 1, 2]) for _ in raw], index=places.index)
        cap = floor + pd.Series([draw.choice([3, 8, 40]) for _ in raw], index=places.index)
        problem = QuotaProblem(total=total, entitlement=places, floor=floor, cap=cap)
        if not sum(problem.lower) <= total <= sum(problem.upper) or not sum(raw):
            continue
        search, solved = Search.of(problem), za.solve(problem)
        assert search.quota == solved.quota.tolist(), (raw, total)
        tied += bool(solved.ties)
    assert tied > 5


CROSSED = """extends = "2024-baseline"
[rules."平衡"]
coefficients = {{ "江苏" = 1, "浙江" = -1 }}
max = {most}
"""


def status(book, label):
    """The row of 参数 that begins with a text: value, and words."""
    row = next(r for r in book["参数"].iter_rows(min_row=4, values_only=True) if str(r[0]).startswith(label))
    return row[1], row[-1]


@pytest.mark.thorough
def test_where_a_rule_binds_the_quota_is_the_programs_and_stands_beside_the_unbound_one(
    panel, write_scenario, tmp_path
):
    free = za.allocate(panel, za.load_scenario("2024-baseline")).quota
    gap = int(free["320000"] - free["330000"])
    scenario = za.load_scenario(write_scenario(CROSSED.format(most=gap - 3)))
    path = write_workbook(tmp_path / "x.xlsx", live_sheets(model_of(scenario, panel)), "试")
    book = openpyxl.load_workbook(path, data_only=True)
    assert named_cells(book, "quota") == za.allocate(panel, scenario).quota.tolist() != free.tolist()
    assert named_cells(book, "unbound_quota") == free.tolist()
    assert status(book, "规则：平衡") == (gap, "突破：不受规则约束的名额不满足此规则，名额由程序得出")
    assert status(book, "突破的数量：平衡")[0] == 3


@pytest.mark.slow
@pytest.mark.needs_office
def test_rules_and_criteria_in_libreoffice(panel, write_scenario, recalculated, tmp_path):
    """A rule kept, a rule that a change of the total breaks, and another criterion: no quota that is not one."""
    free = za.allocate(panel, za.load_scenario("2024-baseline")).quota
    gap = int(free["320000"] - free["330000"])
    texts = {
        "kept": CROSSED.format(most=gap), "binding": CROSSED.format(most=gap - 3),
        "hamilton": 'extends = "2024-baseline"\ncriterion = "hamilton"\n',
        "based": 'extends = "2024-baseline"\n[base]\ndefault = 2\n"计划单列市" = 1\n',
    }  # fmt: skip
    paths, quotas = [], {}
    for name, text in texts.items():
        scenario = za.load_scenario(write_scenario(text, f"{name}.toml"))
        quotas[name] = za.allocate(panel, scenario).quota.tolist()
        path = write_workbook(tmp_path / f"{name}.xlsx", live_sheets(model_of(scenario, panel)), "试")
        paths += [path, unsolved(path, tmp_path / f"{name}-twice.xlsx", {"total": 2078})]
    found = {p.stem: openpyxl.load_workbook(p, data_only=True) for p in recalculated(*paths)}
    for name in texts:
        assert named_cells(found[name], "quota") == quotas[name], name
        assert named_cells(found[name], "changed") == 0
        assert named_cells(found[f"{name}-twice"], "quota") == ["#N/A"] * 37, name
        assert status(found[f"{name}-twice"], "改动处数")[1] == "已改动：原名额不再适用，请交回程序重算"
        assert sum(named_cells(found[f"{name}-twice"], "unbound_quota")) == 2078
    due = za.allocate(panel, za.load_scenario(tmp_path / "based.toml")).entitlement.places
    assert named_cells(found["based"], "entitlement") == pytest.approx(due.tolist(), abs=1e-8)
    assert status(found["kept"], "规则：平衡") == (gap, "满足")
    assert status(found["kept-twice"], "规则：平衡")[1].startswith("突破")


def random_change(draw, codes):
    """Weights, coefficients, total, bounds, decided quotas and the rate: by the names and cells of the sheets."""
    shares = [draw.random() for _ in FACTORS]
    weights = [round(share / sum(shares), 3) for share in shares[:2]]
    found = {("factors", c, "weight"): w for c, w in zip(FACTORS, [*weights, round(1 - sum(weights), 3)], strict=True)}
    found |= {("region_coefficient", r): round(draw.uniform(0.8, 1.5), 2) for r in ("东部", "中部", "西部", "东北")}
    found[("total",)] = draw.choice([37, 200, 1039, 1241, draw.randint(60, 3000)])
    found[("floor", "default")] = draw.choice([0, 0, 1, 2, 3, 20])
    if draw.random() < 0.4:
        found[("cap", "default")] = draw.choice([30, 60, 100, 200])
    for table, low, high in (("floor", 0, 10), ("cap", 5, 90), ("eligible_pool", 5, 90)):
        found |= {(table, code): draw.randint(low, high) for code in draw.sample(codes, draw.randint(0, 6))}
    for code in draw.sample(codes, draw.randint(0, 2)):
        found |= {("fixed", code, "quota"): draw.randint(0, 5), ("fixed", code, "reason"): "会商确定"}
    return found | {("approval", "rate"): draw.choice([1.0, 0.9, 0.85, 0.7777])}


def changed_scenario(baseline, change):
    """The scenario that a change of cells means."""
    tables = baseline.resolved()
    tables.pop("uncertainty")
    for (*above, last), value in change.items():
        table = tables
        for key in above:
            table = table.setdefault(key, {})
        table[last] = f"{value:.4f}" if above == ["approval"] else value
    return za.Scenario.model_validate({"name": "试"} | tables)


@pytest.fixture
def solved_anew(model, recalculated, tmp_path):
    """A workbook of the baseline with other inputs, given by their keys, as LibreOffice computes it: one for each change."""

    def solve(book, changes):
        places = places_of_keys(model)
        paths = [
            unsolved(book, tmp_path / f"{n}.xlsx", {places[k]: v for k, v in change.items()})
            for n, change in enumerate(changes)
        ]
        return [openpyxl.load_workbook(path, data_only=True) for path in recalculated(*paths)]

    return solve


@pytest.mark.slow
@pytest.mark.needs_office
@pytest.mark.parametrize(("seed", "sets", "whole"), [(0, 5, True), (1, 100, False)])
def test_libreoffice_recalculates_what_the_library_computes(seed, sets, whole, solved_anew, request):
    """A hundred sets of weights, coefficients, bounds, totals and rates: none differs, money included; annexes follow."""
    panel, baseline = za.load_panel(), za.load_scenario("2024-baseline")
    draw, book = random.Random(seed), request.getfixturevalue("book" if whole else "slim")
    changes, infeasible = [random_change(draw, list(panel.units.index)) for _ in range(sets)], 0
    for found, change in zip(solved_anew(book, changes), changes, strict=True):
        quota = named_cells(found, "quota")
        try:
            expected = za.allocate(panel, changed_scenario(baseline, change))
        except (za.InfeasibleError, za.ScenarioError):
            infeasible += 1
            assert quota == ["#N/A"] * 37, change
            assert named_cells(found, "shortfall") > 0
            assert status(found, "可行性")[1].startswith("无解：")
            continue
        assert quota == expected.quota.tolist(), change
        assert status(found, "可行性") == (0, "可行")
        assert named_cells(found, "approved") == expected.approved.tolist()
        assert named_cells(found, "opening_money") == (expected.approved * 300).tolist()
        assert named_cells(found, "commitment_money") == (expected.approved * 600).tolist()
        if whole:
            annex = found["附件1 名额分配表"].iter_rows(min_row=4, max_row=40, values_only=True)
            assert [row[4] for row in annex] == quota
    assert 0 < infeasible < sets / 2


@pytest.mark.slow
@pytest.mark.needs_office
def test_ties_in_libreoffice_follow_the_tie_rule(solved_anew, slim, panel, baseline):
    """Values of 1, 3 and 5 at the same coefficients: every total is a tie."""
    raw, changes = pd.Series([1.0 + n % 3 * 2 for n in range(37)], index=panel.units.index), []
    for total in (38, 75, 300, 1000):
        change = {("total",): total, ("floor", "default"): 0}
        change |= {("region_coefficient", region): 1.0 for region in ("东部", "中部", "西部", "东北")}
        for code, factor in baseline.factors.items():
            change |= {("facts", code, factor.period, str(unit)): value for unit, value in raw.items()}
        changes.append(change)
    for found, change in zip(solved_anew(slim, changes), changes, strict=True):
        total = change[("total",)]
        problem = QuotaProblem(total=total, entitlement=raw / raw.sum() * total, floor=0, cap=total)
        solved = za.solve(problem)
        assert solved.ties
        assert named_cells(found, "places_left") > 0
        assert named_cells(found, "quota") == solved.quota.tolist()
