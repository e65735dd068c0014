"""What was used of a programme's workbook, and what was not and why, in Chinese; said before any answer."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.grid import Grid
from zjtx_alloc.facts.problems import Problem, problem_table
from zjtx_alloc.rules.programme.assembly import BatchRow
from zjtx_alloc.rules.programme.forms import forms
from zjtx_alloc.rules.programme.records import Entries

if TYPE_CHECKING:
    from zjtx_alloc.rules.programme.programme import Batch, Programme

_OF_SCENARIO = ("weights", "coefficients", "units", "groups", "settings")


def reading_notes(
    grids: Mapping[str, Grid], others: Iterable[str], entries: Mapping[str, Entries], rows: Sequence[BatchRow]
) -> tuple[str, ...]:
    """What was inherited since its sheet is left out, and what of the workbook nobody reads."""
    absent = "、".join(forms()[name].title for name in _OF_SCENARIO if name not in entries)
    bases = "、".join(dict.fromkeys(row.base.name for row in rows if row.base is not None)) or "—"
    strange = [title for title in others if title != say("programme.guide")]
    unread = [f"{grids[name].name} {label}" for name, one in entries.items() for label in one.unread]
    hidden = [grid.name for grid in grids.values() if grid.hidden_rows or grid.hidden_places]
    return tuple(
        say(f"programme.{key}", names=names, bases=bases)
        for key, names in (
            ("inherited", absent), ("other_sheets", "、".join(strange)), ("unread", "、".join(unread)),
            ("hidden", "、".join(hidden)),
        ) if names
    ) + tuple(_without_row(entries, rows))  # fmt: skip


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
    yield say("programme.checked", file=programme.file)
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
