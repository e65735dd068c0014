"""The controls of a state, as HTML text: what is changed on the page is sent as the move that it carries (``data-do``)."""

import html
import json
from collections.abc import Iterable, Iterator, Mapping

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.explorer.files import called
from zjtx_alloc.explorer.state import BY_UNIT, SHARES, State, simplices, switches
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.criteria import CRITERIA
from zjtx_alloc.quota.problem.redistribution import EQUAL, PROPORTION
from zjtx_alloc.report.notes.marks import criterion_text
from zjtx_alloc.rules.scenario import DEFAULT, REGIONS, Group, Rule, Scenario
from zjtx_alloc.rules.scenario_files import scenario_names

CONTROLS = ("weights", "bounds", "limits", "rules", "fixed", "batch")  # the parts that hold them
_SIDES = {"groups": (("floor", "cap"),), "rules": (("min", "max"), ("min_share", "max_share"))}
_UNUSED = ("lapse", "unit", "pool")


def controls(state: State, panel: Panel) -> dict[str, str]:
    """Every control of a state: the HTML of each of ``CONTROLS``."""
    drawn = {
        "weights": _weights(state, panel),
        "bounds": _bounds(state),
        "limits": _limits(state),
        "rules": _rules(state),
        "fixed": _fixed(state),
        "batch": _batch(state),
    }
    return {name: "".join(parts) for name, parts in drawn.items()}


def _weights(state: State, panel: Panel) -> Iterator[str]:
    for simplex, weights in simplices(state.scenario).items():
        key = "weights" if simplex == "" else "shares" if simplex == SHARES else "pool_weights"
        yield f"<h3>{_said(key, pool=simplex)}</h3>"
        for name, weight in weights.items():
            composite = state.scenario.composites.get(name)
            label = composite.title if composite else name if simplex == SHARES else panel.name(name)
            yield _weight((simplex, name), label, weight, (simplex, name) in state.held)
        if simplex != SHARES:
            known = {one: label for one, label in addable(panel).items() if one.partition(" ")[0] not in weights}
            yield _form(("factor", simplex), _select("factor", known, say("explorer.more_factors")), ("factor",))


def addable(panel: Panel) -> dict[str, str]:
    """The indicators that can be a factor, each at its latest period: ``code period`` to what it is called."""
    latest = panel.facts.groupby("indicator")["period"].max()
    return {f"{code} {period}": panel.name(code) for code, period in latest.items()}


def _weight(one: tuple[str, str], label: str, weight: float, held: bool) -> str:
    """A weight in percent: as a number, by a slider, and whether it stays when others move."""
    shown, place, named = f"{100 * weight:.6g}", "w." + ".".join(one), say("explorer.weight_of", name=label)
    away = button(say("explorer.remove"), ("without_factor", *one), say("explorer.remove_of", name=label))
    return (
        f'<div class=weight><label for="{_safe(place)}">{_safe(label)}</label>'
        + field("number", shown, ("weight", *one), id=f"{place}.n", label=named, step="0.1", max="100")
        + "<span>%</span>"
        + field("range", shown, ("weight", *one), id=place, step="1", max="100")
        + f"<div class=row>{check(say('explorer.hold'), ('hold', *one), held, say('explorer.hold_of', name=label))}"
        + f"{'' if one[0] == SHARES else away}</div></div>"
    )


def _bounds(state: State) -> Iterator[str]:
    scenario = state.scenario
    yield _row(say("explorer.total"), field("number", str(scenario.total), ("total",), id="total", min="1"))
    for bound in BY_UNIT:
        box = field("number", str(getattr(scenario, bound)[DEFAULT]), ("bound_all", bound, DEFAULT), id=bound)
        yield _row(
            say(f"explorer.{bound}"),
            box,
            check(say("explorer.on"), ("switch", bound), bound not in state.off, say(f"explorer.use_{bound}")),
        )
    ways = {"": say("explorer.by_criterion")} | {how: say(f"why.by_{how}") for how in (PROPORTION, EQUAL)}
    yield _row(say("table.redistribution"), choice(ways, scenario.redistribution, ("redistribution",), id="ways"))
    named = {name: criterion_text(name) for name in CRITERIA}
    yield _row(header("criterion"), choice(named, scenario.criterion, ("criterion",), id="criterion"))
    yield f"<h3>{_said('regions')}</h3>"
    in_use = "region_coefficient" not in state.off
    yield check(say("explorer.use_regions"), ("switch", "region_coefficient"), in_use)
    for table in ("region_coefficient", "grade_coefficient"):
        for key, value in getattr(scenario, table).items():
            label = f"{say(f'setting.{table}')}：{key}"
            box = field("number", f"{value:g}", ("entry", table, key), id=f"{table}.{key}", label=label, step="0.05")
            yield _row(str(key), box)


def _limits(state: State) -> Iterator[str]:
    """Single bases, floors and caps: those that are there, and a form for one more."""
    names, labels = load_units()["short_name"].to_dict(), switches(state.scenario)
    for bound in BY_UNIT:
        table = getattr(state.scenario, bound)
        if f"{bound}.units" in labels:
            yield check(labels[f"{bound}.units"], ("switch", f"{bound}.units"), f"{bound}.units" not in state.off)
        for code in (code for code in table if code != DEFAULT):
            named = say(f"limit.{bound}", name=names.get(code, code))
            box = field("number", str(table[code]), ("limit", bound, code), id=f"{bound}.{code}")
            yield _row(
                named,
                box,
                button(say("explorer.remove"), ("remove", bound, code), say("explorer.remove_of", name=named)),
            )
    kinds = {bound: say(f"bound.{bound}") for bound in BY_UNIT}
    yield _form(
        ("limit",),
        _select("kind", kinds, say("explorer.kind"))
        + _units("unit")
        + _input("number", "places", say("explorer.places"), min="0"),
        ("kind", "unit", "places"),
    )


def _rules(state: State) -> Iterator[str]:
    """Groups and rules: each with its members and bounds, to be switched, changed and removed; a form for one more."""
    for table, sides in _SIDES.items():
        for name, entry in getattr(state.scenario, table).items():
            switch, is_on = ("switch", f"{table}.{name}"), f"{table}.{name}" not in state.off
            head = check(name, switch, is_on, say("explorer.use", name=name))
            away = button(say("explorer.remove"), ("remove", table, name), say("explorer.remove_of", name=name))
            yield f"<div class=entry><div class=row>{head}{away}</div><p class=note>{_safe(members_text(entry))}</p>"
            for pair in sides:
                yield from (_side(table, name, entry, side) for side in pair if _is_shown(entry, pair))
            yield "</div>"
    measures = {"": say("explorer.in_places"), "%": say("explorer.in_percent")}
    yield (
        _form(
            ("rule",),
            _input("text", "name", say("explorer.rule_name"))
            + _input("text", "members", say("explorer.members"), list="members")
            + _input("number", "least", say("explorer.least"), step="any")
            + _input("number", "most", say("explorer.most"), step="any")
            + _select("percent", measures, say("explorer.measure")),
            ("name", "members", ["least", "most"], "percent"),
        )
        + f"<p class=note>{_said('members_note')}</p>"
    )


def _is_shown(entry: Group | Rule, pair: tuple[str, str]) -> bool:
    """Whether a pair of bounds is one that the entry has: a rule may be in places or in shares."""
    return isinstance(entry, Group) or any(getattr(entry, side) is not None for side in pair)


def _side(table: str, name: str, entry: Group | Rule, side: str) -> str:
    value, share = getattr(entry, side), side.endswith("_share")
    text = "" if value is None else f"{100 * value if share else value:.10g}"
    label, move = say(f"explorer.side_{side}"), ("bound", table, name, side)
    return _row(label, field("number", text, move, id=f"{table}.{name}.{side}", label=f"{name}：{label}", step="any"))


def members_text(entry: Group | Rule) -> str:
    """Who a group or rule is of, by names."""
    names = load_units()["short_name"]
    if entry.region is not None:
        return str(entry.region)
    if isinstance(entry, Rule) and entry.coefficients:
        return "、".join(f"{names[code]}×{weight:g}" for code, weight in entry.coefficients.items())
    return "、".join(names[code] for code in entry.units)


def _fixed(state: State) -> Iterator[str]:
    names = load_units()["short_name"]
    for code, fixed in state.scenario.fixed.items():
        shown, switch = f"{names[code]}　{fixed.quota}", ("switch", f"fixed.{code}")
        head = check(shown, switch, f"fixed.{code}" not in state.off, say("explorer.use", name=shown))
        away = button(say("explorer.remove"), ("remove", "fixed", code), say("explorer.remove_of", name=names[code]))
        yield f"<div class=entry><div class=row>{head}{away}</div><p class=note>{_safe(fixed.reason)}</p></div>"
    fields = (
        _units("unit")
        + _input("number", "places", say("explorer.places"), min="0")
        + _input("text", "reason", say("explorer.reason"))
    )
    yield _form(("fixed",), fields, ("unit", "places", "reason"))


def _batch(state: State) -> Iterator[str]:
    """What hangs on other batches: limits on change, rounding carried on, unused places."""
    scenario = state.scenario
    if scenario.change is not None:
        yield check(say("explorer.use_change"), ("switch", "change"), "change" not in state.off)
    yield f"<h3>{_said('change')}</h3>{_change_form(scenario)}<h3>{_said('unused')}</h3>"
    unused = {kind: say(f"unused.{kind}") for kind in _UNUSED}
    yield _row(
        say("explorer.rate"),
        field("number", f"{float(scenario.approval.exact) * 100:g}", ("rate",), id="rate", step="any"),
    )
    yield _row(say("explorer.unused"), choice(unused, scenario.approval.unused, ("unused",), id="unused"))
    yield check(say("explorer.carry"), ("carry",), scenario.carry_rounding)


def _change_form(scenario: Scenario) -> str:
    given = scenario.change
    known = dict.fromkeys([*([given.previous] if given else []), *scenario.budget_with, *scenario_names()])
    known.pop(scenario.name, None)  # no batch comes before itself
    percent = f"{100 * given.max_relative:g}" if given else ""
    ways = {"": say("table.scaled"), "raw": say("table.raw")}
    fields = (
        _select("previous", {name: called(name).removesuffix(".toml") for name in known}, say("explorer.previous"))
        + _input("number", "percent", say("explorer.percent"), step="any", min="0", value=percent)
        + _select("raw", ways, say("explorer.against"), "raw" if given and given.raw else "")
    )
    return _form(("change",), fields, ("previous", "percent", "raw"), say("explorer.apply"))


def field(kind: str, value: str, move: tuple[str, ...], *, id: str, label: str = "", **more: str) -> str:
    """A field whose new value is the last argument of its move; named by ``label``, else by the label before it."""
    named = f' aria-label="{_safe(label)}"' if label else ""
    rest = "".join(f' {key}="{_safe(text)}"' for key, text in ({"min": "0"} | more).items())
    return f'<input type={kind} id="{_safe(id)}" value="{_safe(value)}"{named}{rest}{_do(move)}>'


def choice(named: Mapping[str, str], chosen: str, move: tuple[str, ...], *, id: str, label: str = "") -> str:
    """A list, what is chosen of which is the last argument of its move."""
    called = f' aria-label="{_safe(label)}"' if label else ""
    return f'<select id="{_safe(id)}"{called}{_do(move)}>{_options(named, chosen)}</select>'


def check(label: str, move: tuple[str, ...], on: bool, title: str = "") -> str:
    """A switch; ``title`` is what it is called where its label alone says too little."""
    named = f' aria-label="{_safe(title)}"' if title else ""
    return f'<label class=check><input type=checkbox id="{_safe(".".join(move))}"{" checked" if on else ""}{named}{_do(move)}>{_safe(label)}</label>'


def button(label: str, move: tuple[str, ...], title: str = "", id: str = "") -> str:
    """A button that makes its move; ``id`` where that is not of the move alone."""
    named = f' aria-label="{_safe(title)}"' if title else ""
    return f'<button type=button id="{_safe(id or "b." + ".".join(move))}"{named}{_do(move)}>{_safe(label)}</button>'


def _form(move: tuple[str, ...], fields: str, names: Iterable[str | list[str]], label: str = "") -> str:
    """A form that makes its move with the fields of these names as its arguments."""
    order = html.escape(json.dumps(list(names)))
    return f'<form class=add novalidate data-fields="{order}"{_do(move)}>{fields}<button>{_safe(label or say("explorer.add"))}</button></form>'


def _input(kind: str, name: str, label: str, **more: str) -> str:
    rest = "".join(f' {key}="{_safe(text)}"' for key, text in more.items())
    return f"<label>{_safe(label)}<input type={kind} name={name}{rest}></label>"


def _select(name: str, named: Mapping[str, str], label: str, chosen: str = "") -> str:
    return f"<label>{_safe(label)}<select name={name}>{_options(named, chosen)}</select></label>"


def _units(name: str) -> str:
    return _select(name, load_units()["short_name"].to_dict(), header("short_name"))


def _options(named: Mapping[str, str], chosen: str) -> str:
    return "".join(
        f'<option value="{_safe(value)}"{" selected" if value == chosen else ""}>{_safe(text)}</option>'
        for value, text in named.items()
    )


def member_choices() -> str:
    """What the field of members offers: regions and units."""
    return "".join(f'<option value="{_safe(name)}">' for name in (*REGIONS, *load_units()["short_name"]))


def _row(label: str, *parts: str) -> str:
    """A labelled field; the label belongs to the first part."""
    return f"<div class=row><label>{_safe(label)}{parts[0]}</label>{''.join(parts[1:])}</div>"


def _do(move: tuple[str, ...]) -> str:
    return f' data-do="{html.escape(json.dumps(move, ensure_ascii=False))}"'


def _said(key: str, **values: object) -> str:
    return html.escape(say(f"explorer.{key}", **values))


def _safe(text: object) -> str:
    return html.escape(str(text))
