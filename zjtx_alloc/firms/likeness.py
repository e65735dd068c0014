"""Names of firms that are one, or nearly one, under different codes: found without comparing all pairs.

Two names differ by at most one sign if they share a name with one sign less (Bocek, Hunt & Stiller 2007;
Garbe's SymSpell): so each name is entered under its own deletions, and only what meets is compared.
"""

import re
import unicodedata
from collections import defaultdict
from itertools import combinations

import pandas as pd

_FORM = re.compile(r"(股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|\(集团\)|集团|公司)$")
_MARKS = re.compile(r"[^\w]|_")
_SHORTEST = 8  # signs; shorter names that differ by one are mostly other firms
_COMMONEST = 50  # names under one deletion: more of them share a pattern, not an owner


def core(name: str) -> str:
    """A name as it is compared: one width, without brackets, spaces and the form of the company."""
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).replace("(虚构)", "").upper()
    return _MARKS.sub("", _FORM.sub("", text))


def same(table: pd.DataFrame) -> pd.DataFrame:
    """Pairs (a, b) of firms whose names are one but whose codes differ."""
    cores = table["name"].map(core)
    repeated = cores[cores.duplicated(keep=False)]
    pairs = [pair for _, group in repeated.groupby(repeated) for pair in combinations(group.index, 2)]
    return _under_other_codes(table, pairs)


def alike(table: pd.DataFrame) -> pd.DataFrame:
    """Pairs (a, b) of firms whose names differ by one sign and whose codes differ."""
    cores = table["name"].map(core).drop_duplicates()
    entered: dict[str, list[int]] = defaultdict(list)
    for firm, name in cores[cores.str.len() >= _SHORTEST].items():
        for variant in {name, *(name[:i] + name[i + 1 :] for i in range(len(name)))}:
            entered[variant].append(firm)
    found = {
        pair
        for firms in entered.values()
        if 1 < len(firms) <= _COMMONEST
        for pair in combinations(sorted(firms), 2)
        if _one_apart(cores[pair[0]], cores[pair[1]])
    }
    return _under_other_codes(table, sorted(found))


def _one_apart(a: str, b: str) -> bool:
    """Whether one sign put in, taken out or changed makes the names one."""
    if len(a) > len(b):
        a, b = b, a
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    return a != b and (a[first + 1 :] == b[first + 1 :] if len(a) == len(b) else a[first:] == b[first + 1 :])


def _under_other_codes(table: pd.DataFrame, pairs: list[tuple[int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["a", "b"], dtype="int64")
    codes = table["credit_code"]
    return frame[codes.reindex(frame["a"]).to_numpy() != codes.reindex(frame["b"]).to_numpy()]
