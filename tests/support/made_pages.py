"""Pages of units made for the tests: what they are made of, and the rows of their tables."""

import re
from html.parser import HTMLParser

from zjtx_alloc.report.runs.unit_pages import write_unit_pages

RUN = "0123456789ab"
BRIEF = ("allocation", "budget", "quota")  # of a report, without the studies, whose kernels take seconds


# What readers of a page need not know before its 附录, where the words of the method stand.
_TECHNICAL = ("准则值", "顶点", "索博尔", "沙普利", "遗憾", "方差", "对偶")


def odd_words(page):
    """Technical words, names of the library, and notes left out, before the 附录 of a page."""
    body = page[page.index("<body") :]
    heads = [place.start() for place in re.finditer(r"<h2[^>]*>附录", body)]
    shown = re.sub(r"data:image/svg[^\"]*|<[^>]*>", "", body[: heads[0] if heads else None])
    return [word for word in (*_TECHNICAL, "za.", "None") if word in shown]


def written(folder, results, codes, run=RUN):
    """Make pages; returns what was made anew."""
    made = []
    write_unit_pages(folder, results, codes, run, lambda name, there: None if there else made.append(name))
    return made


class Rows(HTMLParser):
    """The rows of all tables of a page, each a list of texts."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.cell = [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None
