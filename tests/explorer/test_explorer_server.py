"""The explorer's server as ``zjtx explore`` starts it: whom it answers, what its page may load, what its log keeps quiet."""

import http.client
import json
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.explorer_page import browser, served

pytestmark = [pytest.mark.needs_browser, pytest.mark.thorough]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def address(log):
    with log.open("wb") as file, served(log.parent, log=file) as where:
        yield where


def ask(address, path, host=""):
    """Status, headers and text of an answer, asked with the token."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.netloc, timeout=60)
    connection.request("GET", f"{path}?{where.query}", headers={"Host": host or where.netloc})
    answer = connection.getresponse()
    text = answer.read().decode("utf-8")
    connection.close()
    return answer.status, answer.headers, text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.1"])
def test_another_hosts_name_finds_nothing_even_with_the_token(address, host):
    """A page of another host may have its name lead to 127.0.0.1; its requests bear that name."""
    for path in ("/", "/voila/static/voila.js"):
        for port in ("", f":{urlsplit(address).port}"):
            assert ask(address, path, host + port)[0] == 404
    assert ask(address, "/voila/static/voila.js", f"localhost:{urlsplit(address).port}")[0] == 200


@pytest.mark.parametrize("path", ["/voila/static/voila.js", "/login", "/voila/static/none", "/voila/templates/none"])
def test_every_answer_says_that_only_the_server_itself_may_be_asked(address, path):
    _status, headers, _text = ask(address, path)
    rules = dict(rule.strip().partition(" ")[::2] for rule in headers["Content-Security-Policy"].split(";"))
    assert (rules["default-src"], rules["frame-ancestors"], rules["object-src"]) == ("'self'", "'none'", "'none'")
    assert not re.search(r"https?:|wss?:|\*", headers["Content-Security-Policy"])
    assert (headers["Referrer-Policy"], headers["X-Content-Type-Options"]) == ("same-origin", "nosniff")


def test_the_page_works_within_these_rules_and_another_host_is_not_asked(address):
    with browser() as chromium:
        page, described = chromium.new_page(), []
        page.on("console", lambda message: described.append(message.text))
        page.goto(address)
        page.locator(".zjtx-why h3").wait_for(timeout=60_000)
        assert [text for text in described if "Content Security Policy" in text] == []
        refused = "fetch('http://127.0.0.2:9/').then(() => '', error => String(error))"
        assert "TypeError" in page.evaluate(refused)
        assert any("Content Security Policy" in text for text in described)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked up in /proc")
def test_its_kernels_talk_over_files_of_the_users_own(address):
    assert ask(address, "/")[0] == 200
    connections = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if f"\0SERVER_PORT={urlsplit(address).port}\0".encode() in (process / "environ").read_bytes():
                connections.append(
                    Path(os.fsdecode((process / "cmdline").read_bytes().split(b"\0-f\0")[1].split(b"\0")[0]))
                )
    assert connections
    for one in connections:
        assert json.loads(one.read_text(encoding="utf-8"))["transport"] == "ipc"
        assert stat.S_IMODE(one.parent.stat().st_mode) & 0o077 == 0


def test_the_token_is_in_no_log_whatever_goes_wrong(address, log):
    token = urlsplit(address).query.removeprefix("token=")
    assert [ask(address, path)[0] for path in ("/voila/static/none", "/voila/templates/x")] == [403, 500]
    described = log.read_text(encoding="utf-8")
    assert "Uncaught exception GET /voila/templates/x?token=…" in described
    assert token not in described
