"""Pictures as SVG text, for the explorer and the front page: drawn in milliseconds, in the colours of all figures.

Whatever shows a unit carries ``data-unit``, its place in the official order, so that a click can choose it.
"""

import html
from collections.abc import Mapping

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.report.figures.colours import BLUE, GREY, ORANGE
from zjtx_alloc.report.notes.marks import edged_note, mostly_guessed, short_marks
from zjtx_alloc.report.table import signed

_CELL = 62  # of the map, in pixels
_ROW = 19  # of the bars
_NAME = 46  # width of a unit's name
_WIDTH = 560
_PALE = "#C9D6DF"
_DARK = 0.85  # shade from which white ink reads better than black


def map_svg(allocation: Allocation, steps: pd.Series, chosen: str) -> str:
    """Quotas on the tile-grid map, with what each unit gained or lost; 港澳台 take no part."""
    tiles = shipped_table("tiles.csv", "code")
    rows, columns = tiles["row"].astype(int), tiles["column"].astype(int)
    left = int(columns.min())
    size = ((int(columns.max()) - left + 1) * _CELL, (int(rows.max()) + 1) * _CELL)
    guessed = mostly_guessed(allocation)
    edges = {str(code): "black" if code == chosen else ORANGE if guessed[code] else _PALE for code in guessed.index}
    drawn = [_tile(allocation, str(code), (columns[code] - left, rows[code]), steps, edges) for code in tiles.index]
    strip = _text(0, int(rows.max()) * _CELL - 6, say("figure.strip"), "font-size=12")
    title = say("figure.map", title=allocation.scenario.title, total=allocation.total)
    return _figure(title, size, [strip, *drawn], edged_note(guessed) + short_marks(allocation))


def _tile(allocation: Allocation, code: str, place: tuple[int, int], steps: pd.Series, edges: Mapping[str, str]) -> str:
    x, y = (int(part) * _CELL for part in place)
    name = str(shipped_table("tiles.csv", "code").at[code, "name"])
    if code not in allocation.quota.index:
        box = _box(x, y, _CELL - 4, _CELL - 4, 'fill="#EDEDED"')
        middle = x + _CELL / 2 - 2
        return box + _text(middle, y + 24, name, _MIDDLE) + _text(middle, y + 42, say("figure.no_part"), _SMALL)
    quota = int(allocation.quota[code])
    shade = quota / max(int(allocation.quota.max()), 1)
    ink = "white" if shade > _DARK else "black"
    edge, line = edges[code], 3 if edges[code] == "black" else 1.6
    look = f'fill="{BLUE}" fill-opacity="{0.06 + 0.94 * shade:.3f}" stroke="{edge}" stroke-width="{line}"'
    middle = x + _CELL / 2 - 2
    step = int(steps[code])
    texts = [
        _text(middle, y + 18, name, f'{_MIDDLE} fill="{ink}"'),
        _text(middle, y + 37, str(quota), f'{_MIDDLE} fill="{ink}" font-size="15"'),
        _text(middle, y + 52, signed(step) if step else "", f'{_SMALL} fill="{ink}"'),
    ]
    return f"{_unit(allocation, code)}{_box(x, y, _CELL - 4, _CELL - 4, look)}{''.join(texts)}</g>"


def bars_svg(allocation: Allocation, baseline: Allocation, chosen: str) -> str:
    """Quota by unit, largest first, with the entitlement as a dot and the baseline's quota as a line."""
    table = allocation.table().sort_values(["quota", "entitlement"], ascending=False, kind="stable")
    most = max(float(table["quota"].max()), float(table["entitlement"].max()), float(baseline.quota.max()), 1.0)
    scale = (_WIDTH - _NAME - 40) / most
    drawn = []
    for row, (code, one) in enumerate(table.iterrows()):
        y, width = row * _ROW, float(one["quota"]) * scale
        before = _NAME + float(baseline.quota[code]) * scale
        end = max(width + _NAME, float(one["entitlement"]) * scale + _NAME, before)
        weight = ' font-weight="bold"' if code == chosen else ""
        drawn.append(
            _unit(allocation, str(code))
            + _box(0, y, _WIDTH, _ROW, 'fill="white"')
            + _text(0, y + 14, str(one["short_name"]), f'font-size="12"{weight}')
            + _box(_NAME, y + 3, width, _ROW - 6, f'fill="#BFD9EA" stroke="{BLUE}" stroke-width="0.5"')
            + f'<line x1="{before:.1f}" x2="{before:.1f}" y1="{y + 1}" y2="{y + _ROW - 1}" stroke="{GREY}" stroke-width="2"/>'
            + f'<circle cx="{_NAME + float(one["entitlement"]) * scale:.1f}" cy="{y + _ROW / 2}" r="3" fill="{ORANGE}"/>'
            + _text(end + 7, y + 14, str(one["quota"]), f'font-size="12"{weight}')
            + "</g>"
        )
    title = say("explorer.bars", title=allocation.scenario.title)
    return _figure(title, (_WIDTH, len(table) * _ROW), drawn, say("explorer.bars_key") + short_marks(allocation))


def changes_svg(allocation: Allocation, baseline: Allocation, steps: pd.Series) -> str:
    """Who gains and who loses places against the baseline, by region and unit; only those that differ."""
    units = allocation.panel.units
    regions = steps.groupby(units["region"], sort=False).sum()
    title = say("explorer.changes", title=baseline.scenario.title)
    differing = steps[steps != 0].sort_values(ascending=False, kind="stable")
    if differing.empty:
        return f'<h3>{html.escape(title)}</h3><p class="note">{html.escape(say("explorer.no_changes"))}</p>'
    by_region = "；".join(f"{region}{signed(step)}" for region, step in regions.items())
    middle, scale = _WIDTH / 2, (_WIDTH / 2 - 70) / int(differing.abs().max())
    drawn = []
    for row, (code, step) in enumerate(differing.items()):
        y, width = row * _ROW, abs(int(step)) * scale
        x, colour = (middle, BLUE) if step > 0 else (middle - width, ORANGE)
        described = f"{units.at[code, 'short_name']} {signed(step)}"
        beside = (middle + width + 5, "start") if step > 0 else (middle - width - 5, "end")
        drawn.append(
            f'{_unit(allocation, str(code))}{_box(x, y + 3, width, _ROW - 6, f"""fill="{colour}" """)}'
            + _text(beside[0], y + 14, described, f'font-size="12" text-anchor="{beside[1]}"')
            + "</g>"
        )
    axis = f'<line x1="{middle}" x2="{middle}" y1="0" y2="{len(differing) * _ROW}" stroke="black" stroke-width="0.6"/>'
    totals = say("explorer.changes_foot", before=baseline.total, after=allocation.total, regions=by_region)
    return _figure(title, (_WIDTH, len(differing) * _ROW), [*drawn, axis], totals)


_MIDDLE = 'text-anchor="middle"'
_SMALL = 'text-anchor="middle" font-size="11"'


def _figure(title: str, size: tuple[int, int], drawn: list[str], foot: str) -> str:
    width, height = size
    return (
        f"<h3>{html.escape(title)}</h3>"
        f'<svg viewBox="-2 -2 {width + 4} {height + 4}" width="100%" style="max-width:{width}px" font-size="13" '
        f'role="img" aria-label="{html.escape(title)}">{"".join(drawn)}</svg>'
        f'<p class="note">{html.escape(foot)}</p>'
    )


def _unit(allocation: Allocation, code: str) -> str:
    """Opens the group of what shows a unit; the caller closes it."""
    return f'<g data-unit="{allocation.quota.index.get_loc(code)}">'


def _text(x: float, y: float, text: str, look: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{html.escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, look: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {look}/>'
