"""The site that ``make docs`` builds: every public name, no other host, for everyone who reads on whatever screen."""

import re
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.explorer_page import browser, violations

import zjtx_alloc as za

SITE = Path(za.__file__).parent.parent / "build" / "site"
PAGES = ("index.html", "docs/guide-planners.zh.html", "docs/api/quota.html", "docs/gallery.html")
WIDTHS = (1280, 390)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="needs the site: make docs"),
]


def test_every_public_name_stands_once_in_the_reference_with_what_it_does():
    pages = "".join(path.read_text(encoding="utf-8") for path in sorted((SITE / "docs" / "api").glob("*.html")))
    described = Counter(re.findall(r'<dt class="sig[^>]* id="zjtx_alloc\.(firms\.\w+|\w+)">', pages))
    public = {*za.__all__} - {"firms"} | {f"firms.{name}" for name in za.firms.__all__}
    assert described == dict.fromkeys(public, 1)


@contextmanager
def page_of_the_site(width):
    """A page in a browser, and what it asked of another place than the folder of the site or could not do."""
    with browser() as chromium, chromium.new_page(viewport={"width": width, "height": 900}) as page:
        wrong = []
        page.on("request", lambda asked: asked.url.startswith((SITE.as_uri(), "data:")) or wrong.append(asked.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page, wrong


@pytest.mark.needs_browser
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_the_screen_ask_no_other_host_and_keep_nobody_out(width):
    found = {}
    with page_of_the_site(width) as (page, wrong):
        for name in PAGES:
            page.goto(f"{SITE.as_uri()}/{name}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            found |= {(name, rule): places for rule, places in violations(page).items()}
    assert wrong == []
    assert found == {}


@pytest.mark.needs_browser
@pytest.mark.parametrize(
    ("asked", "page_found"),
    [("名额总量", "规划人员使用指南"), ("单位分册", "规划人员使用指南"), ("biproportional", "Classical apportionment"), ("扣回", "财务人员使用指南")],
)  # fmt: skip
def test_what_is_searched_for_is_found(asked, page_found):
    with page_of_the_site(WIDTHS[0]) as (page, wrong):
        page.goto(f"{SITE.as_uri()}/search.html?q={asked}")
        page.locator("#search-results a", has_text=page_found).first.wait_for()
    assert wrong == []
