"""What was used of a programme's workbook, and what was not and why, in Chinese; said before any answer."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.grid import Grid, hidden_notes
from zjtx_alloc.facts.problems import Problem, problem_table
from zjtx_alloc.rules.own_columns import names_performance
from zjtx_alloc.rules.programme.assembly import BatchRow
from zjtx_alloc.rules.programme.forms import FACTORS, forms
from zjtx_alloc.rules.programme.records import Entries
from zjtx_alloc.rules.scenario import Scenario

if TYPE_CHECKING:
    from zjtx_alloc.rules.programme.programme import Batch, Programme

_OF_SCENARIO = ("weights", "coefficients", "units", "groups", "settings")
# Parts of a scenario by name that a batch may be without, by the sheet that holds them.
_RULES = {
    "units": {
        name: forms()["units"].fields[column].words[0]
        for name, column in (("base", "base"), ("floor", "floor"), ("cap", "cap"), ("eligible_pool", "pool"), ("fixed", "fixed"))
    },
    "groups": {name: forms()["groups"].title for name in ("groups", "rules")},
}  # fmt: skip


def reading_notes(
    grids: Mapping[str, Grid], entries: Mapping[str, Entries], rows: Sequence[BatchRow]
) -> tuple[str, ...]:
    """What the workbook has no sheet for, with what that means; what of it is hidden and was read; rows of no batch."""
    return (*_absent_sheets(grids, rows), *hidden_notes(grids.values()), *_without_row(entries, rows))


def unread_notes(others: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """The sheets and the columns that nobody reads, since they resemble none that is known."""
    sheets = [title for title in others if title != say("programme.guide")]
    found = (("other_sheets", sheets), ("unread", columns))
    return tuple(say(f"programme.{key}", names="、".join(names)) for key, names in found if names)


def _absent_sheets(grids: Mapping[str, Grid], rows: Sequence[BatchRow]) -> Iterable[str]:
    """The sheets that the workbook does not have, each with what the batches are without, or have of another scenario."""
    bases = [row.base for row in rows if row.base is not None]
    for form in (FACTORS, *forms()):
        if form in grids:
            continue
        title = say("programme.factors") if form == FACTORS else forms()[form].title
        fields = _RULES.get(form, {})
        having = {name: _named(base for base in bases if getattr(base, name)) for name in fields}
        lost = [fields[name] for name, of in having.items() if not of]
        kept = {of: [fields[name] for name, its in having.items() if its == of] for of in having.values() if of}
        means = [say("programme.absent_none", names="、".join(dict.fromkeys(lost)))] if lost else []
        means += [
            say("programme.absent_inherited", names="、".join(dict.fromkeys(names)), bases=of)
            for of, names in kept.items()
        ]
        yield say(
            "programme.absent", sheet=title, means="；".join(means) or say(f"absent_sheet.{form}", bases=_named(bases))
        )


def _named(scenarios: Iterable[Scenario]) -> str:
    return "、".join(dict.fromkeys(scenario.name for scenario in scenarios))


def _without_row(entries: Mapping[str, Entries], rows: Sequence[BatchRow]) -> Iterable[str]:
    """What becomes of batches that the sheet 批次 does not have: those whose results are known, and what is left of others."""
    if "batches" not in entries:
        return
    known = {row.number for row in rows}
    for row in rows:
        if row.row is None and row.base is not None:
            yield say("programme.known_alone", batch=row.number, base=row.base.name)
    left: dict[tuple[int, ...], list[str]] = {}
    for name in _OF_SCENARIO:
        numbers = {r["batch"] for r in (entries[name].records if name in entries else ())} - {None, *known}
        left.setdefault(tuple(sorted(numbers)), []).append(forms()[name].title)
    for batches, names in left.items():
        if batches:
            yield say("programme.gone", batches="、".join(map(str, batches)), names="、".join(names))


def batch_notes(batch: "Batch", programme: "Programme") -> tuple[str, ...]:
    """Ranges that moved; what is known of the batches; what was read and has no effect yet."""
    notes = [*batch.moved]
    notes += [
        say("programme.own_years", batch=one.number, opening=years[0], closing=years[1])
        for one in programme.batches if (one.opening_year or one.closing_year) and (years := one.scenario.payment_years)
    ]  # fmt: skip
    notes += [note for one in programme.batches for note in _known_notes(one)]
    elsewhere = [one.number for one in programme.batches if one.pool is not None and one.number != batch.number]
    notes += [
        _unused_note(one, after)
        for one, after in zip_longest(programme.batches, programme.batches[1:]) if one.approved is not None
    ]  # fmt: skip
    if not names_performance(batch.scenario):
        notes.append(say("programme.no_performance", batch=batch.number))
    if elsewhere:
        notes.append(say("programme.pool_elsewhere", batches="、".join(map(str, elsewhere)), batch=batch.number))
    return tuple(notes)


def _unused_note(batch: "Batch", after: "Batch | None") -> str:
    """What becomes of a batch's unused places: where the next batch is known or there is none, nothing comes back."""
    units, what = len(load_units()), say(f"unused.{batch.unused}")
    if batch.unused == "lapse":
        return say("programme.unused_lapse", batch=batch.number)
    if after is None:
        return say("programme.unused_last", batch=batch.number, what=what)
    decided = [after.granted] if batch.unused == "unit" else [after.granted, after.approved]
    if any(column is not None and len(column) == units for column in decided):
        return say("programme.unused_decided", batch=batch.number, what=what, after=after.number)
    if batch.unused == "pool" and not batch.is_approved:
        return say("programme.unused_partly", batch=batch.number)
    return say(f"programme.unused_{batch.unused}", batch=batch.number, after=after.number)


def _known_notes(batch: "Batch") -> Iterable[str]:
    """What 审核结果 and 期末结果 say of a batch: known and complete, or of how many units."""
    columns = {
        "granted": batch.granted,
        "recommended": batch.recommended,
        "approved": batch.approved,
        "certified": batch.certified,
    }
    form = forms()["approvals"].fields
    said = [
        say("programme.column", name=form[name].words[0], total=int(column.sum()), count=len(column))
        if len(column) < len(load_units()) else say("programme.whole_column", name=form[name].words[0], total=int(column.sum()))
        for name, column in columns.items() if column is not None
    ]  # fmt: skip
    if batch.outcomes is not None:
        said.append(say("programme.outcome_rows", count=len(batch.outcomes)))
    if said:
        yield say("programme.known", batch=batch.number, what="、".join(said))
    if (
        batch.granted is not None
        and len(batch.granted) == len(load_units())
        and batch.granted.sum() != batch.scenario.total
    ):
        yield say(
            "programme.granted_total", batch=batch.number, granted=int(batch.granted.sum()), total=batch.scenario.total
        )


def money_notes(programme: "Programme") -> tuple[str, ...]:
    """What the sheets 预算 and 实际下达 hold that only a budget uses."""
    asked = programme.money
    names = [forms()["budget"].title] if asked.ceilings or asked.tails is not None or asked.before else []
    names += [forms()["transfers"].title] if programme.transfers is not None else []
    return (say("programme.only_budget", names="、".join(names)),) if names else ()


def programme_text(programme: "Programme", number: int | None = None) -> Iterable[str]:
    """What ``zjtx check`` says of a workbook without mistakes: its batches, what is used of it, and what is doubtful."""
    chosen = programme.batch(number)
    yield say("programme.checked_partly" if programme.unread else "programme.checked", file=programme.file)
    if programme.doubts:
        yield doubts_text(programme.doubts)
        yield ""
    for batch in programme.batches:
        described = {"batch": batch.number, "title": batch.scenario.title, "total": batch.scenario.total}
        yield say("programme.batch_line", state=say(f"programme_state.{batch.state}"), **described)
    yield from programme.notes_on(chosen)
    yield say("programme.next", file=programme.file, batch=chosen.number)


def doubts_text(doubts: Sequence[Problem]) -> str:
    """What may be right and should be looked at: a heading and a line each."""
    return f"{say('programme.doubts')}\n{plain_lines(doubts)}"


def plain_lines(problems: Sequence[Problem]) -> str:
    """Problems a line each, as an error lists them."""
    return "\n".join("｜".join(map(str, row)) for row in problem_table(problems).itertuples(index=False, name=None))
