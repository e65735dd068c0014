"""The frame of every page: nothing loaded from anywhere, Chinese shown even where no Chinese font is installed.

Around a body it puts the links to the other pages, the contents, and the notes: each once, where tables and figures lead.
"""

import base64
import html
import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import uharfbuzz

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.report.writers.fonts import sans

FRONT = "index.html"  # the first page of a report, and of a folder of reports
MAIN = ("index", "allocation", "budget", "compare")  # what a report says
APPENDICES = ("quota", "uncertainty", "plan", "backtest")
_NOTES = re.compile(r'(?:<p class="note">.*?</p>\s*)+', re.DOTALL)
_NOTE = re.compile(r'<p class="note">(.*?)</p>', re.DOTALL)
_SECTION = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)
_TABLE_END, _CAPTION_END = "</table></div>", "</caption>"
_LONGEST_MARK = 6  # characters of what a cell may hold and a note explains, as 代用 or [1]
_FEWEST_SECTIONS = 3  # that need contents


@dataclass(frozen=True)
class Heading:
    """What a page is of, and where it stands among others."""

    label: str  #: The scenarios, for the title.
    pages: tuple[str, ...] = ()  #: The files of the report's pages, in their order; empty for a page on its own.

    def links(self) -> dict[str, str]:
        """Where one gets from a page of the report: address to name, the list of all reports last."""
        if not self.pages:
            return {}
        stems = [name.removesuffix(".html") for name in self.pages]
        appendices = [stem for stem in stems if stem in APPENDICES]
        names = {stem: say(f"nav.{stem}") for stem in stems}
        names |= {
            stem: say("nav.appendix", number=number, name=names[stem])
            for number, stem in enumerate(appendices, start=1)
        }
        return {f"{stem}.html": name for stem, name in names.items()} | {f"../{FRONT}": say("nav.all")}


def framed(title: str, body: str, foot: str, links: Mapping[str, str] | None = None, here: str = "") -> bytes:
    """A page of HTML: ``data/page.html`` around a body, with title and foot escaped.

    Parameters
    ----------
    title, foot : str
    body : str
        HTML. Its notes, wherever they stand, are gathered at the end, each once; its sections are listed.
    links : mapping of address to name, optional
        The other pages, and this one.
    here : str
        The address among them that is this page.
    """
    frame = string.Template(shipped("data", "page.html").read_text(encoding="utf-8"))
    gathered, notes = _noted(body)
    listed, contents = _listed(gathered)
    parts = {
        "title": html.escape(title),
        "foot": html.escape(foot),
        "links": _navigation(links or {}, here),
        "contents": contents,
        "notes": notes,
        "words": json.dumps({name: say(f"nav.{name}") for name in ("filter", "shown", "sorted")}, ensure_ascii=False),
    }
    shown = frame.template + "".join(parts.values()) + listed
    return frame.substitute(parts, body=listed, font=font_face(shown)).encode()


def linked(table: str, addresses: Mapping[str, str]) -> str:
    """A table whose rows lead somewhere: the cell that names the row becomes a link; by the name as it stands there."""
    for name, address in addresses.items():
        cell = f">{html.escape(name)}</th>"
        table = table.replace(cell, f'><a href="{quote(address)}">{html.escape(name)}</a></th>', 1)
    return table


def _navigation(links: Mapping[str, str], here: str) -> str:
    """Links to the pages; the present one is marked."""
    items = "".join(
        f'<li><a href="{quote(address)}"{" aria-current=page" if address == here else ""}>{html.escape(name)}</a></li>'
        for address, name in links.items()
    )
    return f'<nav class="pages" aria-label="{say("nav.pages")}"><ul>{items}</ul></nav>' if items else ""


def _listed(body: str) -> tuple[str, str]:
    """A body whose sections can be reached, and the list of them; none where there are few."""
    heads = [re.sub(r"<[^>]+>", "", head) for head in _SECTION.findall(body)]
    numbers = iter(range(1, len(heads) + 1))
    body = _SECTION.sub(lambda found: f'<h2 id="s{next(numbers)}">{found[1]}</h2>', body)
    if len(heads) < _FEWEST_SECTIONS:
        return body, ""
    items = "".join(f'<li><a href="#s{number}">{head}</a></li>' for number, head in enumerate(heads, start=1))
    return body, (
        f'<details class="contents"><summary>{say("nav.contents")}</summary>'
        f'<nav aria-label="{say("nav.contents")}"><ul>{items}</ul></nav></details>'
    )


def _noted(body: str) -> tuple[str, str]:
    """A body with marks in the place of its notes, in a table's caption or after a figure, and the notes, each once."""
    numbers: dict[str, int] = {}
    parts, end = [], 0
    for run in _NOTES.finditer(body):
        marks = _marks([numbers.setdefault(note, len(numbers) + 1) for note in _NOTE.findall(run[0])])
        before = body[end : run.start()]
        at = before.rfind(_CAPTION_END) if before.removesuffix("</details>").endswith(_TABLE_END) else -1
        parts.append(f"{before}<p class=marks>{marks}</p>" if at < 0 else f"{before[:at]} {marks}{before[at:]}")
        end = run.end()
    body = "".join([*parts, body[end:]])
    for note, number in numbers.items():
        word = note.partition("] ")[0] + "]" if note.startswith("[") else note.partition("：")[0]
        if len(word) <= _LONGEST_MARK:
            body = body.replace(f">{word}</td>", f'><a href="#note-{number}">{word}</a></td>')
    items = "".join(f'<li id="note-{number}">{note}</li>' for note, number in numbers.items())
    summary = say("nav.notes", count=len(numbers))
    return body, f'<details class="notes"><summary>{summary}</summary><ol>{items}</ol></details>' if items else ""


def _marks(numbers: Sequence[int]) -> str:
    links = "、".join(f'<a href="#note-{number}">{number}</a>' for number in dict.fromkeys(numbers))
    return f'<span class="marks">{say("nav.mark", links=links)}</span>'


def font_face(text: str) -> str:
    """A CSS rule that holds the characters of a text beyond ASCII, as the family ``zjtx``: named last, used for want of another."""
    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update({ord(sign) for sign in set(text) if not sign.isascii()})
    wanted.layout_feature_tag_set.clear()
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING
    font = uharfbuzz.subset(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(sans()))), wanted)
    held = base64.b64encode(font.blob.data).decode("ascii")
    return f'@font-face {{ font-family: "zjtx"; src: url(data:font/otf;base64,{held}) format("opentype"); }}'
