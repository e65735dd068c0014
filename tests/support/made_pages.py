"""Pages of units made for the tests: what they are made of, and the rows of their tables."""

from html.parser import HTMLParser

import zjtx_alloc as za
from zjtx_alloc.report.documents.unit_tables import unit_grounds
from zjtx_alloc.report.runs.unit_pages import write_unit_pages

RUN = "0123456789ab"
BRIEF = ("allocation", "budget", "quota")  # of a report, without the studies, whose kernels take seconds


def grounds_of(panel, scenario):
    allocations = za.allocate_programme(panel, scenario)
    allocation = next(a for a in allocations if a.scenario is scenario)
    budget = za.forecast_budget(za.cohorts(*allocations), za.load_award(scenario.award))
    return unit_grounds(allocation, budget, allocations)


def written(folder, grounds, codes, run=RUN):
    """Make pages; returns what was made anew."""
    made = []
    write_unit_pages(folder, grounds, codes, run, lambda name, there: None if there else made.append(name))
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
