"""What of a firm workbook follows from its inputs by formulas, beside the values that a command found.

A formula stands only where it says what the command says: every cell that it reads must hold the number or the choice
itself, not a text that people read as one. Elsewhere, and in workbooks of more firms than ``MOST_LIVE``, values stand still.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_toml
from zjtx_alloc.budget.ledger.settlement import DEFRAUDED, DISCONTINUED, OUTCOMES, settlement_of
from zjtx_alloc.firms.book import FirmBook, firm_forms
from zjtx_alloc.firms.rubric_rows import indicator_of
from zjtx_alloc.firms.stages import DIGITS, Stage, evaluation_year, left_before
from zjtx_alloc.firms.steps.rubric import DERIVED, Rubric
from zjtx_alloc.firms.table.columns import as_read, choices_of, firm_columns
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.writers.halving import HALVINGS, halved, halving, rounded
from zjtx_alloc.report.writers.sheet import Cell, Column, Sheet
from zjtx_alloc.rules.award import Award

MOST_LIVE = 1000  # firms: ranks compare each with each, and LibreOffice takes a quarter of a minute for twice as many
_ENDED = ("granted", "score", "planned", "outcome", "entitlement", "closing", "recovered")
_CHOSEN = ("choice", "choices")
_LONGEST = 250  # characters of a text in a formula
_ROWS = 1000  # in which rows of a standard are counted
_SPARE = 10**DIGITS
_APART = 1e-6  # 万元


def live_cells(stage: Stage) -> dict[str, pd.DataFrame]:
    """The cells that a stage writes, by form and column, with formulas where they can be."""
    cells = {form: frame.astype(object) for form, frame in stage.cells.items()}
    book = stage.book
    if book is None or len(book.firms) > MOST_LIVE:
        return cells
    sheets = _Sheets(book)
    for form, column, formula, rows in _FORMULAS.get(stage.name, _none)(sheets, cells):
        for row in rows:
            value = cells[form].at[row, column]
            shown = firm_forms()[form].fields[column].choices
            value = next((text for text, code in shown.items() if code == value), value)
            cells[form].at[row, column] = Cell(value, sheets[form].written(formula, int(row))[1:])
    return cells


_Cells = dict[str, pd.DataFrame]
_Formula = tuple[str, str, str, Sequence[int]]  # form, column, formula, rows


@dataclass(frozen=True)
class _Sheets:
    """The sheets of a workbook as formulas name their columns."""

    book: FirmBook

    def __getitem__(self, form: str) -> Sheet:
        return self._held[form]

    @cached_property
    def _held(self) -> dict[str, Sheet]:
        made = {}
        for form in self.book.grids:
            names = {place: name for name, place in self.book.columns(form).items()}
            columns = {names.get(at, f"_{at}"): Column("", "") for at in range(1, max(names) + 1)}
            made[form] = Sheet(self.book.grids[form].name, columns, ())
        return made

    def have(self, form: str, *columns: str) -> bool:
        """Whether a sheet has these columns."""
        return set(columns) <= set(self.book.columns(form))

    def cell(self, form: str, name: str, row: int) -> str:
        """One cell, for formulas of any sheet."""
        return self[form].range(name, row, row).partition(":")[0]

    def basics(self, name: str) -> str:
        """A cell of 基本情况."""
        return self.cell("basics", name, self.book.basics.row)

    @property
    def ends(self) -> tuple[int, int]:
        """The first and the last row of a firm in 企业: whoever sorts the table moves firms to any of them."""
        rows = self.book.firms.table["row"]
        return int(rows.min()), int(rows.max())

    def rerun(self, stage: str) -> str:
        """What a cell says when its formula cannot follow."""
        return say("firm_check.rerun", stage=say(f"stage.{stage}"))

    def codes(self, form: str) -> dict[int, str]:
        """Credit codes by row."""
        table = self.book.firms.table
        return dict(zip(table["row"], table["credit_code"], strict=True)) if form == "firms" else {row: code for code, row in self.book.rows(form).items()}  # fmt: skip

    def found(self, form: str, name: str) -> str:
        """A firm's cell in another sheet, by credit code."""
        held = self.ends if form == "firms" else self.book.rows(form).values()
        values, codes = (self[form].range(column, min(held), max(held)) for column in (name, "credit_code"))
        return f"INDEX({values},MATCH([credit_code],{codes},0))"

    def as_they_stand(self, form: str, firms: Firms, names: Sequence[str]) -> bool:
        """Whether the cells of these columns hold for every firm what was read of them."""
        grid, places = self.book.grids[form], self.book.columns(form)
        rows = {code: row for row, code in self.codes(form).items()}
        for name in (*names, "credit_code"):
            kind = firm_columns()[name].kind
            for code, value in zip(firms.table["credit_code"], firms.table[name], strict=True):
                row = grid.rows[rows[code]]
                cell = row[places[name] - 1] if places[name] <= len(row) else None
                if cell is None and (pd.isna(value) or value == ""):
                    continue
                if cell != (as_read(name, value) if kind in _CHOSEN else value):
                    return False
        return True


@dataclass(frozen=True)
class _Standard:
    """A rubric as it stands in its sheet."""

    sheets: _Sheets
    form: str

    @cached_property
    def rubric(self) -> Rubric:
        return self.sheets.book.rubric(self.form)

    @cached_property
    def rows(self) -> dict[str, list[Any]]:
        """Its records by indicator."""
        found = dict[str, list[Any]]()
        for record in self.sheets.book.entries[self.form].records:
            found.setdefault(indicator_of(record, self.form), []).append(record)
        return found

    @cached_property
    def columns(self) -> list[str]:
        """The columns of firms that it reads, for scores and for ties."""
        used = [*self.rubric.indicators, *(tie.removeprefix("-") for tie in self.rubric.ties)]
        return list(dict.fromkeys(column for name in used for column in DERIVED.get(name, (name,))))

    @cached_property
    def is_plain(self) -> bool:
        """Whether every row holds numbers and names as they are, an indicator's rows lie together, and scores are exact."""
        grid, places = self.sheets.book.grids[self.form], self.sheets.book.columns(self.form)

        def cell(record: Any, name: str) -> Any:
            return grid.rows[record.row][places[name] - 1]

        for name, indicator in self.rubric.indicators.items():
            records = [record for record in self.rows[name] if record["band"] is not None]
            names = [choices_of(name)[code] for code in indicator.points] if indicator.points else None
            bands = [cell(record, "band") for record in records]
            numbers = [cell(r, "points") for r in records] + [cell(r, "weight") for r in self.rows[name] if r["weight"] is not None]  # fmt: skip
            together = [record.row for record in records] == [*range(records[0].row, records[0].row + len(records))]
            named = bands == names if names else all(_is_number(band) for band in bands)
            if not (together and named and all(map(_is_number, numbers))):
                return False
        scale = 10**4
        for weight in self.rubric.weights.values():
            scale *= weight.denominator
        return _SPARE * 10**4 % scale == 0 and len(self._fingerprint[1]) <= _LONGEST

    def score(self, reads: Mapping[str, str], blank: str) -> str:
        """The formula of a score; ``reads`` are the cells or terms of columns; ``blank``: what a firm without a number gets."""
        sheet = self.sheets[self.form]
        terms = []
        for name, indicator in self.rubric.indicators.items():
            bands = [record.row for record in self.rows[name] if record["band"] is not None]
            weight = next(
                self.sheets.cell(self.form, "weight", r.row) for r in self.rows[name] if r["weight"] is not None
            )
            held, points = (sheet.range(column, bands[0], bands[-1]) for column in ("band", "points"))
            reached = f"{_term(name, reads)}{'>=' if indicator.direction == 'up' else '<='}{held}"
            if indicator.points:
                reached = f'ISNUMBER(FIND("、"&{held}&"、","、"&{reads[name]}&"、"))'
            terms.append(f"{weight}*SUMPRODUCT(MAX(({reached})*{points}))")
        numbers = [reads[c] for c in self.columns if firm_columns()[c].kind not in _CHOSEN]
        score = f"ROUND({'+'.join(terms)},{DIGITS})"
        return f'IF(COUNT({",".join(numbers)})<{len(numbers)},"{blank}",{_else(score, blank)})'

    @cached_property
    def _fingerprint(self) -> tuple[str, str]:
        """What a person may change that formulas do not follow, as a formula and as a text: indicators, directions, ties."""
        parts, text = list[str](), ""
        for records in self.rows.values():
            for name in ("indicator", "direction", "tie"):
                parts.append(self.sheets.cell(self.form, name, records[0].row))
                row = self.sheets.book.grids[self.form].rows[records[0].row]
                place = self.sheets.book.columns(self.form)[name] - 1
                value = row[place] if place < len(row) else None
                text += "" if value is None else f"{value:g}" if _is_number(value) else str(value)
        return "&".join(parts), text

    def check(self, stage: str, then: str) -> str:
        """The formula of a check: whether the sheet can be followed, whether weights sum to one, and then another."""
        sheet, first = self.sheets[self.form], self.sheets.book.first_row(self.form)
        formula, text = self._fingerprint
        count = f"COUNTA({sheet.range('indicator', first, first + _ROWS)})"
        records = len(self.sheets.book.entries[self.form].records)
        rerun, weights = self.sheets.rerun(stage), say("firm_check.weights")
        moved = f'OR({formula}<>"{text}",{count}<>{records})'
        total = f"SUM({sheet.range('weight', first, first + _ROWS)})"
        return f'IF({moved},"{rerun}",IF(ABS({total}-1)>0.000000001,"{weights}",{then}))'


def _else(formula: str, otherwise: str) -> str:
    """A formula, or a text where it comes to an error, as it does by a text among the numbers that it reads."""
    return f'IFERROR({formula},"{otherwise}")'


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _term(name: str, reads: Mapping[str, str]) -> str:
    """An indicator's value as a formula: a column's cell, or what follows from columns, as ``values_of`` has it."""
    if name == "direction_count":
        cell, none = reads["directions"], choices_of("directions").get("none", "")
        return f'(({cell}<>"{none}")*(LEN({cell})-LEN(SUBSTITUTE({cell},"、",""))+1))'
    if name in DERIVED:
        part, whole = (f"ROUND({reads[column]}*1000000,0)" for column in DERIVED[name])
        return f"100*{part}/{whole}"
    return reads[name]


def _choice(column: str, code: str, form: str = "firms") -> str:
    """A choice as its sheet shows it."""
    return next(text for text, known in firm_forms()[form].fields[column].choices.items() if known == code)


def _selection(sheets: _Sheets, cells: _Cells) -> Iterator[_Formula]:
    """Score, rank and recommendation by the standard and the places as they stand."""
    book, standard = sheets.book, _Standard(sheets, "selection")
    passed = book.firms.only(book.firms.table.index[book.decisions["review"].eq("passed")])
    ties = [(tie[0] == "-", tie.removeprefix("-")) for tie in standard.rubric.ties]
    there = sheets.have("firms", "review", "score", "rank", "selected", *standard.columns) and sheets.have("basics", "check", "chosen")  # fmt: skip
    if not there or {name for _, name in ties} & set(DERIVED) or not standard.is_plain or not sheets.as_they_stand("firms", passed, standard.columns):  # fmt: skip
        return
    rows, ends = [int(row) for row in passed.table["row"]], sheets.ends
    span, again = f"{ends[0]}-{ends[1]}", sheets.rerun("select")
    yes, no, went = _choice("selected", "yes"), _choice("selected", "no"), _choice("review", "passed")
    ahead = f"[credit_code:{span}]<[credit_code]"
    for falls, name in reversed([(True, "score"), *ties]):
        ahead = f"([{name}:{span}]{'>' if falls else '<'}[{name}])+([{name}:{span}]=[{name}])*({ahead})"
    score = standard.score({name: f"[{name}]" for name in standard.columns}, again)
    yield "firms", "score", f'IF([review]<>"{went}","{again}",{score})', rows
    yield "firms", "rank", f'IF(ISNUMBER([score]),1+SUMPRODUCT(([review:{span}]="{went}")*({ahead})),"{again}")', rows
    yield (
        "firms",
        "selected",
        f'IF(ISNUMBER([rank]),IF([rank]<={sheets.basics("quota")},"{yes}","{no}"),"{again}")',
        rows,
    )
    chosen, reviewed, scores = (sheets["firms"].range(name, *ends) for name in ("selected", "review", "score"))
    counted, at = f'COUNTIF({chosen},"{yes}")', [book.basics.row]
    same = (
        f'AND(COUNT({scores})=COUNTIF({reviewed},"{went}"),{counted}=MIN(N({sheets.basics("quota")}),COUNT({scores})))'
    )
    cells["basics"].loc[at, "check"] = say("firm_check.same")
    yield "basics", "chosen", counted, at
    yield "basics", "check", standard.check("select", _same_or(same, again)), at


def _same_or(same: str, otherwise: str) -> str:
    return f'IF({same},"{say("firm_check.same")}","{otherwise}")'


def _yearly(sheets: _Sheets, cells: _Cells) -> Iterator[_Formula]:
    """Score, grade and whether a firm goes on, by the standard and the results as they stand."""
    book, standard, again = sheets.book, _Standard(sheets, "evaluation"), sheets.rerun("evaluate")
    found = book.results("yearly", book.supported[0])
    own = [name for name in standard.columns if sheets.have("yearly", name)]
    others = [name for name in standard.columns if name not in own]
    there = sheets.have("yearly", "score", "grade", "goes_on") and sheets.have("basics", "evaluation_check", "least")
    if not (there and standard.is_plain and sheets.have("firms", *others)) or not (
        sheets.as_they_stand("yearly", found, own) and sheets.as_they_stand("firms", found, others)
    ):
        return
    reads = {name: f"[{name}]" for name in own} | {name: sheets.found("firms", name) for name in others}
    frame, least, at = cells["yearly"], sheets.basics("least"), [book.basics.row]
    (grade, _), *better = reversed(shipped_toml("policy", "evaluation", "grades.toml")["least"].items())
    grade = f'"{grade}"'
    for name, bound in better:
        grade = f'IF([score]>={bound},"{name}",{grade})'
    yes, no = (_choice("goes_on", code, "yearly") for code in ("yes", "no"))
    by_score = frame["score"].ge(float(book.least)).map({True: "yes", False: "no"})
    kept = [int(row) for row in frame.index[by_score.eq(frame["goes_on"])] if row not in _away(book, found, cells)]
    threshold = f'IF({least}="",{book.least},{least})'
    yield "yearly", "score", standard.score(reads, again), [int(row) for row in frame.index]
    yield "yearly", "grade", f'IF(ISNUMBER([score]),{grade},"{again}")', [int(row) for row in frame.index]
    yield "yearly", "goes_on", f'IF(ISNUMBER([score]),IF([score]>={threshold},"{yes}","{no}"),"{again}")', kept
    cells["basics"].loc[at, "evaluation_check"] = say("firm_check.same")
    scores = sheets["yearly"].range("score", min(frame.index), max(frame.index))
    yield "basics", "evaluation_check", standard.check("evaluate", _same_or(f"COUNT({scores})={len(frame)}", again)), at


def _away(book: FirmBook, firms: Firms, cells: _Cells) -> set[int]:
    """The rows of 年度评价 of those that left in an earlier year: whatever their score, they do not come back."""
    day = date.fromisoformat(cells["log"]["day"].iloc[0])
    gone, rows = left_before(book, firms, evaluation_year(book, day)), book.rows("yearly")
    return {rows[code] for code in firms.table.loc[gone.index, "credit_code"]}


@dataclass(frozen=True)
class _Payment:
    """A payment's money among firms, as formulas: Webster's method, as in ``writers.halving``.

    What a firm gets at a scale is its share × scale rounded half up and held within floor and cap; the sheet 资金求解
    halves an interval of scales until the sum is the money; firms that still differ between its ends get what is left,
    the larger share first, then the higher score, then the lower credit code.

    Attributes
    ----------
    form : str
        The sheet with a row a firm.
    rows : sequence of int
        Of the firms that get money, or may.
    ends : tuple of int
        First and last row of firms in the sheet.
    stage : str
    """

    sheets: _Sheets
    name: str
    form: str
    rows: Sequence[int]
    ends: tuple[int, int]
    stage: str

    @property
    def at(self) -> int:
        """The payment's row in 资金分配."""
        return next(r.row for r in self.sheets.book.entries["grants"].records if r["payment"] == self.name)

    def rule(self, name: str) -> str:
        """A cell of that row."""
        return self.sheets.cell("grants", name, self.at)

    def column(self, name: str) -> str:
        """A column of the firms."""
        return self.sheets[self.form].range(name, *self.ends)

    @property
    def again(self) -> str:
        """What cells say when they cannot follow."""
        return self.sheets.rerun(self.stage)

    def entitlement(self, members: str, score: str, planned: str) -> str:
        """The formula of a firm's share of the money; ``members``: a column and its choice that make a firm one of them."""
        column, _, choice = members.partition("=")
        by_score, by_plan = (
            f'[{name}]/SUMIF({self.column(column)},"{choice}",{self.column(name)})' for name in (score, planned)
        )
        share, total = self.rule("share"), self.rule("total")
        graded = f"{share}*{by_score}+(1-{share})*{by_plan}"
        return f'ROUND({total}*IF({share}="",1/{self.rule("count")},{graded}),9)'

    def scaled(self, shares: str, scale: str) -> str:
        """What shares are at a scale."""
        floor, cap, total = map(self.rule, ("floor", "cap", "total"))
        most = f'IF({cap}="",{total},MIN({cap},{total}))*({shares}>0)'
        return f"({rounded(shares, scale, f'{floor}*({shares}>0)', most)})"

    def granted(self) -> str:
        """The formula of what a firm gets."""
        shares, scores, codes = map(self.column, ("entitlement", "score", "credit_code"))
        end = self.first + HALVINGS
        low, high = (self.sheets.cell("search", f"{self.name}_{which}", end) for which in ("low", "high"))
        left = f"{self.rule('total')}-{self.sheets.cell('search', f'{self.name}_sum', end)}"
        under, over = (self.scaled("[entitlement]", at) for at in (low, high))
        tied = f"({self.scaled(shares, high)}>{self.scaled(shares, low)})"
        ahead = f"({scores}>[score])+({scores}=[score])*({codes}<=[credit_code])"
        ahead = f"({shares}>[entitlement])+({shares}=[entitlement])*({ahead})"
        return _else(f"{under}+IF({over}>{under},IF(SUMPRODUCT({tied}*({ahead}))<={left},1,0),0)", self.again)

    @property
    def first(self) -> int:
        """The first row of 资金求解."""
        return self.sheets.book.first_row("search")

    def halvings(self, found: Sequence[tuple[float, float, int]]) -> pd.DataFrame:
        """The rows of 资金求解."""
        names, sheet = [f"{self.name}_{part}" for part in ("low", "high", "sum")], self.sheets["search"]
        rows = halving(names, self.first, self.rule("total"), partial(self.scaled, self.column("entitlement")), found)
        cells = [
            {name: Cell(cell.value, sheet.written(cell.formula, row)[1:]) for name, cell in cells.items()}
            for row, cells in enumerate(rows, start=self.first)
        ]
        return pd.DataFrame(cells, index=range(self.first, self.first + len(cells))).assign(step=range(len(cells)))

    def found(self, shares: pd.Series, scores: pd.Series, total: int) -> tuple[list[tuple[float, float, int]], list[int]]:  # fmt: skip
        """Both ends and the sum at the middle, halving by halving, and what each firm gets, as the formulas find them."""
        rule = self.sheets.book.grant_rule(self.name)
        held = shares.to_numpy(dtype=float)
        least, most = rule.floor * (held > 0), min(total, total if rule.cap is None else rule.cap) * (held > 0)

        def at(scale: float) -> np.ndarray:
            return np.clip(np.floor(held * scale + 0.5), least, most).astype("int64")

        steps = halved(lambda scale: int(at(scale).sum()), total)
        under, over = map(at, steps[-1][:2])
        codes = self.sheets.codes(self.form)
        claims = sorted((-share, -score, codes[int(row)], at) for at, (row, share, score) in enumerate(zip(shares.index, held, scores, strict=True)))  # fmt: skip
        tied = [at for *_, at in claims if over[at] > under[at]]
        under[tied[: total - steps[-1][2]]] += 1
        return steps, under.tolist()

    def direct(self, each: int) -> str:
        """The formula of the money that goes to firms: each payment in full, less 培育赋能 rounded down."""
        award, cell = self.sheets.book.award, self.sheets.basics("empowerment")
        share = f'IF({cell}="",{float(award.empowerment_cap)},{cell})'
        return f"{each}*[count]-INT(ROUND({each}*[count]*{share},6))"


def _shared(payment: _Payment, cells: _Cells, amount: str, parts: pd.DataFrame) -> bool:
    """Whether the formulas find what the command found; then the halvings stand in 资金求解.

    ``parts``: score and planned investment of the firms that get money, index as their rows; all of them positive.
    """
    frame, rule = cells[payment.form].loc[[*payment.rows]], payment.sheets.book.grant_rule(payment.name)
    total, parts = int(frame[amount].sum()), parts.astype(float)
    share = None if rule.score_share is None else float(rule.score_share)
    by_score, by_plan = (parts[name] / parts[name].sum() for name in parts)
    graded = by_score**0 / len(parts) if share is None else share * by_score + (1 - share) * by_plan
    apart = (frame["entitlement"].astype(float) - (total * graded).reindex(frame.index, fill_value=0.0)).abs()
    if parts.isna().any(axis=None) or not parts.gt(0).all(axis=None) or apart.max() > _APART:
        return False
    scores = parts["score"].reindex(frame.index, fill_value=0.0)
    steps, found = payment.found(frame["entitlement"].astype(float).round(9), scores, total)
    if found != frame[amount].tolist():
        return False
    cells["search"] = payment.halvings(steps)
    return True


def _handed(payment: _Payment, members: str, amount: str, each: int) -> Iterator[_Formula]:
    """Count, money and check of a payment in 资金分配: every firm of the sheet that formulas reach has its money, or 0."""
    at, (column, _, choice), held = [payment.at], members.partition("="), payment.column(amount)
    yield "grants", "count", f'COUNTIF({payment.column(column)},"{choice}")', at
    yield "grants", "total", payment.direct(each), at
    yield "grants", "handed", f"SUM({held})", at
    same, differs = say("firm_check.same"), say("firm_check.differs")
    found = payment.sheets.cell("search", f"{payment.name}_sum", payment.first + HALVINGS)
    apart = f'IF(AND({found}<=[total],COUNT({held})={len(payment.rows)}),"{differs}","{payment.again}")'
    check = f'IF(AND([handed]=[total],COUNT({held})={len(payment.rows)}),"{same}",{apart})'
    yield "grants", "check", _else(check, payment.again), at


def _opening(sheets: _Sheets, cells: _Cells) -> Iterator[_Formula]:
    """What each approved firm gets at the start."""
    book, frame = sheets.book, cells["firms"]
    paid = [int(row) for row in frame.index[frame["granted"].notna()]]
    payment = _Payment(sheets, "opening", "firms", paid, sheets.ends, "amounts")
    approved = book.firms.only(book.firms.table.index[book.firms.table["row"].isin(payment.rows)])
    decided = book.decisions["approved"].notna().any()
    column, code = ("approved", "yes") if decided else ("selected", "yes")
    members = f"{column}={_choice(column, code)}"
    there = sheets.have("firms", column, "score", "entitlement", "granted", "planned_investment")
    parts = pd.DataFrame({"score": book.decisions["score"], "planned": approved.table["planned_investment"]})
    parts = parts.loc[approved.table.index].set_axis(approved.table["row"])
    if not (there and _can_share(payment) and sheets.as_they_stand("firms", approved, ["planned_investment"])):
        return
    if not _shared(payment, cells, "granted", parts):
        return
    frame.loc[payment.rows, "entitlement"] = frame.loc[payment.rows, "entitlement"].astype(float).round(9)
    # Who joins has no formula: the others' wait for the stage.
    asked = [f'[{column}]="{_choice(column, code)}"', f"{payment.rule('count')}={len(paid)}"]
    if not decided and sheets.have("firms", "approved"):
        asked.append(f"COUNTA({payment.column('approved')})=0")
    entitlement = _else(payment.entitlement(members, "score", "planned_investment"), payment.again)
    cells["grants"].loc[[payment.at], "check"] = say("firm_check.same")
    yield "firms", "entitlement", f'IF(AND({",".join(asked)}),{entitlement},"{payment.again}")', paid
    yield "firms", "granted", f'IF(ISNUMBER([entitlement]),{payment.granted()},"{payment.again}")', paid
    yield from _handed(payment, members, "granted", book.award.opening)


def _can_share(payment: _Payment) -> bool:
    """Whether the sheets have what the money's formulas need, as numbers."""
    sheets = payment.sheets
    grid, places = sheets.book.grids["grants"], sheets.book.columns("grants")
    row, share = grid.rows[payment.at], sheets.book.basics["empowerment"]
    wanted = {"share", "floor", "cap", "count", "total", "handed", "check"}
    if "search" not in sheets.book.grids or not wanted <= set(places) or not sheets.have("basics", "empowerment"):
        return False
    held = [row[places[name] - 1] if places[name] <= len(row) else None for name in ("share", "floor", "cap")]
    basics, at = sheets.book.grids["basics"].rows[sheets.book.basics.row], sheets.book.columns("basics")["empowerment"]
    held.append(basics[at - 1] if share is not None else None)
    return all(value is None or _is_number(value) for value in held)


def _ends(sheets: _Sheets, cells: _Cells) -> Iterator[_Formula]:
    """Each firm's outcome, and what it is due and gives back at the end."""
    book, frame, again = sheets.book, cells["ending"], sheets.rerun("settle")
    firms = book.results("ending", book.supported[0])
    rows = sorted(int(row) for row in frame.index)
    payment = _Payment(sheets, "closing", "ending", rows, (rows[0], rows[-1]), "settle")
    done, results = say("ending.completed"), ["actual_investment", "target_completion"]
    results += ["fraud"] if sheets.have("ending", "fraud") and "fraud" in firms.table else []
    there = sheets.have("ending", *_ENDED, *results) and sheets.have("yearly", "goes_on", "score") and sheets.have("firms", "planned_investment")  # fmt: skip
    if not (there and _can_share(payment) and sheets.as_they_stand("ending", firms, results) and sheets.as_they_stand("firms", firms, ["planned_investment"])):  # fmt: skip
        return
    parts = frame.loc[frame["outcome"].eq(done), ["score", "planned"]]
    if not len(parts) or not _shared(payment, cells, "closing", parts):
        return
    for row in payment.rows:  # in the order of the formulas: what each reads stands before it
        frame.at[row, "entitlement"] = round(float(frame.at[row, "entitlement"]), 9)
    award = book.award
    owing = [
        say(f"ending.{name}") for name in (*OUTCOMES, DISCONTINUED, DEFRAUDED) if settlement_of(name, award).recovered
    ]
    owes = ",".join(f'[outcome]="{name}"' for name in owing)
    back = f"INT(ROUND([granted]*{float(award.recovered_share)},6))"
    members, graded = f"outcome={done}", payment.entitlement(f"outcome={done}", "score", "planned")
    cells["grants"].loc[[payment.at], "check"] = say("firm_check.same")
    paid = sheets.found("firms", "granted")
    yield "ending", "granted", f'IF(ISNUMBER({paid}),{paid},"{again}")', rows
    yield "ending", "score", _else(sheets.found("yearly", "score"), again), rows
    yield "ending", "planned", _else(sheets.found("firms", "planned_investment"), again), rows
    yield "ending", "outcome", _else(_outcome(sheets, award, "fraud" in results, again), again), rows
    yield "ending", "entitlement", _else(f'IF([outcome]="{done}",{graded},0)', again), rows
    yield "ending", "closing", f'IF([outcome]="{again}","{again}",{payment.granted()})', rows
    yield "ending", "recovered", _else(f'IF([outcome]="{again}","{again}",IF(OR({owes}),{back},0))', again), rows
    yield from _handed(payment, members, "closing", award.closing)


def _outcome(sheets: _Sheets, award: Award, has_fraud: bool, again: str) -> str:
    """The formula of a firm's outcome: fraud before all else, then who left, then investment and goals."""
    words = {name: say(f"ending.{name}") for name in (*OUTCOMES, DISCONTINUED, DEFRAUDED)}
    ended = f'IF([target_completion]>=100,"{words["completed"]}","{words["missed"]}")'
    ended = f'IF([actual_investment]<{award.recovery_investment},"{words["under_invested"]}",{ended})'
    ended = f'IF(COUNT([actual_investment],[target_completion])<2,"{again}",{ended})'
    left = f'{sheets.found("yearly", "goes_on")}="{_choice("goes_on", "no", "yearly")}"'
    ended = f'IF({left},"{words[DISCONTINUED]}",{ended})'
    return f'IF([fraud]="{as_read("fraud", "yes")}","{words[DEFRAUDED]}",{ended})' if has_fraud else ended


def _none(sheets: _Sheets, cells: _Cells) -> Iterator[_Formula]:
    """A stage whose results no formula can say."""
    yield from ()


_FORMULAS: Mapping[str, Callable[[_Sheets, _Cells], Iterator[_Formula]]] = {
    "select": _selection,
    "amounts": _opening,
    "evaluate": _yearly,
    "settle": _ends,
}
