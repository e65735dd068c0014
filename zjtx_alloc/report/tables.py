"""Tables as they leave the package: the CSV files, and the Chinese tables of notebooks and workbook."""

import html
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from zjtx_alloc.allocation import Allocation, decisions
from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.factors import ADJUSTMENT
from zjtx_alloc.messages import header, say
from zjtx_alloc.policy import Award
from zjtx_alloc.report.notes import budget_notes, marks_note, stands_for, weights_note

ENTITLEMENT_DECIMALS = 6
_LONG_TEXT = 16  # characters; longer cells wrap

# How a column of each kind is written: in a page (Python format) and in a workbook (Excel format).
FORMATS: Mapping[str, tuple[str, str]] = {
    "text": ("{}", "@"),
    "count": ("{:,.0f}", "#,##0"),
    "difference": ("{:+,.2f}", "+#,##0.00;-#,##0.00;0.00"),
    "step": ("{:+,.0f}", "+#,##0;-#,##0;0"),
    "places": ("{:,.2f}", "#,##0.00"),
    "weight": ("{:.2f}", "0.00"),
    "share": ("{:.1%}", "0.0%"),
    "money": ("{:,.0f}", "#,##0"),
}


@dataclass(frozen=True)
class Table:
    """A table for people: Chinese title, headers and notes; how each column is written.

    Attributes
    ----------
    title : str
        Chinese title, also the name of its sheet (at most 31 characters).
    frame : DataFrame
        Chinese headers, a row a record, no index of its own.
    kinds : mapping of header to key of ``FORMATS``
    notes : tuple of str
        What stands under the table: marks, sources, assumptions, measures.
    has_total : bool
        Whether the last row is the total.
    """

    title: str
    frame: pd.DataFrame
    kinds: Mapping[str, str]
    notes: tuple[str, ...] = ()
    has_total: bool = False

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(str(column))}</th>" for column in self.frame.columns)
        last = len(self.frame) - 1
        body = "".join(
            f"<tr{' class=total' if self.has_total and number == last else ''}>"
            + "".join(self._cell(column, value) for column, value in zip(self.frame.columns, row, strict=True))
            + "</tr>"
            for number, row in enumerate(self.frame.itertuples(index=False))
        )
        notes = "".join(f"<p class=note>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<div class=scroll><table class=zjtx><caption>{html.escape(self.title)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}"
        )

    def _cell(self, column: str, value: object) -> str:
        kind = self.kinds[column]
        shown = "—" if pd.isna(value) else FORMATS[kind][0].format(value)
        align = "left" if kind == "text" else "right"
        long = " class=long" if len(shown) > _LONG_TEXT else ""
        return f'<td{long} style="text-align:{align}">{html.escape(shown)}</td>'


def _table(title: str, frame: pd.DataFrame, kinds: dict[str, str], *notes: str, has_total: bool = False) -> Table:
    """A table from columns by their names in code, which the header map turns into Chinese."""
    headers = {name: header(name) for name in kinds}
    frame = frame[list(kinds)].rename(columns=headers).reset_index(drop=True)
    return Table(say(f"title.{title}"), frame, {headers[n]: k for n, k in kinds.items()}, notes, has_total)


def allocation_csv(allocation: Allocation) -> str:
    """``allocation.csv``: code and the columns of ``Allocation.table``; 37 rows, no total row."""
    table = allocation.table()
    places = table["entitlement"].map(lambda e: f"{e:.{ENTITLEMENT_DECIMALS}f}")
    return _csv(table.assign(entitlement=places).reset_index())


def budget_csv(budget: BudgetForecast) -> str:
    """``budget.csv``: the columns of ``BudgetForecast.table``, whole 万元."""
    return _csv(budget.table)


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")


def allocation_table(allocation: Allocation) -> Table:
    """Quotas by unit with marks, and a total."""
    due = allocation.entitlement
    frame = allocation.table().reset_index()
    frame["difference"] = frame["quota"] - frame["entitlement"]
    frame["estimated_part"] = [part if part > 0 else None for part in due.estimated]
    frame["stand_in_part"] = [part if part > 0 else None for part in due.stand_in]
    total = {
        "short_name": say("table.total"),
        "entitlement": allocation.scenario.total,
        "quota": int(frame["quota"].sum()),
        "difference": 0.0,
        "estimated_part": due.estimated_share,
        "stand_in_part": due.stand_in_share,
    }
    frame = pd.concat([frame.astype(object), pd.DataFrame([total]).astype(object)], ignore_index=True)
    text = ["code", "short_name", "region", "binds", "estimated", "stand_in"]
    frame[text] = frame[text].fillna("")
    kinds = {
        "code": "text", "short_name": "text", "region": "text", "entitlement": "places", "quota": "count",
        "difference": "difference", "floor": "count", "cap": "count", "binds": "text",
        "estimated": "text", "estimated_part": "share", "stand_in": "text", "stand_in_part": "share",
    }  # fmt: skip
    return _table("allocation", frame, kinds, *marks_note(allocation), weights_note(), has_total=True)


def region_table(allocation: Allocation) -> Table:
    """Entitlements and quotas by region."""
    sums = allocation.table().groupby("region", sort=False)[["entitlement", "quota"]].sum().reset_index()
    sums["share"] = sums["quota"] / allocation.scenario.total
    kinds = {"region": "text", "entitlement": "places", "quota": "count", "share": "share"}
    return _table("regions", sums, kinds, *marks_note(allocation))


def contribution_table(allocation: Allocation) -> Table:
    """Where each entitlement comes from: a column a factor, and what the coefficients add or take."""
    due, panel = allocation.entitlement, allocation.panel
    names = {c: header(ADJUSTMENT) if c == ADJUSTMENT else panel.name(c) for c in due.contributions.columns}
    frame = due.contributions.rename(columns=names)
    frame.insert(0, header("short_name"), panel.units["short_name"])
    frame[header("entitlement")] = due.places
    marks = due.estimated.gt(0).map({True: say("mark.estimated"), False: ""})
    frame[header("estimated")] = marks
    kinds = dict.fromkeys(names.values(), "places") | {names[ADJUSTMENT]: "difference"}
    kinds = {header("short_name"): "text"} | kinds | {header("entitlement"): "places", header("estimated"): "text"}
    notes = (*marks_note(allocation), say("note.contributions"))
    return Table(say("title.contributions"), frame.reset_index(drop=True), kinds, notes)


def factor_table(allocation: Allocation) -> Table:
    """The factors with weight, period, source, and what they stand in for."""
    panel = allocation.panel
    rows = []
    for pool_name, pool in allocation.scenario.all_pools().items():
        for code, factor in pool.factors.items():
            cells = panel.column(code, factor.period)
            rows.append(
                {
                    "pool": pool_name or say("table.whole"),
                    "pool_share": pool.share,
                    "indicator": panel.name(code),
                    "period": factor.period,
                    "measure": panel.indicators.at[code, "measure"],
                    "value": cells["value"].sum(),
                    "weight": factor.weight,
                    "stand_in_for": stands_for(allocation, code, factor),
                    "estimated_units": int(cells["estimated"].sum()),
                    "source": "、".join(dict.fromkeys(cells["source"])),
                }
            )
    kinds = {
        "pool": "text", "pool_share": "share", "indicator": "text", "period": "text", "measure": "text",
        "value": "count", "weight": "weight", "stand_in_for": "text", "estimated_units": "count", "source": "text",
    }  # fmt: skip
    return _table("factors", pd.DataFrame(rows), kinds, weights_note())


def assumption_table(allocation: Allocation) -> Table:
    """What the scenario assumes, in its own words."""
    lines = allocation.scenario.assumptions
    frame = pd.DataFrame({"number": range(1, len(lines) + 1), "assumption": list(lines.values())})
    return _table("assumptions", frame, {"number": "count", "assumption": "text"})


def rule_table(allocation: Allocation) -> Table:
    """Bounds and rules in force, and the units that each one holds."""
    scenario, table = allocation.scenario, allocation.table()
    names = allocation.panel.units["short_name"].to_dict() | {"default": say("table.all_units")}
    rows = [(say("bound.floor"), f"{names[c]} ≥ {n}", {say("bound.floor")}) for c, n in scenario.floor.items()]
    rows += [(say("bound.cap"), f"{names[c]} ≤ {n}", {say("bound.cap")}) for c, n in scenario.cap.items()]
    if (change := scenario.change) is not None:
        kind = say("table.raw") if change.raw else say("table.scaled")
        value = f"{change.previous} ± {change.max_relative:.0%}（{kind}）"
        rows.append((say("table.change"), value, {say("bound.change_floor"), say("bound.change_cap")}))
    integer_rows = {row.name: row for row in allocation.problem.rows}
    rows += [
        (name, f"{integer_rows[name].lower} ≤ {say('table.sum')} ≤ {integer_rows[name].upper}", {name})
        for name in (*scenario.groups, *scenario.rules)
    ]
    rows += [(say("bound.fixed"), f"{names[c]} = {f.quota}（{f.reason}）", set()) for c, f in scenario.fixed.items()]
    binds = list(zip(table["short_name"], table["binds"].str.split("、"), strict=True))
    held = ["、".join(name for name, bounds in binds if marks & set(bounds)) for _, _, marks in rows]
    frame = pd.DataFrame([row[:2] for row in rows], columns=["rule", "value"]).assign(held=held)
    return _table("rules", frame, {"rule": "text", "value": "text", "held": "text"}, say("note.eligible_pool"))


def decision_table(allocation: Allocation) -> Table:
    """人工调整: the model's number, the decided number, the reason, and who gave or got places."""
    frame = decisions(allocation)
    kinds = {"short_name": "text", "model": "count", "quota": "count", "difference": "step", "reason": "text"}
    return _table("decisions", frame, kinds, *marks_note(allocation))


def estimate_table(allocation: Allocation) -> Table:
    """The estimated cells that the entitlements rest on."""
    panel, rows = allocation.panel, []
    for pool in allocation.scenario.all_pools().values():
        for code, factor in pool.factors.items():
            cells = panel.column(code, factor.period)
            rows += [
                {
                    "short_name": panel.units.at[unit, "short_name"],
                    "indicator": panel.name(code),
                    "period": factor.period,
                    "value": value,
                    "measure": panel.indicators.at[code, "measure"],
                    "rule": say(
                        "table.split", name=panel.name(str(panel.indicators.at[code, "split_by"]).split(":")[0])
                    ),
                }
                for unit, value in cells.loc[cells["estimated"], "value"].items()
            ]
    kinds = {
        "short_name": "text",
        "indicator": "text",
        "period": "text",
        "value": "places",
        "measure": "text",
        "rule": "text",
    }
    frame = pd.DataFrame(rows, columns=list(kinds)).drop_duplicates()
    return _table("estimates", frame, kinds, say("note.estimates", share=allocation.entitlement.estimated_share))


def source_table(allocation: Allocation) -> Table:
    """The sources of the facts used, with how far to trust them."""
    panel = allocation.panel
    used: dict[str, None] = {}
    for pool in allocation.scenario.all_pools().values():
        for code, factor in pool.factors.items():
            used |= dict.fromkeys(panel.column(code, factor.period)["source"])
    frame = panel.sources.reindex(list(used)).rename_axis("source").reset_index()
    kinds = dict.fromkeys(["source", "publisher", "title", "date", "location", "how_read", "reliability"], "text")
    return _table("sources", frame.fillna(""), kinds)


def batch_table(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Table:
    """The batches of a budget: totals, what they rest on, firms and commitment."""
    approved = {cohort.name: int(cohort.approved.sum()) for cohort in budget.cohorts}
    rows = [
        {
            "batch": say("table.batch", batch=a.scenario.batch),
            "scenario": a.scenario.name,
            "total": a.scenario.total,
            "total_status": say(f"status.{a.scenario.total_status}"),
            "approval_rate": float(a.scenario.approval.exact),
            "approved": approved[str(a.scenario.batch)],
            "commitment": approved[str(a.scenario.batch)] * budget.award.amount,
            "note": a.scenario.assumptions.get("total", ""),
        }
        for a in allocations
    ]
    kinds = {
        "batch": "text", "scenario": "text", "total": "count", "total_status": "text", "approval_rate": "share",
        "approved": "count", "commitment": "money", "note": "text",
    }  # fmt: skip
    return _table("batches", pd.DataFrame(rows), kinds, *budget_notes(budget, allocations))


def year_table(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Table:
    """Commitment beside cash, by fiscal year and batch, and the totals by year."""
    by_batch = budget.by_batch_and_year().reset_index()
    names = {str(a.scenario.batch): _batch_name(a) for a in allocations}
    by_batch["batch"] = by_batch["batch"].map(names)
    by_year = budget.by_year().reset_index().assign(batch=say("table.all_batches"))
    frame = pd.concat([by_batch, by_year]).sort_values("fiscal_year", kind="stable")
    total = by_year.drop(columns=["fiscal_year", "batch"]).sum().to_dict()
    frame = pd.concat([frame, pd.DataFrame([total | {"fiscal_year": say("table.total"), "batch": ""}])])
    frame["fiscal_year"] = frame["fiscal_year"].astype(str)
    money = dict.fromkeys(["commitment", "due", "recovered", "net", "direct", "empowerment"], "money")
    return _table(
        "years",
        frame,
        {"fiscal_year": "text", "batch": "text"} | money,
        *budget_notes(budget, allocations),
        has_total=True,
    )


def unit_year_table(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Table:
    """Net payments by unit and fiscal year, with totals both ways."""
    names = allocations[0].panel.units["short_name"]
    frame = budget.table.pivot_table(index="code", columns="fiscal_year", values="net", aggfunc="sum")
    frame = frame.reindex(names.index)
    frame.columns = [say("table.year", year=year) for year in frame.columns]
    years = list(frame.columns)
    frame[header("sum")] = frame.sum(axis=1)
    frame.loc[""] = frame.sum()
    frame.insert(0, header("short_name"), [*names, say("table.total")])
    frame[header("estimated")] = [
        *allocations[0].entitlement.estimated.gt(0).map({True: say("mark.estimated"), False: ""}),
        "",
    ]
    frame = frame.rename_axis(header("code")).reset_index()
    kinds = {header("code"): "text", header("short_name"): "text"} | dict.fromkeys([*years, header("sum")], "money")
    kinds |= {header("estimated"): "text"}
    notes = (*budget_notes(budget, allocations), say("note.net"), *marks_note(allocations[0]))
    return Table(say("title.unit_years"), frame, kinds, notes, has_total=True)


def award_table(award: Award) -> Table:
    """The award's parameters with clause and the notice's words."""
    frame = award.parameters.reset_index()
    frame["parameter"] = frame["parameter"].map(lambda name: say(f"parameter.{name}"))
    frame["assumed"] = frame["assumed"].map({True: say("status.assumed"), False: say("status.quoted")})
    kinds = dict.fromkeys(["parameter", "value", "measure", "effective", "clause", "quote", "assumed", "note"], "text")
    return _table("award", frame, kinds, say("note.award", title=award.title, number=award.number))


def _batch_name(allocation: Allocation) -> str:
    status = say(f"status.{allocation.scenario.total_status}")
    return say("table.batch_status", batch=allocation.scenario.batch, status=status)
