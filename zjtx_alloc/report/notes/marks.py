"""Sentences that stand on a report: its conclusions, and the marks that no table or figure may lose."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.entitlement import STAND_IN
from zjtx_alloc.allocation.explanation_text import rests_text
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import gaps_in
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.facts.panel import ADJUSTED, KNOWN, SPLIT, SUPPLIED, Panel, grounds_of
from zjtx_alloc.quota.problem.criteria import Criterion, criterion_name
from zjtx_alloc.report.notes.user_data import pools_note, replaced_note, supply_note
from zjtx_alloc.rules.composite_form import Part
from zjtx_alloc.rules.scenario import Factor

COEFFICIENTS = {"region_coefficient": "table.region", "grade_coefficient": "table.grade"}  # and what they are called
Gaps = Mapping[int, tuple[str, ...]]  # fiscal year -> what of the whole programme its total leaves out

_SAME_SHARE = 1e-12  # of the nation: shares that differ by less are the same


def marks_note(allocation: Allocation) -> tuple[str, ...]:
    """What entitlements rest on, and which factors are the user's own; a mark that nothing bears is not explained."""
    return (*doubts_note(allocation), *replaced_note(allocation))


def doubts_note(allocation: Allocation) -> tuple[str, ...]:
    """What entitlements rest on, with shares; what is split from a province's figure, stands in or was filled."""
    due, panel = allocation.entitlement, allocation.panel
    notes = [rests_note(allocation)]
    if names := _split_units(allocation):
        notes.append(say("note.estimated", count=len(names), names="、".join(names)))
    if due.stand_in.gt(0).any():
        parts = "；".join(
            say(
                "note.stands_in",
                name=panel.name(code),
                period=panel.supplied.get(code, line.period),
                target=stands_for(allocation, code, line),
                weight=factor.weight,
            )
            for pool in allocation.scenario.all_pools().values()
            for factor_code, factor in pool.factors.items()
            for code, line in dict([(factor_code, factor), *allocation.scenario.grounds(factor_code, factor)]).items()
            if panel.stands_in(code, line.stand_in_for)
        )
        notes.append(say("note.stand_in", parts=parts))
    filled = [say("note.filled_cells", name=name, names=names) for name, names in _filled(allocation)]
    return (*notes, *([say("note.filled", parts="；".join(filled))] if filled else []))


def rests_note(*allocations: Allocation) -> str:
    """How much of the entitlements is published, estimated and stood in for; of several batches the least and the most."""
    return say("rests.entitlement", parts=rests_text(*(a.entitlement.rests_on_share for a in allocations)))


def _split_units(allocation: Allocation) -> list[str]:
    """Units with a cell that is split from their province's figure."""
    panel, split = allocation.panel, set[str]()
    for code, line in allocation.scenario.indicators():
        cells = panel.known(code, line.period)
        split |= set(cells.index[grounds_of(cells).eq(SPLIT)])
    return [str(name) for code, name in panel.units["short_name"].items() if code in split]


def mostly_guessed(allocation: Allocation) -> pd.Series:
    """Units whose entitlement rests for more than half on cells without a count of their own, stand-ins among them."""
    rests_on = allocation.entitlement.rests_on
    return rests_on.drop(columns=[KNOWN, SUPPLIED, ADJUSTED, STAND_IN]).sum(axis=1).gt(0.5)


def edged_note(guessed: pd.Series) -> str:
    """What the edges of tiles on a map mean, if any unit has one, and who has no tile."""
    return (say("figure.orange") if guessed.any() else "") + say("figure.apart")


def _filled(allocation: Allocation) -> Iterator[tuple[str, str]]:
    """Indicators beneath composites with cells filled by a rule, and the units' names."""
    panel = allocation.panel
    for code, period in dict.fromkeys((code, line.period) for code, line in allocation.scenario.indicators()):
        known = panel.known(code, period).index
        if missing := [c for c in panel.units.index if c not in known]:
            yield f"{panel.name(code)} {period}", "、".join(panel.units.loc[missing, "short_name"])


def split_rule(panel: Panel, indicator: str) -> str:
    """By what a figure of a whole province is split to its units."""
    return say("table.split", name=panel.name(str(panel.indicators.at[indicator, "split_by"]).partition(":")[0]))


def stands_for(allocation: Allocation, code: str, line: Factor | Part) -> str:
    """What a factor, or a composite's part, stands in for: another indicator, or its own current figures; else blank."""
    if line.stand_in_for is None or not allocation.panel.stands_in(code, line.stand_in_for):
        return ""
    kind = "table.current" if line.stand_in_for == code else "table.other"
    return say(kind, name=allocation.panel.name(line.stand_in_for))


def short_marks(*allocations: Allocation) -> str:
    """What the foot of a figure says: assumptions, marks, and whose facts they are."""
    return mark_shares(*allocations) + source_line(*allocations)


def mark_shares(*allocations: Allocation) -> str:
    """That weights are assumptions, and what entitlements rest on, in one line; of several the least and the most."""
    return say("note.short_marks") + rests_note(*allocations)


def source_line(*allocations: Allocation) -> str:
    """Who published the facts that entitlements rest on, and of when."""
    return published(
        (allocation.panel, code, line.period)
        for allocation in allocations
        for code, line in allocation.scenario.indicators()
    )


def published(columns: Iterable[tuple[Panel, str, str]]) -> str:
    """Who published some columns of facts, each an indicator and its period, and of when."""
    periods: dict[str, dict[str, None]] = {}
    for panel, code, period in columns:
        for source in sources_of(panel, [(code, period)]):
            publisher = str(panel.sources.at[source, "publisher"])
            periods.setdefault(publisher, {})[panel.supplied.get(code, period)] = None
    described = (say("note.publisher", publisher=name, periods="、".join(of)) for name, of in periods.items())
    return say("note.sources", publishers="；".join(described))


def sources_of(panel: Panel, columns: Iterable[tuple[str, str]]) -> list[str]:
    """Sources of the cells of some indicators and periods, in order of appearance by unit."""
    used: dict[str, None] = {}
    for code, period in columns:
        used |= dict.fromkeys(panel.known(code, period).reindex(panel.units.index)["source"].dropna())
    return list(used)


def publishers_of(panel: Panel, columns: Iterable[tuple[str, str]]) -> str:
    """Who published the cells of some indicators and periods, each named once."""
    return "、".join(dict.fromkeys(panel.sources.loc[sources_of(panel, columns), "publisher"]))


def budget_notes(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> tuple[str, ...]:
    """What the money rests on: batches by status, outcomes, and what is not included."""
    return (
        say("note.batches", batches=batch_sizes(allocations)),
        *([say("note.outcomes", years=budget.award.implementation_years)] if budget.assumed_completed else []),
        *([say("note.horizon", year=budget.horizon, money=f"{budget.beyond:,}")] if budget.beyond else []),
        say("note.empowerment", cap=float(budget.award.empowerment_cap)),
        *_outside(budget.ledger.gaps(), budget.cohorts, allocations),
    )


def conclusion_notes(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> tuple[str, ...]:
    """Of ``budget_notes`` what conclusions cannot go without; tables and figures bear the rest."""
    sizes = say("note.batches", batches=batch_sizes(allocations))
    return (sizes, *gaps_note(budget.ledger.gaps()), *budget_marks(allocations))


def outlook_notes(outlooks: tuple[BudgetOutlook, ...], allocations: tuple[Allocation, ...]) -> tuple[str, ...]:
    """What distributions of money rest on: outcomes as assumed, batches by status, what is not included."""
    years = outlooks[0].award.implementation_years
    notes = outcome_notes(outlook.outcomes for outlook in outlooks)
    gaps = gaps_in(outlooks[0].years, outlooks[0].cohorts, outlooks[0].award)
    outside = _outside(gaps, outlooks[0].cohorts, allocations)
    given = say("note.conditional", batches=batch_sizes(allocations))
    return (*notes, say("note.closing_year", years=years), given, *outside)


def outcome_notes(assumptions: Iterable[OutcomeAssumption]) -> tuple[str, ...]:
    """What is assumed of outcomes; what all assumptions have in common is said once, at the end."""
    notes = [assumption.note() for assumption in assumptions]
    common = {note.partition("。")[2] for note in notes}
    return (*(note.partition("。")[0] + "。" for note in notes), *common) if len(common) == 1 else tuple(notes)


def batch_label(allocation: Allocation) -> str:
    """A batch, and what its total rests on."""
    scenario = allocation.scenario
    return say("table.batch_status", batch=scenario.batch, status=_size_status(allocation))


def condition(year: int, cohorts: tuple[Cohort, ...], allocations: tuple[Allocation, ...]) -> str:
    """The firms that the money of a fiscal year is conditional on: each batch that is paid, and what its size rests on."""
    firms = {c.name: int(c.approved.sum()) for c in cohorts if year in (c.opening_year, c.closing_year)}
    return "、".join(
        say("note.condition", batch=batch, firms=firms[str(batch)], status=_size_status(a))
        for a in allocations
        if str(batch := a.scenario.batch) in firms
    )


def _size_status(allocation: Allocation) -> str:
    return say("status.known") if allocation.has_known_approvals else say(f"status.{allocation.scenario.total_status}")


def total_basis(allocation: Allocation) -> str:
    """What a batch's total rests on: known, or the scenario's word for it, and the places that the batch before left."""
    status = say("status.known" if allocation.has_known_quota else f"status.{allocation.scenario.total_status}")
    return status + (say("note.left_over", places=allocation.carried) if allocation.carried else "")


def batch_sizes(allocations: tuple[Allocation, ...]) -> str:
    """How many firms each batch has, and what that number rests on."""
    return "；".join(
        say("note.batch_known", batch=a.scenario.batch, approved=int(a.approved.sum()))
        if a.has_known_approvals
        else say(
            "note.batch",
            batch=a.scenario.batch,
            total=a.total,
            status=total_basis(a),
            rate=100 * float(a.scenario.approval.exact),
        )
        for a in allocations
    )


def _outside(left_out: Gaps, cohorts: tuple[Cohort, ...], allocations: tuple[Allocation, ...]) -> tuple[str, ...]:
    """What years leave out of the whole programme, what tails assume, and the marks."""
    return (
        *gaps_note(left_out),
        *cohort_notes(cohorts),
        *budget_marks(allocations),
    )


def cohort_notes(cohorts: Iterable[Cohort]) -> Iterator[str]:
    """What cohorts assume, each sentence once: several share what is assumed of outcomes."""
    said: set[str] = set()
    for cohort in cohorts:
        new = [sentence for sentence in cohort.assumption.split("。") if sentence and sentence not in said]
        said.update(new)
        if new:
            yield "。".join(new) + "。"


def budget_marks(allocations: Sequence[Allocation]) -> tuple[str, ...]:
    """The marks of several batches in short: what their entitlements rest on, and whose figures the factors are."""
    marks = mark_shares(*allocations)
    return (marks, *dict.fromkeys(note for a in allocations for note in replaced_note(a)), *pools_note(allocations))


def gaps_note(left_out: Gaps) -> tuple[str, ...]:
    """Which fiscal years' totals are incomplete, and what they leave out; nothing if none is."""
    years = [say("note.gap", year=year, names="、".join(names)) for year, names in left_out.items()]
    return (say("note.gaps", years="；".join(years)),) if years else ()


def year_label(year: int, left_out: Gaps) -> str:
    """A fiscal year, starred where its total is incomplete."""
    return say("table.incomplete", year=year) if year in left_out else str(year)


def year_header(year: int, left_out: Gaps) -> str:
    """The header of a column of a fiscal year's money, starred where its total is incomplete."""
    return say("table.year_incomplete" if year in left_out else "table.year", year=year)


def criterion_text(criterion: str | Criterion) -> str:
    """What a criterion is called, without its formula."""
    return criterion_name(criterion).partition("：")[0]


def criterion_note(allocation: Allocation) -> str:
    """What "closest to the entitlements" means in this allocation, and how ties are ruled."""
    described = say("note.criterion", criterion=criterion_name(allocation.problem.criterion))
    return described + "".join(crossing_note(allocation))


def crossing_note(allocation: Allocation) -> tuple[str, ...]:
    """That a criterion is no divisor method where rules cross; nothing where they do not."""
    return () if allocation.problem.nested else (say("note.no_divisors"),)


def allocation_summary(allocation: Allocation, *look_back: str) -> str:
    """The conclusions of the allocation page, as Markdown: the answer, what changed, what is the user's own, how sure it is.

    ``look_back`` are sentences on observed counts.
    """
    share = allocation.entitlement.rests_on_share
    known = sum(share.get(ground, 0.0) for ground in (KNOWN, SUPPLIED))
    lines = [
        result_note(allocation, f"**{allocation.scenario.title}**"),
        *last_note(allocation),
        *supply_note(allocation),
        say("summary.doubt", known=known, grounds=say("summary.own" if share.get(SUPPLIED) else "summary.published")),
        *look_back,
    ]
    return "\n".join(f"- {line}" for line in lines)


def rules_summary(allocation: Allocation) -> str:
    """Which units rules hold, and whether other quotas are as good, as Markdown."""
    held = allocation.table().query("binds != ''")
    names = "、".join(f"{row.short_name}（{row.binds}）" for row in held.itertuples())
    bound = say("summary.bound", names=names) if names else say("summary.unbound")
    return "\n".join(f"- {line}" for line in (bound, ties_note(allocation)))


def rounding_note(allocation: Allocation) -> str:
    """By which method quotas are rounded, and what proves that none is better."""
    return criterion_note(allocation) + proof_note(allocation)


def proof_note(allocation: Allocation) -> str:
    """What proves that no quota is better, and what that leaves open."""
    proof = allocation.solution.certificate
    return say(f"summary.proof_{proof.kind}") + proof.left_open


def last_note(allocation: Allocation) -> tuple[str, ...]:
    """What makes the quota another than the batch's own, and whether its shares are those of the batch before."""
    found = allocation.counted
    if found is None:
        return ()
    ways = "、".join(say(f"counted.{way}") for way in found.ways)
    notes = [say("summary.counted", ways=ways, total=allocation.total)] if found.ways else []
    if found.before is not None and has_same_shares(allocation):
        notes.append(say("summary.same_shares", batch=found.before.scenario.batch))
    return tuple(notes)


def alone_note(allocation: Allocation) -> tuple[str, ...]:
    """That a study takes the batch on its own, where the quota that counts is another; blank where it is the same."""
    if allocation.quota.equals(allocation.solution.quota):
        return ()
    ways = "、".join(say(f"counted.{way}") for way in allocation.counted.ways) if allocation.counted else ""
    return (say("note.alone", ways=ways),)


def has_same_shares(allocation: Allocation) -> bool:
    """Whether the shares of the nation are those of the batch before: facts and rules are the same."""
    before = None if allocation.counted is None else allocation.counted.before
    if before is None:
        return False
    shares = [one.entitlement.places / one.scenario.total for one in (before, allocation)]
    return bool((shares[0] - shares[1]).abs().max() < _SAME_SHARE)


def result_note(allocation: Allocation, title: str) -> str:
    """How many places, and who gets most."""
    quota, names = allocation.quota, allocation.panel.units["short_name"]
    largest = quota.sort_values(ascending=False, kind="stable").head(5)
    return say(
        "summary.allocation",
        title=title,
        total=allocation.total,
        status=total_basis(allocation),
        units=len(quota),
        largest="、".join(names[c] + say("unit.places", places=n) for c, n in largest.items()),
        share=largest.sum() / allocation.total,
    )


def ties_note(allocation: Allocation) -> str:
    """Whether other quotas are as good, and how that was ruled."""
    names = allocation.panel.units["short_name"]
    sets = ["、".join(names[c] for c in tied) for tied in allocation.solution.ties]
    if sets:
        return say("summary.ties", sets="；".join(sets))
    return say("summary.no_ties" if allocation.problem.nested else "summary.no_ties_seen")


def budget_summary(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> str:
    """The first paragraph of the budget report, as Markdown."""
    years = budget.by_year()
    first = budget.award.first_year
    within = years.loc[years.index < first + budget.award.batches]
    after = years.loc[years.index >= first + budget.award.batches]
    cash = "、".join(say("summary.year", year=y, money=f"{m:,}") for y, m in after["net"].items())
    commitment = f"{years['commitment'].sum():,}"
    lines = [
        say(
            "summary.cash",
            first=within.index[0],
            last=within.index[-1],
            years="、".join(say("summary.year", year=y, money=f"{m:,}") for y, m in within["net"].items()),
            money=f"{within['net'].sum():,}",
        ),
        say("summary.after", years=cash, commitment=commitment)
        if cash
        else say("summary.committed", commitment=commitment),
        *conclusion_notes(budget, allocations),
    ]
    return "\n".join(f"- {line}" for line in lines)


def outlook_summary(outlooks: tuple[BudgetOutlook, ...], allocations: tuple[Allocation, ...]) -> str:
    """How far the years that hang on outcomes may differ, under each assumption, as Markdown; blank if none does."""
    lines: list[str] = []
    for year in outlooks[0].shown_years:
        found = [(outlook.outcomes.title, outlook.distribution(year)) for outlook in outlooks]
        if all(one.quantile(0) == one.quantile(1) for _, one in found):
            continue
        ranges = "；".join(
            say("summary.range", title=title, **{
                name: f"{one.quantile(share):,}" for name, share in (("low", 0.05), ("high", 0.95))
            })
            for title, one in found
        )  # fmt: skip
        given = condition(year, outlooks[0].cohorts, allocations)
        lines.append("  - " + say("summary.risk_year", year=year, condition=given, ranges=ranges))
    return "\n".join([f"- {say('summary.risk')}", *lines]) if lines else ""
