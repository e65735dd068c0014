"""The one door to Chinese texts: sentences of ``data/messages.zh.toml``, headers of ``data/columns.csv``."""

from zjtx_alloc.base.resources import shipped_table, shipped_toml

_FILE = "messages.zh.toml"


def say(key: str, /, **values: object) -> str:
    """Return the sentence ``section.name`` with its values filled in.

    Raises
    ------
    KeyError
        If there is no such template, or a value of it is not given.
    """
    section, name = key.split(".")
    return str(shipped_toml(_FILE)[section][name]).format(**values)


def is_said(key: str) -> bool:
    """Whether there is a sentence ``section.name``."""
    section, _, name = key.partition(".")
    return name in shipped_toml(_FILE).get(section, {})


def words(name: str) -> list[str]:
    """Spellings that mean one thing in users' tables, e.g. ``totals`` -> 合计, 总计 …."""
    return list(shipped_toml(_FILE)["words"][name])


def header(name: str) -> str:
    """Chinese header of a column, e.g. ``entitlement`` -> 理论名额."""
    return str(shipped_table("columns.csv", "name").at[name, "header"])
