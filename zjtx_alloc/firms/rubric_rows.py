"""A rubric (量化标准) as rows of a sheet, a band or choice a row, and back."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import mistakes
from zjtx_alloc.facts.cells import header_of, plain
from zjtx_alloc.firms.steps.rubric import DERIVED, Rubric, indicator_name
from zjtx_alloc.firms.table.columns import choice_key, choice_spellings, choices_of, column_spellings, firm_columns
from zjtx_alloc.rules.programme.records import Record

_CHOSEN = ("choice", "choices")


def rubric_rows(rubric: Rubric) -> Iterator[dict[str, Any]]:
    """The rows of a rubric; weight, direction and place among the ties stand in an indicator's first row."""
    ties = {tie.removeprefix("-"): place for place, tie in enumerate(rubric.ties, start=1)}
    for name, indicator in rubric.indicators.items():
        bands = indicator.bands or [[choices_of(name)[code], points] for code, points in indicator.points.items()]
        for place, (band, points) in enumerate(bands):
            first = {"weight": indicator.weight, "tie": ties.get(name)} if place == 0 else {}
            direction = {"direction": indicator.direction} if place == 0 and indicator.bands else {}
            number = float(band) if indicator.bands else band
            yield {"indicator": indicator_name(name), "band": number, "points": float(points), **first, **direction}
    for tie in rubric.ties:
        if (name := tie.removeprefix("-")) not in rubric.indicators:
            direction = {"direction": "up" if tie.startswith("-") else "down"}
            yield {"indicator": indicator_name(name), "tie": ties[name], **direction}


def rubric_of(records: Iterable[Record], sheet: str, examples: Iterable[Rubric]) -> Rubric:
    """The rubric that a sheet's rows make; one of the shipped examples is known again as such.

    Raises
    ------
    DataError
        If an indicator or a choice is unknown, or weights and bands do not make a rubric.
    """
    indicators, ties = dict[str, dict[str, Any]](), dict[int, str]()
    for record in records:
        name, is_tie_alone = indicator_of(record, sheet), record["band"] is None and record["points"] is None
        one = {} if is_tie_alone else indicators.setdefault(name, {})
        one |= {key: record[key] for key in ("weight", "direction") if record[key] is not None}
        if record["tie"] is not None:
            falls = (one.get("direction") or indicators.get(name, {}).get("direction")) != "down"
            ties[record["tie"]] = f"-{name}" if falls else name
        if is_tie_alone:
            continue
        if record["band"] is None or record["points"] is None:
            raise DataError(say("firm_book.half_band", sheet=sheet, row=record.row))
        points = f"{Decimal(repr(record['points'])):f}"
        if name in firm_columns() and firm_columns()[name].kind in _CHOSEN:
            one.setdefault("points", {})[_choice(record, name, sheet)] = points
        else:
            one.setdefault("bands", []).append([plain(record["band"]).replace(",", ""), points])
    ordered = [ties[place] for place in sorted(ties)]
    try:
        made = Rubric.model_validate({"title": sheet, "ties": ordered, "indicators": indicators})
    except ValidationError as error:
        what = "；".join(f"{'.'.join(one.keys)} {one.allowed}".strip() for one in mistakes(error))
        raise DataError(say("firm_book.rubric", sheet=sheet, what=what)) from None
    alike = (one for one in examples if _exact(one) == _exact(made))
    return next(alike, made)


def _exact(rubric: Rubric) -> tuple[Any, ...]:
    """What a rubric says as numbers: 0.50 is 0.5."""
    indicators = {
        name: (one.direction, one.exact_bands(), {code: Decimal(points) for code, points in one.points.items()})
        for name, one in rubric.indicators.items()
    }
    return rubric.weights, rubric.ties, indicators


def indicator_of(record: Record, sheet: str) -> str:
    """The column that a row of a rubric names."""
    known = {header_of(indicator_name(name))[0]: name for name in DERIVED} | column_spellings()
    name = header_of(plain(record["indicator"]))[0]
    if name not in known:
        columns = [*map(indicator_name, DERIVED), *(c.name for c in firm_columns().values() if c.kind != "text")]
        values = {"sheet": sheet, "row": record.row, "value": shown(record["indicator"]), "known": "、".join(columns)}
        raise DataError(say("firm_book.indicator", **values))
    return known[name]


def _choice(record: Record, name: str, sheet: str) -> str:
    found = choice_spellings(name).get(choice_key(record["band"]))
    if found is None:
        known = "、".join(choices_of(name).values())
        values = {"sheet": sheet, "row": record.row, "value": shown(record["band"]), "known": known}
        raise DataError(say("firm_book.indicator", **values))
    return found
