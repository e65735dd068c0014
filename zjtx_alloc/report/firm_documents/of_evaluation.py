"""Of a year's evaluation (年度绩效评价): the report due on 30 April, the nation's grades with a sample for 抽查, what is put right."""

import math
from fractions import Fraction

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.steps.evaluate import Evaluation
from zjtx_alloc.firms.steps.settle import progress
from zjtx_alloc.firms.steps.spot_check import spot_check
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.firm_documents.fillings import Filling, counts, listed, money, numbered, percent, with_total

_RESULTS = ("planned_investment", "actual_investment", "target_completion", "money_received", "money_spent")
_ACHIEVED = 100  # % of the targets


def yearly_report(dossier: Dossier) -> Filling:
    """Targets, investment, money and grades of the evaluated firms, and who goes on being supported."""
    found, goes_on = _evaluated(dossier)
    table, pace = found.firms.need(*_RESULTS), progress(found.firms)
    facts = {
        "firms": len(table),
        "achieved": int((table["target_completion"] >= _ACHIEVED).sum()),
        "planned": money(math.fsum(table["planned_investment"])),
        "invested": money(math.fsum(table["actual_investment"])),
        "enough": int((table["actual_investment"] >= dossier.award.recovery_investment).sum()),
        **{name: money(math.fsum(pace[name])) for name in ("received", "spent", "idle")},
        **_graded(found, goes_on),
    }
    results = found.firms.displayed(["name", *_RESULTS])
    gone = found.firms.only(found.firms.table.index[~_goes_on(found, goes_on)])
    tables = {
        "results": numbered(results),
        "grades": numbered(_grades(found, goes_on).drop(columns=header("short_name"))),
        "gone": listed(gone, "name", "credit_code"),
    }
    return Filling(facts, tables)


def grade_summary(dossier: Dossier) -> Filling:
    """Firms by unit and grade, how many go on, and the sample."""
    found, goes_on = _evaluated(dossier)
    units = load_units()
    by_unit = found.by_unit.reindex(units.index.intersection(found.by_unit.index))
    frame = pd.DataFrame({header("short_name"): units["short_name"][by_unit.index]})
    frame = frame.assign(**{header("firms"): by_unit.sum(axis=1)}).join(by_unit)
    frame[header("goes_on_count")] = goes_on.by_unit[by_unit.index]
    drawn = spot_check(found.firms, dossier.share, dossier.seed)
    facts = _graded(found, goes_on) | {"firms": len(found.firms), "units": len(by_unit)} | _drawn(drawn, dossier)
    tables = {"by_unit": with_total(frame.reset_index(drop=True)), "sample": _sample(drawn, found, goes_on)}
    return Filling(facts, tables, frozenset({"by_unit"}))


def rectification(dossier: Dossier) -> Filling:
    """A form for what a check found and how it is put right, with the firms of the sample."""
    found, _ = _evaluated(dossier)
    drawn = spot_check(found.firms, dossier.share, dossier.seed)
    return Filling(_drawn(drawn, dossier), {"sample": listed(drawn, "unit", "name")})


def _evaluated(dossier: Dossier) -> tuple[Evaluation, Firms]:
    assert dossier.evaluation is not None
    assert dossier.goes_on is not None
    return dossier.evaluation, dossier.goes_on


def _goes_on(found: Evaluation, goes_on: Firms) -> pd.Series:
    return found.firms.table["credit_code"].isin(goes_on.table["credit_code"])


def _graded(found: Evaluation, goes_on: Firms) -> dict[str, object]:
    grades = found.grade.value_counts().reindex(list(found.bands), fill_value=0)
    going = int(_goes_on(found, goes_on).sum())
    return {
        "grades": counts({str(name): int(n) for name, n in grades.items()}),
        "bands": "、".join(say("firm_document.band", grade=name, least=least) for name, least in found.bands.items()),
        "rubric": found.scores.rubric.title,
        "goes_on": going,
        "gone": len(found.firms) - going,
    }


def _grades(found: Evaluation, goes_on: Firms) -> pd.DataFrame:
    """Unit, name, score, grade and whether it goes on, a row a firm."""
    table = found.firms.table
    answer = _goes_on(found, goes_on).map({True: say("closing.goes_on"), False: say("closing.stops")})
    return pd.DataFrame(
        {
            header("short_name"): table["unit"].map(load_units()["short_name"]),
            **dict(found.firms.displayed(["name"]).items()),
            header("score"): found.scores.score[table.index].map("{:.2f}".format),
            header("grade"): found.grade,
            header("continued"): answer,
        }
    )


def _drawn(drawn: Firms, dossier: Dossier) -> dict[str, object]:
    return {"sampled": len(drawn), "seed": dossier.seed, "share": percent(Fraction(dossier.share))}


def _sample(drawn: Firms, found: Evaluation, goes_on: Firms) -> pd.DataFrame:
    return numbered(_grades(found, goes_on).loc[drawn.table.index])
