"""Inherited ranges: what becomes of them where the numbers that they were written around have changed.

A range of a weight or of a pool's share moves with it. Ranges of coefficients and of the total end: they were written
for other numbers. So do ranges of weights where the factors are no longer the same. What became of each stands among
the scenario's assumptions, in words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.rules.scenario_uncertainty import is_pinned

Tables = dict[str, Any]  # of a scenario file, not yet checked
_Path = tuple[str, ...]
_OF_WEIGHTS = ("weights", "pools")
_AROUND = ("region_coefficient", "grade_coefficient", "total")  # what else [uncertainty] may hold ranges around
_NOTE = "uncertainty."  # begins the name of an assumption that says what became of a range


def as_table(value: object) -> Tables:
    """A table of a file as it is; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def laid_over(base: Tables, top: Tables) -> Tables:
    """Tables merged by key, those on top first."""
    both = {k: laid_over(base[k], v) for k, v in top.items() if isinstance(v, dict) and isinstance(base.get(k), dict)}
    return base | top | both


def range_notes(assumptions: Mapping[str, str]) -> tuple[str, ...]:
    """What became of inherited ranges, a sentence each."""
    return tuple(f"{text}。" for name, text in assumptions.items() if name.startswith(_NOTE))


def without_range_notes(assumptions: Mapping[str, str]) -> dict[str, str]:
    """The assumptions without what became of inherited ranges, for a scenario that is given others."""
    return {name: text for name, text in assumptions.items() if not name.startswith(_NOTE)}


def with_ranges_following(before: Tables, after: Tables, own: Tables) -> Tables:
    """A scenario's tables, their inherited ranges moved or ended.

    Parameters
    ----------
    before : dict
        The tables that were inherited.
    after : dict
        Those with changes laid over them.
    own : dict
        The lines that made the changes: a range written there stays as written.
    """
    typed = as_table(own.get("uncertainty"))
    doubt, described = dict(as_table(after.get("uncertainty"))), dict[str, str]()
    ended = {key for key in _AROUND if key in doubt and before.get(key) != after.get(key) and key not in typed}
    if _factors_by_pool(before) == _factors_by_pool(after):
        moved, described = _moved(before, after, own)
        if moved and _any_pinned(laid_over(after, {"uncertainty": moved})):
            ended, described = ended | {key for key in _OF_WEIGHTS if key in doubt}, {}
        else:
            doubt = laid_over(doubt, moved)
    else:  # ranges around the weights of other factors say nothing about these
        ended |= {key for key in _OF_WEIGHTS if key in as_table(before.get("uncertainty")) and key in doubt}
    described |= {
        _NOTE + key: say("uncertainty.ended", what=say(f"uncertainty.of_{key}")) for key in ended - set(typed)
    }
    kept = {key: part for key, part in doubt.items() if key not in ended}
    kept |= {key: part for key, part in typed.items() if key in ended}
    found = after | ({"uncertainty": kept} if "uncertainty" in after else {})
    if not isinstance(after.get("assumptions", {}), dict):
        return found
    notes = laid_over(_still_true(before, found, own), described | as_table(own.get("assumptions")))
    return found | ({"assumptions": notes} if notes or "assumptions" in after else {})


def rename_range(tables: Tables, old: str, new: str) -> None:
    """Let the range of a factor's weight, and what is said of it, follow its new name."""
    doubt, notes = as_table(tables.get("uncertainty")), as_table(tables.get("assumptions"))
    names = _name(tables, old), _name(tables, new)
    for part in (doubt, *as_table(doubt.get("pools")).values()):
        if old in as_table(as_table(part).get("weights")):
            part["weights"] = {new if code == old else code: span for code, span in part["weights"].items()}
    for name in [name for name in notes if name.startswith(_NOTE) and name.endswith(f".weights.{old}")]:
        notes[name.removesuffix(old) + new] = str(notes.pop(name)).replace(*names)


def without_ranges(tables: Tables, factors: list[str]) -> None:
    """End the ranges of weights where some factors become one: ranges of several say nothing about their sum."""
    doubt = as_table(tables.get("uncertainty"))
    for part in (doubt, *as_table(doubt.get("pools")).values()):
        if set(factors) & set(as_table(as_table(part).get("weights"))):
            del part["weights"]


def _factors_by_pool(tables: Tables) -> dict[str, set[str]]:
    """Names of the factors of each pool, "" for a scenario without pools."""
    pools = {"": tables} | as_table(tables.get("pools"))
    return {name: set(as_table(as_table(pool).get("factors"))) for name, pool in pools.items()}


def _weights(tables: Tables) -> Iterator[tuple[_Path, _Path]]:
    """Where each range of a weight or share stands, and where the number itself does."""
    doubt, pools = as_table(tables.get("uncertainty")), as_table(tables.get("pools"))
    shared: _Path = ("pools", next(iter(pools))) if pools else ()  # pools that share their weights have the same ones
    for code in as_table(doubt.get("weights")):
        yield ("weights", code), (*shared, "factors", code, "weight")
    for name, pool in as_table(doubt.get("pools")).items():
        if "share" in as_table(pool):
            yield ("pools", name, "share"), ("pools", name, "share")
        for code in as_table(as_table(pool).get("weights")):
            yield ("pools", name, "weights", code), ("pools", name, "factors", code, "weight")


def _moved(before: Tables, after: Tables, own: Tables) -> tuple[Tables, dict[str, str]]:
    """The ranges that move with their weights, as a table to lay over ``[uncertainty]``, and a note on each."""
    moved: Tables = {}
    described: dict[str, str] = {}
    for where, number in _weights(before):
        old, new = at(before, *number), at(after, *number)
        ends = [at(after, "uncertainty", *where, end) for end in ("min", "max")]
        if at(own, "uncertainty", *where) is not None or old == new or not all(map(_is_share, (old, new, *ends))):
            continue
        step = exactly(new) - exactly(old)
        low, high = (min(max(float(exactly(end) + step), 0.0), 1.0) for end in ends)
        one: Tables = {"min": low, "max": high}
        for key in reversed(where):
            one = {key: one}
        moved = laid_over(moved, one)
        what = {"what": _called(after, where), "old": old, "new": new, "least": ends[0], "most": ends[1]}
        described[_NOTE + ".".join(where)] = say("uncertainty.moved", **what, low=low, high=high)
    return moved, described


def _any_pinned(tables: Tables) -> bool:
    """Whether ranges cut off at 0 or 1 leave the weights of a pool, or the pools' shares, a single choice."""
    sets: dict[_Path, list[tuple[float, float, float]]] = {}
    for where, number in _weights(tables):
        low, high = (at(tables, "uncertainty", *where, end) for end in ("min", "max"))
        if not all(map(_is_share, (value := at(tables, *number), low, high))):
            return False
        sets.setdefault(("share",) if _is_of_share(where) else where[:-1], []).append((value, low, high))
    return any(map(is_pinned, sets.values()))


def _is_of_share(where: _Path) -> bool:
    return len(where) == len(("pools", "name", "share"))


def _is_share(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= 1


def at(tables: object, *path: str) -> Any:
    """What stands at the end of a path of keys; None where it leads nowhere."""
    for key in path:
        tables = as_table(tables).get(key)
    return tables


def _still_true(before: Tables, after: Tables, own: Tables) -> dict[str, str]:
    """The assumptions, but for notes on ranges that have since been written anew or are gone."""
    then, now, typed = (_by_note(tables) for tables in (before, after, own))
    return {
        name: text
        for name, text in as_table(after.get("assumptions")).items()
        if not name.startswith(_NOTE) or (name not in typed and then.get(name) == now.get(name))
    }


def _by_note(tables: Tables) -> dict[str, object]:
    """Every table within ``[uncertainty]`` by the name that a note on it has."""

    def walked(part: Tables, name: str) -> Iterator[tuple[str, object]]:
        for key, value in part.items():
            yield name + key, value
            yield from walked(as_table(value), f"{name}{key}.")

    return dict(walked(as_table(tables.get("uncertainty")), _NOTE))


def _called(tables: Tables, where: _Path) -> str:
    """What users call a weight or share."""
    pool = say("uncertainty.of_pool", pool=where[1]) if where[0] == "pools" else ""
    if _is_of_share(where):
        return pool + say("uncertainty.share")
    return pool + say("uncertainty.weight", name=_name(tables, where[-1]))


def _name(tables: Tables, code: str) -> str:
    titled = at(tables, "composites", code, "title")
    names = shipped_table("indicators.csv", "code")["name"]
    return str(titled or (names[code] if code in names.index else code))
