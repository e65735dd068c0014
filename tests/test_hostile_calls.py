"""Every public function called with values of the right kind that are wrong: it answers or raises an error of the package."""

import inspect
import re
from fractions import Fraction

import pandas as pd
import pytest
from support.firm_tables import DAY, firms, raw
from support.hostile_calls import NUMBERS, TEXTS, Call, few, frame, mapping, number, sequence, series, text

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units

pytestmark = pytest.mark.thorough

UNIT = "320000"
E = pd.Series({"a": 3.2, "b": 4.4, "c": 2.4, "d": 1.1})
SERIES = pd.Series([5, 3, 2, 1], index=list("abcd"))
PLACES = pd.Series({UNIT: 2})
RANGE = {"little_giants": (0.2, 0.6)}
# A number's place holds a text, a list or the like: a type that the signature excludes, and Python's own error may come.
OF_ANOTHER_TYPE = ("a word", "a list", "complex", "NA")


def impossible(_valid=None):
    """Numbers that no call of theirs can answer: each that may be right takes a minute."""
    return ((name, NUMBERS[name]) for name in ("minus one", "nan", "infinity", "ten to the 400", "sNaN"))


def call(function, wrong, **valid):
    return Call(function, valid, wrong)


def solved(**problem):
    return za.solve(za.QuotaProblem(**problem))


def grouped(name, members, floor, cap):
    return solved(total=11, entitlement=E, groups=(za.Group(name, members, floor, cap),))


def ruled(coefficients, lower, upper, others=()):
    return solved(total=11, entitlement=E, rules=(za.Rule("r", coefficients, lower, upper), *others))


def crossing(**rule):
    return ruled(**rule, others=(za.Rule("s", {"b": 1, "c": 1}, lower=2),))


def booked(approved, opening_year, closing_year, payment):
    cohort = za.Cohort("x", approved, opening_year, closing_year, payment=payment)
    return za.ledger((cohort,), za.load_award("caijian-2024-148"))


def budgeted(**request):
    return za.plan_budget(za.BudgetRequest(["2024-baseline"], ["central"], **request))


def granted(selection, **rule):
    return za.firms.amounts(selection, PLACES * 500, za.firms.GrantRule(**rule))


def everywhere(places):
    """Places by unit, none where none are given."""
    return pd.Series(places).reindex(load_units().index, fill_value=0)


def of_numbers():
    """Calls that need no facts."""
    problem, bounds = za.QuotaProblem(11, E), {"floor": E * 0, "cap": E * 0 + 9}
    table = pd.DataFrame([[4.0, 1], [2, 3]], index=["r1", "r2"], columns=["c1", "c2"])
    margins = {"rows": pd.Series({"r1": 4, "r2": 3}), "columns": pd.Series({"c1": 5, "c2": 2})}
    bounded, listed = {"lower": 1, "upper": 9, "coefficients": {"a": 1, "b": 1}}, {"floor": [0] * 4, "cap": [9] * 4}
    rule = {"coefficients": mapping, "lower": number, "upper": number}
    return {
        "QuotaProblem": call(solved, {"total": number, "entitlement": series, "floor": number, "cap": number, "criterion": text}, total=11, entitlement=E),
        "QuotaProblem, bounds": call(solved, {"floor": series, "cap": series}, total=11, entitlement=E, **bounds),
        "Group": call(grouped, {"members": sequence, "floor": number, "cap": number, "name": text}, name="g", members=("a", "b"), floor=1, cap=5),
        "Rule": call(ruled, rule, **bounded),
        "Rule that crosses another": call(crossing, rule, **bounded),
        "apportion": call(za.apportion, {"weights": sequence, "seats": number, "floor": number, "cap": number, "method": text, "ties": text}, weights=[5, 3, 2, 1], seats=10),
        "apportion by label": call(za.apportion, {"weights": series, "floor": series, "cap": series}, weights=SERIES, seats=10, floor=SERIES * 0, cap=SERIES * 9),
        "apportion by position": call(za.apportion, {"floor": sequence, "cap": sequence}, weights=[5, 3, 2, 1], seats=10, **listed),
        "divisors": call(za.divisors, {"weights": sequence, "seats": number, "base": number}, weights=[5, 3, 2, 1], seats=10),
        "all_optimal": call(za.all_optimal, {"most": number}, problem=za.QuotaProblem(4, pd.Series([1.5, 1.5, 1.0], list("abc")))),
        "apportion_ties": call(za.apportion_ties, {"weights": sequence, "seats": number}, weights=[5, 3, 2, 1], seats=10),
        "priority_list": call(za.priority_list, {"weights": series, "seats": number, "following": number, "cap": series}, weights=SERIES, seats=10, following=3, cap=SERIES * 9),
        "biproportional": call(za.biproportional, {"weights": frame, "rows": series, "columns": series, "method": text}, weights=table, **margins),
        "stationary": call(za.stationary, {"r": number}, r="0.5"),
        "power_mean": call(za.power_mean, {"p": number}, p=1),
        "solve": call(za.solve, {"engine": text}, problem=problem),
        "solve_many": call(za.solve_many, {"entitlements": frame}, problem=problem, entitlements=pd.DataFrame([E, E])),
        "solve_many of an array": call(za.solve_many, {"entitlements": sequence}, problem=problem, entitlements=[list(E), list(E)]),
        "verify": call(za.verify, {"quota": series}, problem=problem, quota=za.solve(problem).quota),
        "paradoxes": call(za.paradoxes, {"reach": number}, problem=problem, reach=3),
    }  # fmt: skip


def of_batches():
    """Calls over the shipped facts and scenario."""
    panel, scenario, award = za.load_panel(), za.load_scenario("2024-baseline"), za.load_award("caijian-2024-148")
    both, allocation = {"panel": panel, "scenario": scenario}, za.allocate(panel, scenario)
    plan, cohorts = za.plan([allocation, za.load_scenario("2025-baseline")]), za.cohorts(allocation)
    outlook, ledger = za.forecast_budget(cohorts, award, "central"), za.ledger(cohorts, award)
    transfers = pd.DataFrame({"单位": ["天津"], "年度": [2024], "文号": ["x"], "金额（万元）": [5700]})
    odds = za.load_outcomes("central").model_copy(update={"nodes": 5})
    small = tuple(
        za.allocate(panel, za.load_scenario(f"{year}-baseline").model_copy(update={"total": 40}))
        for year in (2024, 2025)
    )
    doubt, years = (
        {"weights": {"little_giants": {"min": 0.1, "max": 0.9}}},
        {"opening_year": 2024, "closing_year": 2027},
    )
    return {
        "robust": call(za.robust, {"draws": few, "seed": few}, **both, weights=RANGE, draws=2),
        "sweep": call(za.sweep, {"draws": few, "seed": few, "uncertainty": mapping}, **both, draws=4, uncertainty=doubt),
        "weight_range": call(lambda pair: za.weight_range(panel, scenario, {"little_giants": pair}), {"pair": sequence}, pair=[0.2, 0.6]),
        "fit_weights": call(za.fit_weights, {"observed": text, "factors": sequence, "slack": number}, panel=panel, observed="first_round_continued_r1_sum", factors=["little_giants"]),
        "explain": call(za.explain, {"unit": text}, allocation=allocation),
        "allocate": call(za.allocate, {"previous": series}, **both, previous=allocation.quota),
        "plan": call(za.plan, {"own": few}, scenarios=[allocation]),
        "replan": call(lambda approved: za.replan(plan, {1: approved}), {"approved": series}, approved=allocation.quota),
        "compose": call(za.compose, {"name": text}, **both),
        "nowcast": call(za.nowcast, {"indicator": text, "period": text, "known_by": text}, indicator="little_giants", period="2024-06"),
        "tails": call(za.tails, {"payment": number, "unseen_rate": number}, panel=panel, payment=200, unseen_rate=Fraction(1, 2)),
        "Cohort": call(booked, {"approved": series, "opening_year": number, "closing_year": number, "payment": number}, approved=allocation.quota, payment=None, **years),
        "ledger": call(za.ledger, {"adjustments": frame}, cohorts=cohorts, award=award, adjustments=pd.DataFrame({"unit": [UNIT], "fiscal_year": [2024], "amount": [5]})),
        "forecast_budget": call(za.forecast_budget, {"outcomes": text}, cohorts=cohorts, award=award),
        "joint_ranges": call(lambda years: za.joint_ranges(outlook, years), {"years": sequence}, years=[2024, 2025]),
        "affordable_total": call(za.affordable_total, {"batch": few, "confidence": few}, ceilings={2024: 10**5}, batch=1, allocations=(allocation,), outcomes=outlook, confidence=0.9),
        "reconcile": call(za.reconcile, {"actuals": frame}, ledger=ledger, actuals=transfers),
        "affordable_frontier": call(za.affordable_frontier, {"ceilings": lambda valid: ((name, valid | {2024: value}) for name, value in impossible()), "confidence": impossible}, ceilings={2024: 10**5, 2025: 10**5}, batches=(1, 2), allocations=small, outcomes=odds, confidence=0.9),
        "affordable_frontier of batches": call(lambda batches: za.affordable_frontier({2024: 10**5, 2025: 10**5}, batches, small, odds, 0.9), {"batches": sequence}, batches=[1, 2]),
        "sweep_on_cluster": call(za.sweep_on_cluster, {"address": text, "draws": impossible}, **both, address="tcp://127.0.0.1:1"),
        "plan_budget": call(budgeted, {"confidence": few, "ceilings": mapping, "tail_payment": few, "tail_rate": text, "horizon": few}, ceilings={2024: 10**6}),
    }  # fmt: skip


def of_paths():
    """Loaders and writers, by names that are none."""
    loaders = {
        za.load_scenario: "name_or_path", za.load_panel: "path", za.load_award: "name", za.load_outcomes: "name_or_path", za.load_programme: "path",
        za.check_table: "path", za.verify_run: "folder", za.firms.load_list: "path", za.firms.load_rubric: "name", za.firms.load_conditions: "name",
        za.firms.load_uses: "source", za.firms.load_firms: "source",
    }  # fmt: skip
    found = {one.__name__: call(one, {name: text}) for one, name in loaders.items()}
    unwritable = {"path": lambda _valid: ((name, value) for name, value in TEXTS.items() if name != "a word")}
    scenario = za.load_scenario("2024-baseline")
    return found | {
        "run": call(za.run, {"scenario": text}),
        "run_budget": call(za.run_budget, {"actuals": text}, request=za.BudgetRequest(["2024-baseline"], ["central"])),
        "run_comparison": call(za.run_comparison, {"scenarios": lambda _valid: (("two words", ["x", "y"]), ("none", []))}),
        "write_template": call(za.write_template, unwritable),
        "save_scenario": call(za.save_scenario, unwritable, scenario=scenario),
    }  # fmt: skip


def of_firms(rubric):
    """The steps of a province."""
    listed, award = firms({}, {}, {}), za.load_award("caijian-2024-148")
    selection = za.firms.select(listed, rubric, PLACES)
    received = pd.Series(300, index=listed.table.index)
    invented = za.firms.made_up_firms(total=20)
    evaluation = za.firms.evaluate(listed, rubric)
    settled = za.firms.settle(listed, award, pd.Series(dtype="int64"), received)
    books = za.ledger([za.firms.firm_cohort(1, everywhere({UNIT: 3}), award, settled=settled)], award)
    terms = za.firms.Terms(1, DAY, za.firms.load_conditions(), rubric, rubric, za.firms.EQUAL)
    opening = za.firms.open_batch(invented, everywhere({}) + 2, terms)
    approved = opening.grants.firms
    return {
        "load_firms of a frame": call(za.firms.load_firms, {"source": frame}, source=raw({}), unit="江苏"),
        "load_uses of a frame": call(za.firms.load_uses, {"source": frame}, source=pd.DataFrame({"x": [1]})),
        "spot_check": call(za.firms.spot_check, {"share": text, "seed": number}, firms=listed, share="0.5", seed=1),
        "made_up_firms": call(za.firms.made_up_firms, {"seed": number, "total": number}, total=20),
        "made_up_table": call(za.firms.made_up_table, {"seed": number, "total": number, "unit": text}, total=20),
        "made_up_results": call(za.firms.made_up_results, {"seed": number}, firms=invented, received=pd.Series(300, index=invented.table.index)),
        "concealed": call(za.firms.concealed, {"seed": number}, firms=listed),
        "city_quotas": call(za.firms.city_quotas, {"quota": series, "floor": number}, firms=listed, quota=PLACES),
        "review": call(za.firms.review, {"quota": series}, firms=listed, quota=PLACES, as_of=DAY),
        "select": call(lambda quota: za.firms.select(listed, rubric, PLACES, {UNIT: quota}), {"quota": series}, quota=pd.Series({"南京市": 2})),
        "cut_lines": call(za.firms.cut_lines, {"step": text}, selection=selection),
        "amounts": call(lambda money: za.firms.amounts(selection, money, za.firms.EQUAL), {"money": series}, money=PLACES * 500),
        "GrantRule": call(lambda **rule: granted(selection, **rule), {"score_share": text, "floor": number, "cap": number}, score_share="0.5"),
        "evaluate": call(za.firms.evaluate, {"bands": mapping}, firms=listed, rubric=rubric, bands={"好": "60", "差": "0"}),
        "settle": call(za.firms.settle, {"discontinued": series, "granted": series}, firms=listed, award=award, discontinued=PLACES, granted=received),
        "continuing": call(za.firms.continuing, {"least": text}, evaluation=evaluation),
        "continuing by rank": call(za.firms.continuing, {"places": series}, evaluation=evaluation, places=PLACES),
        "leaving": call(za.firms.leaving, {"year": number}, evaluation=evaluation, goes_on=listed.only([0])),
        "firms_to_books": call(za.firms.firms_to_books, {"paid": series}, paid=pd.Series({UNIT: 855}), settled=settled, books=books),
        "open_batch": call(za.firms.open_batch, {"quota": series, "supported": lambda _valid: ((name, {"first_round": [value]}) for name, value in TEXTS.items())}, applicants=invented, quota=opening.quota, terms=terms, supported={"first_round": []}),
        "close_batch": call(za.firms.close_batch, {"least": text}, opening=opening, yearly=approved, final=approved),
        "firm_cohort": call(za.firms.firm_cohort, {"batch": number, "approved": series, "quota": series}, batch=1, approved=PLACES, award=award, quota=PLACES),
        "progress": call(za.firms.progress, {"due": series}, firms=listed, due=received),
    }  # fmt: skip


def failures(calls):
    """What comes out that is neither an answer nor an error of the package, by call."""
    found = []
    for name, one in calls.items():
        for described, arguments in one.hostile():
            try:
                one.function(**arguments)
            except za.ZjtxError:
                continue
            except (TypeError, AttributeError) as error:
                if not described.endswith(OF_ANOTHER_TYPE):
                    found.append(f"{name}({described}): {error!r}"[:200])
            except Exception as error:
                found.append(f"{name}({described}): {error!r}"[:200])
    return found


def test_numbers_tables_and_labels():
    assert failures(of_numbers()) == []


def test_batches_and_money():
    assert failures(of_batches()) == []


def test_names_and_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert failures(of_paths()) == []


def test_steps_of_a_province(rubric):
    assert failures(of_firms(rubric)) == []


def test_no_public_function_with_values_of_its_own_is_left_out(rubric):
    """The others take only what the package itself has made, and proven when it was made."""
    called = {
        name.partition(" ")[0].rstrip(",")
        for calls in (of_numbers(), of_batches(), of_paths(), of_firms(rubric))
        for name in calls
    }
    plain = re.compile(r"\b(int|float|str|Fraction|Series|DataFrame|ndarray)\b")
    names = {name: getattr(place, name) for place in (za, za.firms) for name in place.__all__}
    left = []
    for name, one in names.items():
        if inspect.isfunction(one) and name not in called:
            taken = inspect.signature(one).parameters.values()
            left += [name] * any(plain.search(str(parameter.annotation)) for parameter in taken)
    assert sorted(left) == []
