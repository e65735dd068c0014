"""Names of firms that are one, or nearly one, under different codes: found without comparing all pairs.

Two names differ by at most one sign if they share a name with one sign less (Bocek, Hunt & Stiller 2007;
Garbe's SymSpell): so each name is entered under its own deletions, and only what meets is compared. Entries are
hashes; names that meet are compared sign by sign, so a chance meeting of hashes changes nothing.
"""

import re
import unicodedata
from itertools import combinations

import numpy as np
import pandas as pd

_FORM = re.compile(r"(股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|\(集团\)|集团|公司)$")
_MARKS = re.compile(r"[^\w]|_")
_SHORTEST = 8  # characters; shorter names that differ by one are mostly other firms
_COMMONEST = 50  # names under one deletion: more of them share a pattern, not an owner
_BASE = 0x9E3779B97F4A7C15  # odd; of the rolling hash modulo 2**64


def core(name: str) -> str:
    """A name as it is compared: one width, without brackets, spaces and the form of the company."""
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).replace("(虚构)", "").upper()
    return _MARKS.sub("", _FORM.sub("", text))


def cores(table: pd.DataFrame) -> pd.Series:
    """The names of a table's firms as they are compared, index ``firm``."""
    return table["name"].map(core)


def same(codes: pd.Series, names: pd.Series) -> pd.DataFrame:
    """Pairs (a, b) of firms whose names are one but whose codes differ.

    Parameters
    ----------
    codes, names : Series
        Credit codes, and ``cores``, index ``firm``. A name that very many share pairs each with the first only.
    """
    repeated = names[names.duplicated(keep=False)]
    pairs: list[tuple[int, int]] = []
    for _, group in repeated.groupby(repeated):
        few = len(group) <= _COMMONEST
        pairs += combinations(group.index, 2) if few else ((group.index[0], firm) for firm in group.index[1:])
    return _under_other_codes(codes, pairs)


def alike(codes: pd.Series, names: pd.Series) -> pd.DataFrame:
    """Pairs (a, b) of firms whose names differ by one character and whose codes differ; parameters as of ``same``."""
    single = names.drop_duplicates()
    single = single[single.str.len() >= _SHORTEST]
    met, text = _meeting(single.tolist()), single.to_numpy()
    pairs = [(a, b) for a, b in met.to_numpy() if _one_apart(text[a], text[b])]
    firms = single.index.to_numpy()
    return _under_other_codes(codes, sorted(tuple(sorted((firms[a], firms[b]))) for a, b in pairs))


def resembled(names: pd.Series, entries: list[str]) -> dict[str, list[int]]:
    """Firms (index of ``names``) whose names are one, or nearly one, with an entry of a list, by entry."""
    places = list(range(-len(entries), 0))  # numbers that no firm has
    both = pd.concat([names.map(core), pd.Series(map(core, entries), places, dtype=object)])
    codes = pd.Series(["firm"] * len(names) + ["entry"] * len(entries), both.index)
    found: dict[str, list[int]] = {}
    for pairs in (same(codes, both), alike(codes, both)):
        for a, b in pairs.to_numpy().tolist():
            entry, firm = sorted((a, b))
            found.setdefault(entries[entry], []).append(firm)
    return found


def _meeting(names: list[str]) -> pd.DataFrame:
    """Pairs of places whose names meet under a deletion or as they are, each pair once."""
    lengths = np.array([len(name) for name in names], dtype="int64")
    hashes, owners = [np.empty(0, "uint64")], [np.empty(0, "int64")]
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        entries = _entries([names[place] for place in places], length)
        hashes.append(entries.ravel())
        owners.append(np.repeat(places, entries.shape[1]))
    table = pd.DataFrame({"hash": np.concatenate(hashes), "owner": np.concatenate(owners)})
    met = table[table["hash"].duplicated(keep=False)].drop_duplicates()
    met = met[met.groupby("hash")["owner"].transform("size") <= _COMMONEST]
    pairs = met.merge(met, on="hash", suffixes=("", "_other"))
    return pairs.loc[pairs["owner"] < pairs["owner_other"], ["owner", "owner_other"]].drop_duplicates()


def _entries(names: list[str], length: int) -> np.ndarray:
    """Hashes of names of one length, a row a name: without each of their characters, and as they are."""
    signs = np.array(names, dtype=f"<U{length}").view("<u4").reshape(len(names), length).astype("uint64")
    powers = np.array([pow(_BASE, length - 1 - place, 2**64) for place in range(length)], dtype="uint64")
    after = signs * powers
    before = signs[:, :-1] * powers[1:]  # a character before the one left out stands one place nearer the end
    rest = np.flip(np.cumsum(np.flip(after, axis=1), axis=1), axis=1)
    left = np.pad(np.cumsum(before, axis=1), ((0, 0), (1, 0)))
    right = np.pad(rest[:, 1:], ((0, 0), (0, 1)))
    return np.hstack([left + right, rest[:, :1]])


def _one_apart(a: str, b: str) -> bool:
    """Whether one character put in, taken out or changed makes the names one."""
    if len(a) > len(b):
        a, b = b, a
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    return a != b and (a[first + 1 :] == b[first + 1 :] if len(a) == len(b) else a[first:] == b[first + 1 :])


def _under_other_codes(codes: pd.Series, pairs: list[tuple[int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["a", "b"], dtype="int64")
    return frame[codes.reindex(frame["a"]).to_numpy() != codes.reindex(frame["b"]).to_numpy()]
