"""The stages of a province's work over its firm workbook: each gives the cells to write beside the inputs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.ledger import ledger
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.credit_codes import valid_code
from zjtx_alloc.facts.problems import refusal
from zjtx_alloc.firms.book import FirmBook, firm_forms
from zjtx_alloc.firms.chain import firms_to_books
from zjtx_alloc.firms.departures import decided, differing, named, overridden, reason_of, unreasoned
from zjtx_alloc.firms.made_up import made_up_results
from zjtx_alloc.firms.plan_changes import plans_on
from zjtx_alloc.firms.steps.amounts import Grants, amounts, direct_money
from zjtx_alloc.firms.steps.conditions import load_conditions
from zjtx_alloc.firms.steps.evaluate import Evaluation, continuing, due_on, evaluate
from zjtx_alloc.firms.steps.likeness import resembled
from zjtx_alloc.firms.steps.review import FIRST_ROUND, Review, review
from zjtx_alloc.firms.steps.select import Selection, select
from zjtx_alloc.firms.steps.settle import FirmSettlement, firm_cohort, settle
from zjtx_alloc.firms.table.reading import YEARLY
from zjtx_alloc.firms.table.roll import Firms, together

STAGES = ("review", "select", "amounts", "evaluate", "settle")
_AFTER_APPROVAL = ("evaluate", "settle")  # a plan changed by then is the one that counts
_ENDING = YEARLY[:2]
_PROPOSES = {"review": ("firms", "review"), "select": ("firms", "selected"), "amounts": ("firms", "granted"), "evaluate": ("yearly", "goes_on")}  # fmt: skip
DIGITS = 8  # of scores in the workbook
# Conditions that the notice does not state, by the cell of 基本情况 that switches them on.
SWITCHES = {"earlier": ("earlier_batch",), "rd": ("rd_two_years", "rd_share", "rd_share_before")}


@dataclass(frozen=True)
class Stage:
    """What a stage writes: cells by sheet (name of the form), a row of the frame a row of Excel; and what it says."""

    #: Columns by their names in ``data/firm_workbook.csv``; None where a cell is to be blank (mapping of str to
    #: DataFrame).
    cells: Mapping[str, pd.DataFrame]
    result: str  #: One sentence.
    notes: tuple[str, ...] = ()  #: What a person should know.


def carried(name: str, book: FirmBook, day: date | None = None, quota: int | None = None) -> Stage:
    """Carry a workbook one stage further: review, select, amounts, evaluate or settle.

    Parameters
    ----------
    name : str
    book : FirmBook
    day : date, optional
        In place of the sheet's.
    quota : int, optional
        Places, in place of the sheet's; only selecting asks for them.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError
        As the stage's own function does, and if the stage before was not run.
    TableError
        As ``need_sound`` does of the stages before, and of decisions without a reason that this stage would propose otherwise.
    """
    need_sound(book, before=name)
    on = book.day(day)
    done = _computed(name, book, on, quota)
    if problems := [*unreasoned(book, done.cells)]:
        raise refusal(book.file, "", problems)
    notes = [*done.notes, *_order(book, on), *overridden(book)]
    if name in _ran(book) and (again := [*differing(book, done.cells, name)]):
        notes.append(say("firm_book.again", count=len(again), cells=named(again)))
    last = max(book.grids["log"].rows, default=3)
    entry = {"stage": say(f"stage.{name}"), "day": f"{on}", "result": done.result}
    told = dict.fromkeys([*notes, *filter(None, [book.firms.mark])])
    return Stage({**done.cells, "log": pd.DataFrame([entry], index=[last + 1])}, done.result, tuple(told))


def need_sound(book: FirmBook, before: str = "") -> None:
    """Compute the stages that were run, or those of them before one, again, and compare.

    Raises
    ------
    DataError
        If results stand there of a stage that 办理情况 does not name.
    TableError
        If a result is not what its inputs give (it or they were changed by hand), a firm joined after a stage was run, or
        a decision differs from what is proposed without a reason: every cell of the first such stage.
    """
    ran = _ran(book)
    for stage in STAGES[: STAGES.index(before)] if before else STAGES:
        if stage not in ran:
            form, decision = _PROPOSES.get(stage, ("ending", "outcome"))
            column = decision if stage == "settle" else f"{decision}_proposed"
            if any(record[column] is not None for record in book.entries[form].records):
                raise DataError(say("firm_book.no_run", file=book.file, stage=say(f"stage.{stage}"), sheet=firm_forms()["log"].title))  # fmt: skip
            continue
        done, row = _computed(stage, book, book.days[say(f"stage.{stage}")]), ran[stage]
        cells = {**done.cells, "log": pd.DataFrame({"result": [done.result]}, index=[row])}
        if stage == "evaluate" and "settle" in ran:  # which judged the changes of plans anew
            cells.pop("changes", None)
        if problems := [*unreasoned(book, cells), *differing(book, cells, stage)]:
            raise refusal(book.file, "", problems)


def _ran(book: FirmBook) -> dict[str, int]:
    """The stages that were run, with the row of their last run in 办理情况."""
    rows = {record["stage"]: record.row for record in book.entries["log"].records}
    return {stage: rows[name] for stage in STAGES if (name := say(f"stage.{stage}")) in rows and name in book.days}


def _computed(name: str, book: FirmBook, on: date, quota: int | None = None) -> Stage:
    """A stage as its inputs and the decisions before it give it, on a day."""
    plans = plans_on(book, on) if name in _AFTER_APPROVAL else None
    held = book if plans is None else plans.book
    done = _select(held, quota, on) if name == "select" else _STAGES[name](held, on)
    if plans is None or not len(plans.findings):
        return done
    return Stage({**done.cells, "changes": plans.findings.to_frame()}, done.result, (*done.notes, *plans.notes))


def _order(book: FirmBook, day: date) -> Iterator[str]:
    """A word on a day that lies before that of the stage before."""
    stage, last = next(reversed(book.days.items()), ("", day))
    if day < last:
        yield say("stage_day.backwards", day=day, stage=stage, last=last)


def reviewed(books: Sequence[FirmBook], firms: Firms, day: date) -> Review:
    """The review of some of the workbooks' firms, by their lists of the first round and the conditions switched on."""
    conditions = load_conditions(on=day)
    for cell, rules in SWITCHES.items():
        for rule in rules:
            conditions = conditions.switched(rule, any(book.basics[cell] == "yes" for book in books))
    listed = [entry for book in books for entry in _listed(book).values()]
    return review(firms, None, day, conditions, {FIRST_ROUND: listed} if listed else {})


def review_decided(books: Sequence[FirmBook], firms: Firms, day: date) -> Review:
    """The same with what was decided otherwise for a reason; only a firm that stands in two workbooks fails whoever decided.

    Raises
    ------
    DataError
        As ``review`` does.
    """
    found, codes = reviewed(books, firms, day), firms.table["credit_code"]
    said = pd.concat([book.decisions[["review", "review_reason"]].set_axis(book.firms.table["credit_code"]) for book in books])  # fmt: skip
    said = said[~said.index.duplicated()].reindex(codes).set_axis(codes.index)
    said = said[said["review_reason"].notna()]
    rules = found.conditions.rules
    shared = found.failures["rule"].map(lambda rule: len(books) > 1 and rules[rule].test == "unique").astype(bool)
    passed = found.failures["firm"].isin(said.index[said["review"].eq("passed")])
    struck = said.index[said["review"].eq("struck")].difference(found.failures["firm"])
    own = pd.DataFrame({"firm": struck, "rule": "decided", "clause": say("firm_book.own_decision"), "reason": said.loc[struck, "review_reason"].tolist()})  # fmt: skip
    failures = pd.concat([found.failures[~passed | shared], own], ignore_index=True) if len(own) else found.failures[~passed | shared]  # fmt: skip
    return replace(found, failures=failures.sort_values("firm", kind="stable", ignore_index=True))


def listed_in(books: Sequence[FirmBook]) -> Firms:
    """The firms that workbooks recommend, or all of one where nobody is selected yet, as one list."""
    lists = [book.selected if book.decisions["selected"].eq("yes").any() else book.firms for book in books]
    return lists[0] if len(lists) == 1 else together(*lists)


def _listed(book: FirmBook) -> dict[int, str]:
    """The entries of the first round's list by row."""
    return {r.row: r["credit_code"] or r["name"] for r in book.entries["first_round"].records}


def _review(book: FirmBook, day: date) -> Stage:
    listed, found = _listed(book), reviewed((book,), book.firms.in_their_sheet, day)
    rows = book.firms.table.index
    reasons = found.reasons()[header("reason")].reindex(rows)
    flags = found.flags.assign(text=found.flags["kind"] + say("firm_book.colon") + found.flags["what"])
    doubts = flags.sort_values("text").groupby("firm")["text"].agg("；".join).reindex(rows)
    verdict = reasons.isna().map({True: "passed", False: "struck"})
    frame = pd.DataFrame({"review": verdict, "reasons": reasons, "doubts": doubts})
    matches = _matches(found, listed)
    counts = matches["match"].value_counts() if len(matches) else {}
    notes = (
        [say("firm_book.matched", **{k: int(counts.get(say(f"firm_match.{k}"), 0)) for k in _MATCHES})]
        if listed
        else []
    )
    notes += _extra(found)
    passed = len(found.passed)
    result = say("stage_result.review", count=len(rows), passed=passed, struck=len(rows) - passed)
    firms = _with_decision(book, "firms", "review", _beside(book.firms, frame))
    cells = {"firms": firms, "first_round": matches, "basics": _basics(book, as_of=f"{day}")}
    return Stage(cells, result, tuple(notes))


def _extra(found: Review) -> Iterator[str]:
    """The conditions switched on that the notice does not state, and those of them that nobody asked for by then."""
    rules = [found.conditions.rules[name] for names in SWITCHES.values() for name in names]
    on = [rule for rule in rules if rule.enabled]
    for key, chosen in (("extra", on), ("extra_later", [rule for rule in on if rule.effective > f"{found.as_of}"])):
        if chosen:
            clauses = "、".join(dict.fromkeys(rule.clause for rule in chosen))
            yield say(f"firm_book.{key}", clauses=clauses, day=found.as_of, first=min(r.effective for r in chosen))


def _basics(book: FirmBook, **cells: object) -> pd.DataFrame:
    """Cells of the one row of 基本情况."""
    return pd.DataFrame([cells], index=[book.basics.row])


_MATCHES = ("matched", "doubtful", "unmatched")


def _matches(found: Review, listed: Mapping[int, str]) -> pd.DataFrame:
    """Each entry of the first round's list: matched, doubtful (a name nearly one) or unmatched, and with which firm."""
    table, firms = found.firms.table, found.firms
    held = {**dict(zip(table["credit_code"], table.index, strict=True)), **dict(zip(table["name"].map(plain), table.index, strict=True))}  # fmt: skip
    keys = {row: valid_code(plain(entry)) or plain(entry) for row, entry in listed.items()}
    near = resembled(table["name"], [key for key in dict.fromkeys(keys.values()) if key not in held])
    rows = {}
    for row, key in keys.items():
        kind = "matched" if key in held else "doubtful" if key in near else "unmatched"
        which = [held[key]] if key in held else near.get(key, [])
        rows[row] = say(f"firm_match.{kind}"), firms.names(pd.Index(which)) if which else None
    return pd.DataFrame.from_dict(rows, orient="index", columns=["match", "firm"])


def selection_of(book: FirmBook, quota: int | None = None) -> Selection:
    """The firms that passed the review, scored and ranked by the sheet's rubric within its places, or the ones given."""
    decided = _decided(book, "review")
    passed = book.firms.only(decided.index[decided.eq("passed")])
    places = book.basics["quota"] if quota is None else quota
    if places is None:
        raise DataError(say("firm_book.no_quota", file=book.file))
    return select(passed, book.rubric("selection"), pd.Series({book.unit: int(places)}))


def _select(book: FirmBook, quota: int | None, day: date) -> Stage:
    found = selection_of(book, quota)
    places = int(found.places.sum())
    chosen = found.table["selected"].map({True: "yes", False: "no"})
    frame = pd.DataFrame({"score": found.scores.score.round(DIGITS), "rank": found.table["rank"], "selected": chosen})
    result = say("stage_result.select", passed=len(found.firms), quota=places, chosen=len(found.chosen))
    notes = [say("firm_book.ties", count=int(found.ties["tied"].sum()))] if len(found.ties) else []
    if found.scores.rubric.example:
        notes.append(say("firm_book.example", title=found.scores.rubric.title))
    ends = found.chosen.table["certificate_end"]
    if len(expired := ends.index[ends < pd.Timestamp(day)]):
        values = {"count": len(expired), "day": day, "firms": book.firms.names(expired)}
        notes.append(say("stage_day.expired", **values))
    frame = frame.astype(object).reindex(book.firms.table.index)
    firms = _with_decision(book, "firms", "selected", _beside(book.firms, frame))
    return Stage({"firms": firms, "basics": _basics(book, quota=places)}, result, tuple(notes))


def _amounts(book: FirmBook, day: date) -> Stage:
    approved, notes = _approved(book)
    award, grants = book.award, _shared(book, approved)
    frame = grants.table[["entitlement"]].assign(granted=grants.amount)
    frame = frame.astype(object).reindex(book.firms.table.index)
    whole, direct = award.opening * len(approved), int(grants.amount.sum())
    values = {"count": len(approved), "whole": f"{whole:,}", "direct": f"{direct:,}"}
    result = say("stage_result.amounts", **values, rest=f"{whole - direct:,}")
    approval = book.basics["approval_day"]
    if approval is not None and day < pd.Timestamp(approval).date():
        notes.append(say("stage_day.not_approved", day=day, approval=approval))
    opened = _opened(book, "yearly", approved)
    if book.firms.made_up:
        invented = made_up_results(approved, grants.amount, book.basics["seed"] or 1)
        opened = _with_numbers(opened, invented, YEARLY)
    firms = _with_decision(book, "firms", "granted", _beside(book.firms, frame))
    cells = {"firms": firms, "grants": _handed(book, "opening", grants.amount), "yearly": opened}
    return Stage(cells, result, (*notes, *grants.notes()))


def _within_quota(book: FirmBook, firms: Firms, column: str) -> None:
    """Raise DataError if more firms are to be paid than have places."""
    places = book.basics["quota"]
    if places is not None and len(firms) > int(places):
        header, what = book.header("firms", column), next(iter(firm_forms()["firms"].fields[column].choices))
        raise DataError(say("firm_book.over_quota", what=what, count=len(firms), quota=int(places), column=header))


def _paid(book: FirmBook, *, closing: bool = False) -> Iterator[str]:
    """A word on firms that got money otherwise than the workbook says of them, and on money otherwise than is due.

    Raises
    ------
    DataError
        If a firm got money that is not approved, or selected where nobody is approved yet; at the ``closing``, if the
        sum is not what the unit's books have.
    """
    said = book.decisions
    column = "approved" if said["approved"].notna().any() else "selected"
    due, got = said[column].eq("yes"), said["granted"].notna()
    if not due.any():  # a workbook that begins with what was paid
        return
    if len(strange := due.index[got & ~due]):
        raise DataError(say("firm_book.paid_unasked", firms=book.firms.names(strange)))
    if len(unpaid := due.index[due & ~got]):
        yield say("firm_book.unpaid", count=len(unpaid), firms=book.firms.names(unpaid))
    supported, amount = book.supported
    total = int(direct_money(firm_cohort(book.batch, supported.by_unit, book.award), book.award)[book.unit])
    if (paid := int(amount.sum())) != total:
        values = {"count": len(supported), "paid": f"{paid:,}", "total": f"{total:,}", "apart": f"{paid - total:+,}"}
        said_so = say("firm_book.paid_apart", **values)
        if closing:
            raise DataError(said_so)
        yield said_so


def _spent(book: FirmBook, firms: Firms) -> Iterator[str]:
    """A word on firms that spent more than they received, or received more than they were granted."""
    table, (_, granted) = firms.table, book.supported
    if "money_received" in table:
        spent, received = table.get("money_spent", pd.Series(0.0, table.index)), table["money_received"]
        for kind, over in (("overspent", spent > received), ("overpaid", received > granted)):
            if over.any():
                yield say(f"closing.{kind}", firms=firms.names(table.index[over]))


def _handed(book: FirmBook, payment: str, amount: pd.Series) -> pd.DataFrame:
    """What the sheet 资金分配 says of a payment that was shared."""
    row = next(record.row for record in book.entries["grants"].records if record["payment"] == payment)
    return pd.DataFrame({"count": len(amount), "total": int(amount.sum())}, index=[row])


def granted(book: FirmBook) -> Grants:
    """What each firm was paid at the start, as the sheet says."""
    supported, amount = book.supported
    found = _shared(book, supported)
    return replace(found, table=found.table.assign(amount=amount))


def _shared(book: FirmBook, firms: Firms) -> Grants:
    """The opening's direct money, shared among firms by the sheet's rule."""
    selection = select(firms, book.rubric("selection"), pd.Series({book.unit: len(firms)}))
    money = direct_money(firm_cohort(book.batch, firms.by_unit, book.award), book.award)[[book.unit]]
    return amounts(selection, money, book.grant_rule("opening"))


def _evaluate(book: FirmBook, day: date) -> Stage:
    paid = [*_paid(book)]
    found, supported = evaluated(book)
    _, granted = book.supported
    year = evaluation_year(book, day)
    gone = left_before(book, supported, year)
    goes_on = continuing(found, least=book.least).table.index.difference(gone.index)
    stays = supported.table.index.isin(goes_on)
    frame = pd.DataFrame({"score": found.scores.score.round(DIGITS), "grade": found.grade})
    frame["goes_on"] = pd.Series(stays, supported.table.index).map({True: "yes", False: "no"})
    frame["left"] = gone.reindex(frame.index).fillna(year).astype(int)
    counts = found.grade.value_counts()
    grades = "、".join(f"{name}{counts.get(name, 0)}" for name in found.bands)
    values = {"count": len(supported), "grades": grades, "least": book.least}
    result = say("stage_result.evaluate", **values, stays=len(goes_on), leaves=len(supported) - len(goes_on))
    opened = _opened(book, "ending", supported)
    if book.firms.made_up:
        opened = _with_numbers(opened, made_up_results(supported, granted, (book.basics["seed"] or 1) + 1), _ENDING)
    notes = [*paid, *_spent(book, found.firms), say("stage_day.due", day=day, year=year, due=due_on(day))]
    notes += [say("stage_day.stays_left", count=len(gone))] if len(gone) else []
    notes += [say("firm_book.example", title=found.scores.rubric.title)] if found.scores.rubric.example else []
    yearly = _with_decision(book, "yearly", "goes_on", _by_code(book, "yearly", supported, frame))
    return Stage({"yearly": _with_years(book, yearly), "ending": opened}, result, tuple(notes))


def _with_years(book: FirmBook, yearly: pd.DataFrame) -> pd.DataFrame:
    """The years of leaving of those that do not go on; a year that a person gives a reason for stays."""
    said = {r.row: r["left"] for r in book.entries["yearly"].records if r[reason_of("left")] and r["left"] is not None}
    years = [said.get(row, year) for row, year in yearly["left"].items()]
    return yearly.assign(left=pd.Series(years, yearly.index, dtype=object).where(yearly["goes_on"].eq("no")))


def _with_decision(book: FirmBook, form: str, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Results by row, of which one is proposed and decided."""
    return frame.drop(columns=name).join(decided(book, form, name, frame[name]))


def evaluation_year(book: FirmBook, day: date) -> int:
    """The budget year in which firms leave by an evaluation of a day: after the opening, the closing's at the latest."""
    opening, closing = book.award.opening_year(book.batch), book.award.closing_year(book.batch)
    return min(max(day.year, opening + 1), closing)


def left_before(book: FirmBook, supported: Firms, year: int) -> pd.Series:
    """The year by firm of those that had left before this one, as 年度评价 says."""
    records = [r for r in book.entries["yearly"].records if r["goes_on"] == "no" and r["goes_on_proposed"] != "yes"]
    said = {record["credit_code"]: record["left"] for record in records}
    left = supported.table["credit_code"].map(said).dropna()
    return left[left < year]


def _settle(book: FirmBook, day: date) -> Stage:
    notes = [*_paid(book, closing=True)]
    evaluation, supported = evaluated(book)
    _, paid_out = book.supported
    award, settled = book.award, settled_firms(book)
    cohort = firm_cohort(book.batch, supported.by_unit, award, None, settled)
    books = ledger((cohort,), award)
    shared = _closing(book, evaluation, settled, books.table)
    closing = shared["amount"].reindex(settled.table.index, fill_value=0)
    paid = pd.Series({book.unit: int(paid_out.sum())})
    lines = firms_to_books(paid, settled, books).loc[book.unit]
    frame = pd.DataFrame({"granted": paid_out, "closing": closing, "recovered": settled.table["recovered"]})
    frame["score"], frame["planned"] = evaluation.scores.score.round(DIGITS), supported.table["planned_investment"]
    frame["entitlement"] = shared["entitlement"].reindex(frame.index, fill_value=0.0)
    frame["outcome"] = settled.table["outcome"].map({o: say(f"ending.{o}") for o in settled.table["outcome"].unique()})
    if int(closing.sum()) != int(lines["paid_closing"]):
        raise DataError(say("chain.apart", step=say("chain.closing"), units=book.unit))
    table = pd.DataFrame({"item": [header(name) for name in lines.index], "money": lines.tolist()})
    counts = frame["outcome"].value_counts()
    ends = "、".join(say("firm_book.counted", name=name, count=count) for name, count in counts.items())
    sums = {name: f"{int(frame[name].sum()):,}" for name in ("granted", "closing", "recovered")}
    result = say("stage_result.settle", count=len(supported), ends=ends, **sums)
    first = book.first_row("books")
    cells = {
        "ending": _by_code(book, "ending", supported, frame),
        "books": table.set_axis(range(first, first + len(table))),
        "grants": _handed(book, "closing", shared["amount"]),
    }
    closing_year = award.closing_year(book.batch)
    early = [say("stage_day.early", day=day, year=closing_year)] if day.year < closing_year else []
    return Stage(cells, result, (*notes, *early))


def _closing(book: FirmBook, evaluation: Evaluation, settled: FirmSettlement, books: pd.DataFrame) -> pd.DataFrame:
    """The closing's direct money: shared among those that completed, by their score of the yearly evaluation."""
    done = settled.table.index[settled.table["closing"].gt(0)]
    firms = evaluation.firms.only(done)
    if not len(done):
        return pd.DataFrame({"entitlement": 0.0, "amount": 0}, done)
    last = books[books["fiscal_year"].eq(book.award.closing_year(book.batch)) & books["code"].eq(book.unit)]
    money = pd.Series({book.unit: int(last["direct"].sum())})
    chosen = select(firms, evaluation.scores.rubric, pd.Series({book.unit: len(done)}))
    return amounts(chosen, money, book.grant_rule("closing")).table


def evaluated(book: FirmBook) -> tuple[Evaluation, Firms]:
    """The yearly evaluation of the supported firms, and these firms."""
    supported, _ = book.supported
    found = evaluate(book.results("yearly", supported), book.rubric("evaluation"))
    return found, supported


def settled_firms(book: FirmBook) -> FirmSettlement:
    """The end of each supported firm, by the sheets 年度评价 and 结算."""
    supported, paid_out = book.supported
    left = left_by(book, supported)  # who goes on is asked first
    return settle(book.results("ending", supported), book.award, left, paid_out)


def left_by(book: FirmBook, supported: Firms) -> pd.Series:
    """The year by firm of those that are not supported further, as 年度评价 says."""
    said = {r["credit_code"]: r for r in book.entries["yearly"].records}
    codes = supported.table["credit_code"]
    blank = [firm for firm, code in codes.items() if code not in said or said[code]["goes_on"] is None]
    if blank:
        _refuse_blank(book, supported, pd.Index(blank), "goes_on")
    gone = {firm: said[code]["left"] for firm, code in codes.items() if said[code]["goes_on"] == "no"}
    if undated := [firm for firm, year in gone.items() if year is None]:
        _refuse_blank(book, supported, pd.Index(undated), "left")
    return pd.Series(gone, dtype="int64", name="left")


def _approved(book: FirmBook) -> tuple[Firms, list[str]]:
    """The firms approved, and what was assumed of them."""
    chosen, said = _decided(book, "selected", some=True).eq("yes"), book.decisions["approved"]
    selected = chosen.index[chosen]
    if len(struck := selected[book.decisions.loc[selected, "review"].eq("struck")]):  # reviewed again since
        raise DataError(say("firm_book.struck", firms=book.firms.names(struck)))
    if said.isna().all():
        _within_quota(book, book.firms.only(selected), "selected")
        return book.firms.only(selected), [say("firm_book.all_approved", count=len(selected))]
    blank = selected[said[selected].isna()]
    if len(blank):
        _refuse_blank(book, book.firms, blank, "approved")
    approved = said.index[said.eq("yes")]
    if len(strange := approved.difference(selected)):
        raise DataError(say("firm_book.not_selected", firms=book.firms.names(strange)))
    _within_quota(book, book.firms.only(approved), "approved")
    return book.firms.only(approved), []


def _decided(book: FirmBook, column: str, some: bool = False) -> pd.Series:
    """A column of decisions beside the firms; blank cells are refused, unless ``some`` firms need none."""
    found = book.decisions[column]
    if found.isna().all():
        raise DataError(
            say("firm_book.before", stage=say(f"stage.{_WRITER[column]}"), column=book.header("firms", column))
        )
    if not some and len(blank := found.index[found.isna()]):
        _refuse_blank(book, book.firms, blank, column)
    return found


_WRITER = {"review": "review", "selected": "select", "approved": "amounts"}  # the stage that needs or fills a column


def _refuse_blank(book: FirmBook, firms: Firms, blank: pd.Index, column: str) -> None:
    form, stage = ("yearly", "evaluate") if column in ("goes_on", "left") else ("firms", _WRITER[column])
    values = {"sheet": firm_forms()[form].title, "column": book.header(form, column), "count": len(blank)}
    raise DataError(say("firm_book.blank", **values, firms=firms.names(blank), stage=say(f"stage.{stage}")))


def _beside(firms: Firms, frame: pd.DataFrame) -> pd.DataFrame:
    """Results by firm as results by Excel row."""
    return frame.reindex(firms.table.index).set_axis(firms.table["row"])


def _by_code(book: FirmBook, form: str, firms: Firms, frame: pd.DataFrame) -> pd.DataFrame:
    rows = book.rows(form)
    return frame.set_axis([rows[code] for code in firms.table["credit_code"].reindex(frame.index)])


def _opened(book: FirmBook, form: str, firms: Firms) -> pd.DataFrame:
    """Rows for the firms that a sheet does not have yet, below those that it has."""
    held = book.rows(form)
    new = firms.table[~firms.table["credit_code"].isin(held)]
    first = max([book.first_row(form), *(row + 1 for row in held.values())])
    return new[["credit_code", "name"]].assign(at=range(first, first + len(new))).set_index("at")


def _with_numbers(opened: pd.DataFrame, invented: Firms, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows with the invented results of their firms."""
    numbers = invented.table.set_index("credit_code")[list(columns)]
    return opened.join(numbers, on="credit_code")


_STAGES: dict[str, Callable[[FirmBook, date], Stage]] = {
    "review": _review,
    "amounts": _amounts,
    "evaluate": _evaluate,
    "settle": _settle,
}
