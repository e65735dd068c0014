"""What explains the differences between transfers and ledger: of all hypotheses the fewest that explain most, or all that tie.

First what is common to many units (``common``), then what units and years share, then each by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.ledger.books import Document, Key
from zjtx_alloc.budget.ledger.common import with_common
from zjtx_alloc.budget.ledger.hypotheses import OPEN, UNIT, Case, Cause, Shared, fitting, shared, shown

_OVERLOOKED = 2  # to leave aside what a document shows: it stands there twice, nets, is of the first round
_MOST_EDGES = 12  # shared causes that hang together and are weighed against each other
_CROWD = 6  # units with no other cause than a number of firms: among so many two may fit each other by chance

Way = tuple[Cause, ...]


class Found(NamedTuple):
    """The least price of an explanation, and the explanations that have it: more than one is no certainty."""

    price: int
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Explained:
    """Of a unit and year: what it has in common with others, and the explanations of the rest, one of which holds."""

    common: Way
    ways: tuple[Way, ...]

    def causes(self, order: tuple[str, ...]) -> str:
        """The names of the causes: joined by + where they hold together, by / where one of them does."""
        ways = [[cause.name for cause in (*self.common, *way)] for way in self.ways]
        return "/".join(dict.fromkeys("+".join(name for name in order if name in way) for way in ways))

    @property
    def text(self) -> str:
        """What is said of them."""
        ways = ["；".join(dict.fromkeys(cause.text for cause in way)) for way in self.ways]
        rest = say("cause.ways", ways=say("cause.or").join(ways)) if len(ways) > 1 else ways[0]
        return "；".join(filter(None, (*(cause.text for cause in self.common), rest)))


def explained(stated: Case) -> dict[Key, Explained]:
    """The explanations of the differences of its units and years; nothing where there is none."""
    case, found = with_common(stated)
    keys, documents = case.keys, case.documents
    alone = {key: _alone(case, key, documents.get(key, ())) for key in keys}
    edges = [
        edge for one in shared(case, [key for key in keys if alone[key].price]) if (edge := _edge(case, alone, one))
    ]
    ways = {key: found.ways for key, found in alone.items()}
    for part in _parts(edges):
        ways |= _weighed(part, alone)
    common = {key: tuple(one.cause(key) for one in found if one.shifts.get(key)) for key in keys if key in documents}
    return {key: Explained(common.get(key, ()), _merged(ways[key])) for key in keys}


def _alone(case: Case, key: Key, documents: tuple[Document, ...]) -> Found:
    """The cheapest explanations of one unit and year; what documents show counts where it is left aside."""
    if not documents and key[1] in case.stray:
        return Found(0, ((),))
    gap, seen = case.gap(key, documents), list(shown(case.books, key, documents))
    found = list[tuple[int, Way]]()
    for count in range(len(seen), -1, -1):
        for chosen in combinations(seen, count):
            left = gap - sum(cause.money for cause in chosen)
            aside = _OVERLOOKED * (len(seen) - count)
            ends = [(one,) for one in (*fitting(case, key, documents, left), _open(left, gap))] if left else [()]
            found += [(aside + sum(cause.price for cause in (*chosen, *end)), (*chosen, *end)) for end in ends]
    least = min(price for price, _ in found)
    return Found(least, tuple(way for price, way in found if price == least))


def _open(money: int, gap: int) -> Cause:
    said = say("cause.unexplained") if money == gap else say("cause.rest", money=money)
    return Cause("unexplained", money, said, OPEN)


class _Edge(NamedTuple):
    """A shared cause that is cheaper than what its units and years have by themselves, and their explanations with it."""

    cause: Shared
    found: dict[Key, Found]
    saved: int
    is_crowded: bool

    def ways(self, key: Key) -> tuple[Way, ...]:
        return tuple((self.cause.cause(key), *way) for way in self.found[key].ways)


def _edge(case: Case, alone: dict[Key, Found], one: Shared) -> _Edge | None:
    """The shared cause weighed: nothing may stay open; units exchanged, and where a document is taken from, come out even."""
    found = {key: _alone(case, key, documents) for key, documents in one.documents.items()}
    even = list(found)[: {"exchanged": 2, "city": 0}.get(one.name, 1)]
    causes = {key: [cause for way in found[key].ways for cause in way] for key in found}
    if any(cause.name in ("unexplained", "absent") for some in causes.values() for cause in some):
        return None
    if not all(cause.is_shown for key in even for cause in causes[key]):
        return None
    saved = sum(alone[key].price - found[key].price for key in found) - one.price
    return _Edge(one, found, saved, _is_crowded(alone, list(found))) if saved > 0 else None


def _is_crowded(alone: dict[Key, Found], pair: list[Key]) -> bool:
    """Whether both fit a number of firms, as many others do."""
    firms = [key for key, found in alone.items() if any(cause.name == "firms" for way in found.ways for cause in way)]
    return set(pair) <= set(firms) and len(firms) > _CROWD


def _parts(edges: list[_Edge]) -> list[list[_Edge]]:
    """Shared causes that hang together by a unit and year."""
    parts = list[list[_Edge]]()
    for edge in edges:
        near = [part for part in parts if any(set(one.found) & set(edge.found) for one in part)]
        parts = [part for part in parts if part not in near] + [[*(one for part in near for one in part), edge]]
    return parts


def _weighed(part: list[_Edge], alone: dict[Key, Found]) -> dict[Key, tuple[Way, ...]]:
    """The ways of the choices that save most; where several do, those of all, and what each has by itself."""
    keys = {key for edge in part for key in edge.found}
    chosen = [part] if len(part) > _MOST_EDGES else _best(part)
    ways = dict[Key, tuple[Way, ...]]()
    for key in keys:
        mine = list(dict.fromkeys(id(edge) for choice in chosen for edge in choice if key in edge.found))
        edges = [edge for edge in part if id(edge) in mine]
        is_sure = len(edges) == 1 and len(chosen) == 1 and not edges[0].is_crowded
        ways[key] = tuple(way for edge in edges for way in edge.ways(key)) + (() if is_sure else alone[key].ways)
    return ways


def _best(part: list[_Edge]) -> list[tuple[_Edge, ...]]:
    """All choices of causes that do not touch each other and save most together."""
    best, most = list[tuple[_Edge, ...]](), 0
    for choice in _choices(part):
        if (saved := sum(edge.saved for edge in choice)) > most:
            best, most = [], saved
        if saved == most:
            best.append(choice)
    return best


def _choices(part: list[_Edge]) -> Iterator[tuple[_Edge, ...]]:
    if not part:
        yield ()
        return
    first, *others = part
    yield from _choices(others)
    apart = [edge for edge in others if not set(edge.found) & set(first.found)]
    yield from ((first, *choice) for choice in _choices(apart))


def _merged(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    """Explanations that differ only in the other unit, as one that names them all."""
    found: dict[tuple[tuple[str, str], ...], list[Way]] = {}
    for way in ways:
        found.setdefault(tuple((cause.name, cause.text) for cause in way), []).append(way)
    return tuple(tuple(_one_of(causes) for causes in zip(*alike, strict=True)) for alike in found.values())


def _one_of(causes: tuple[Cause, ...]) -> Cause:
    names = list(dict.fromkeys(cause.unit for cause in causes))
    units = say("cause.one_of", units="、".join(names)) if len(names) > 1 else names[0]
    return causes[0]._replace(text=causes[0].text.replace(UNIT, units), unit=units)
