"""Review (审核): every condition a rule with its clause; a firm passes, or is struck out with every reason."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.firms.steps.conditions import Condition, Conditions, load_conditions
from zjtx_alloc.firms.steps.likeness import alike, cores, same
from zjtx_alloc.firms.table.columns import SEVERAL, TARGETS, as_read, choices_of, firm_columns
from zjtx_alloc.firms.table.lists import listed
from zjtx_alloc.firms.table.roll import MOST_NAMED, Firms, marked, whole_places
from zjtx_alloc.rules.award import Award

FIRST_ROUND = "first_round"


@dataclass(frozen=True)
class Review:
    """What a review found."""

    firms: Firms  #: All firms reviewed, with what earlier lists say in place of what they declare.
    conditions: Conditions
    as_of: date  #: The day for which certificates are judged.
    failures: pd.DataFrame  #: A row a firm and rule it fails, in the order of the firms: firm, rule, clause, reason.
    #: What a person should look at; strikes nobody out: firm, kind (Chinese), other (firm or pd.NA), what.
    flags: pd.DataFrame
    #: A row an entry of an earlier list: list (Chinese), entry, held (whether it names a firm of the table).
    lists: pd.DataFrame
    quota: pd.Series | None  #: Places by unit; None: the list is not bound by one (Series of int).

    @property
    def passed(self) -> Firms:
        """The firms that fail no rule."""
        return self.firms.only(self.firms.table.index.difference(self.failures["firm"], sort=False))

    @property
    def by_unit(self) -> pd.DataFrame:
        """Index ``code`` (all units); recommended, struck, passed (firms) and, under a quota, quota and excess."""
        recommended, passed = self.firms.by_unit, self.passed.by_unit
        table = pd.DataFrame({"recommended": recommended, "struck": recommended - passed, "passed": passed})
        if self.quota is None:
            return table
        quota = self.quota.reindex(table.index, fill_value=0).astype("int64")
        return table.assign(quota=quota, excess=(recommended - quota).clip(lower=0))

    @property
    def over_quota(self) -> pd.DataFrame:
        """Units that recommend more firms than their quota: rows of ``by_unit``."""
        table = self.by_unit
        return table[table["excess"].gt(0)] if self.quota is not None else table.head(0)

    @property
    def approved(self) -> pd.Series:
        """Firms that passed by unit, int64, index ``code``: fit for ``Cohort(approved=…)``.

        Raises
        ------
        DataError
            If a unit's list is over its quota: which firms go is the unit's to say.
        """
        over = self.over_quota
        if len(over):
            names = load_units()["short_name"]
            units = "、".join(
                say("review.over", unit=names[c], n=r.recommended, quota=r.quota) for c, r in over.iterrows()
            )
            raise DataError(say("review.over_quota", units=units))
        return self.by_unit["passed"].rename("approved")

    def reasons(self) -> pd.DataFrame:
        """The firms struck out as people read it: file, row, unit, code, name and every reason with its clause."""
        described = self.failures.assign(described=self.failures["reason"] + "〔" + self.failures["clause"] + "〕")
        reasons = described.groupby("firm", sort=False)["described"].agg("；".join)
        return _listed(self.firms, reasons.index, **{header("reason"): reasons})

    def doubts(self) -> pd.DataFrame:
        """The flags as people read them."""
        flags = self.flags.reset_index(drop=True)
        table = _listed(self.firms, pd.Index(flags["firm"])).reset_index(drop=True)
        return table.assign(**{header("doubt"): flags["kind"], header("against"): flags["what"]})


def review(
    firms: Firms,
    quota: pd.Series | None,
    as_of: date,
    conditions: Conditions | None = None,
    supported: Mapping[str, Iterable[str]] | None = None,
) -> Review:
    """Review a list of firms against the conditions of support.

    Parameters
    ----------
    firms : Firms
    quota : Series of int, optional
        Places by unit, index ``code``; None for a list that no quota binds, e.g. all who apply.
    as_of : date
        A certificate that ends on this day is still in force.
    conditions : Conditions, optional
        Those in force on the day if not given: 财建〔2024〕148号 三（一）, （二）, （四）.
    supported : mapping, optional
        Firms already supported: ``first_round``, or a batch of the new round ("1", "2", "3"), by credit code or,
        as published lists often are, by full name. They count before what a firm declares, and a contradiction
        is flagged.

    Raises
    ------
    DataError
        If the table lacks a column that a rule in force needs, a list is of no known round or holds a wrong
        code, or places are not whole.
    """
    if quota is not None:
        whole_places(quota)
    as_of = pd.Timestamp(as_of).date()  # a day, also where a time of it is given
    conditions = load_conditions(on=as_of) if conditions is None else conditions
    firms, contradictions, entries = _with_lists(firms, supported or {})
    columns = dict.fromkeys(rule.column for rule in conditions.in_force.values())
    firms.need(*columns, "name", "credit_code", "unit")
    failures = [_failures(firms, name, rule, as_of, conditions.award) for name, rule in conditions.in_force.items()]
    table = pd.concat(failures, ignore_index=True).sort_values("firm", kind="stable", ignore_index=True)
    flags = pd.concat([contradictions, *_flags(firms)], ignore_index=True)
    return Review(firms, conditions, as_of, table, flags, entries, quota)


def _with_lists(firms: Firms, supported: Mapping[str, Iterable[str]]) -> tuple[Firms, pd.DataFrame, pd.DataFrame]:
    """What earlier lists say in the place of what firms declare, where the two differ, and the lists' entries."""
    table, described, rows = firms.table.copy(), [_flag_rows(pd.Index([]), "", "")], list[tuple[str, str, bool]]()
    known = [FIRST_ROUND, *(batch for batch in choices_of("earlier_batch") if batch != "none")]
    for batch, entries in supported.items():
        if batch not in known:
            raise DataError(say("review.round", name=batch, known="、".join(known)))
        column, value = (FIRST_ROUND, "yes") if batch == FIRST_ROUND else ("earlier_batch", batch)
        name = say("review.list", column=firm_columns()[column].name, value=as_read(column, value))
        found = listed(entries, name)
        codes, names = table["credit_code"], table["name"].map(plain)
        held, named = codes.isin(found) | names.isin(found), {*codes, *names}
        rows += [(name, entry, entry in named) for entry in found]
        if column not in table:
            table[column] = "none"
        else:
            wrong = table.index[held & table[column].ne(value)]
            what = say("review.declared", column=firm_columns()[column].name, value=as_read(column, value))
            described.append(_flag_rows(wrong, say("review.contradiction"), what))
        table.loc[held, column] = value
    lists = pd.DataFrame(rows, columns=["list", "entry", "held"])
    return Firms(table, firms.made_up, firms.unread), pd.concat(described, ignore_index=True), lists


def _failures(firms: Firms, name: str, rule: Condition, as_of: date, award: Award) -> pd.DataFrame:
    """A row a firm that fails one rule."""
    column = firms.table[rule.column]
    limit = Fraction(award.parameters.at[rule.parameter, "value"] if rule.parameter else rule.least or 0)
    if rule.test == "targets":
        values = _without_target(firms.table)
        failing = values[values.ne("")]
    elif rule.test == "unique":
        failing = column[column.duplicated(keep=False)]
    else:
        failing = column[~_TESTS[rule.test](column, rule, pd.Timestamp(as_of), float(limit))]
    others = _others(firms, failing) if rule.test == "unique" else pd.Series("", failing.index)
    read = {v: v if rule.test == "targets" else as_read(rule.column, v) for v in failing.unique()}
    described = [
        rule.reason.format(value=read[value], other=other, limit=f"{float(limit):.15g}", as_of=as_of)
        for value, other in zip(failing, others, strict=True)
    ]
    reasons = pd.Series(described, failing.index, dtype=object)  # text also where there is none
    return pd.DataFrame({"firm": failing.index, "rule": name, "clause": rule.clause, "reason": reasons})


def _includes(column: pd.Series, codes: list[str]) -> pd.Series:
    return column.map({value: not set(codes).isdisjoint(value.split(SEVERAL)) for value in column.unique()})


_TESTS: dict[str, Callable[[pd.Series, Condition, pd.Timestamp, float], pd.Series]] = {
    "since": lambda column, rule, as_of, limit: column <= as_of,
    "until": lambda column, rule, as_of, limit: column >= as_of,
    "above": lambda column, rule, as_of, limit: column > limit,
    "least": lambda column, rule, as_of, limit: column >= limit,
    "any_of": lambda column, rule, as_of, limit: _includes(column, rule.values),
    "none_of": lambda column, rule, as_of, limit: ~_includes(column, rule.values),
}


def _without_target(table: pd.DataFrame) -> pd.Series:
    """Directions that a firm's plan covers without a target of their own, with what stands there, joined by 、."""
    lacking = pd.Series("", table.index)
    for code, column in TARGETS.items():
        covered = _includes(table["directions"], [code])
        texts = table[column] if column in table else pd.Series("", table.index)
        said = {text: _lack(code, text) for text in texts.unique()}
        lacking += texts.map(said).where(covered, "")
    return lacking.str.removeprefix("、")


def _lack(direction: str, target: str) -> str:
    """What is said of a direction's target that is none: blank, or a word that only fills the cell; else blank."""
    if re.sub(r"[\W\d_]", "", plain(target)).lower() not in ("", *words("no_target")):
        return ""
    filled = say("review.filled", text=target) if target else ""
    return "、" + choices_of("directions")[direction] + filled


def _others(firms: Firms, codes: pd.Series) -> pd.Series:
    """The other firms with the same code, by name and row."""
    found = {}
    for _, group in codes.groupby(codes):
        first = group.index[: MOST_NAMED + 2]  # enough to name the others, and to say that there are more
        for firm in group.index:
            found[firm] = firms.names(first.drop(firm, errors="ignore"))
    return pd.Series(found, dtype=object).reindex(codes.index)


def _flags(firms: Firms) -> list[pd.DataFrame]:
    """Names that are one or nearly one under different codes, and firms already supported in this round."""
    table, frames, names = firms.table, [], cores(firms.table)
    codes = table["credit_code"]
    for kind, pairs in (("same_name", same(codes, names)), ("near_name", alike(codes, names))):
        for first, second in (("a", "b"), ("b", "a")):
            what = firms.labels(pd.Index(pairs[second]))
            frames.append(_flag_rows(pd.Index(pairs[first]), say(f"review.{kind}"), what, pairs[second]))
    if "earlier_batch" in table:
        held = table["earlier_batch"][~table["earlier_batch"].isin(["none", ""])]
        frames.append(_flag_rows(held.index, say("review.earlier"), [as_read("earlier_batch", v) for v in held]))
    return frames


def _flag_rows(firms: pd.Index, kind: str, what: str | list[str], others: pd.Series | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"firm": firms.astype("int64"), "kind": kind, "what": what})
    other = [pd.NA] * len(frame) if others is None else list(others)
    return frame.assign(other=pd.array(other, dtype="Int64"))[["firm", "kind", "other", "what"]]


def _listed(firms: Firms, index: pd.Index, **columns: pd.Series) -> pd.DataFrame:
    """Firms to show: file, row, unit, code, name, and further columns."""
    held = firms.only(index)
    where = held.table[["file", "row"]].rename(columns={"file": header("file"), "row": header("row")})
    read = held.displayed(["unit", "credit_code", "name"])
    return marked(pd.concat([where, read], axis=1).assign(**columns), firms)
