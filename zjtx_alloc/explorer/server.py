"""The explorer as a page on the loopback address, behind a token: a small server of tornado, which Jupyter brings."""

import asyncio
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from zjtx_alloc.base.errors import ZjtxError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.explorer.files import MOST_BYTES, Case
from zjtx_alloc.explorer.workbench import Workbench
from zjtx_alloc.facts.panel import load_panel
from zjtx_alloc.report.writers.fonts import sans
from zjtx_alloc.rules.scenario_files import load_scenario

_LOOPBACK = "127.0.0.1"
_HOSTS = (_LOOPBACK, "localhost")
_FRAMES = " ".join(f"http://{host}:*" for host in _HOSTS)  # JupyterLab on this machine
_HEADERS = {
    # Attributes of style are the pictures' own; they are made here, and what users write is escaped.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; font-src 'self'; "
    f"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self' {_FRAMES}",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_FILES: Mapping[str, tuple[str, Callable[[], Path]]] = {
    "explorer.css": ("text/css; charset=utf-8", lambda: shipped("data", "explorer.css")),
    "explorer.js": ("text/javascript; charset=utf-8", lambda: shipped("data", "explorer.js")),
    "font.otf": ("font/otf", sans),
}


def serve(scenario: str, data: str, notify: Callable[[str], None]) -> None:
    """Serve the explorer until it is stopped; scenarios are saved to and opened from the working folder.

    Parameters
    ----------
    scenario, data : str
        A shipped name or the path of a ``.toml`` file; the path of a table of facts, blank for the shipped ones.
    notify : callable
        Called once with the address, token and all, when the page can be opened.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        If the scenario cannot be computed.
    """
    address, thread = started(opened(scenario, data, ""))
    notify(address)
    while thread.is_alive():
        thread.join(1)  # with a limit, so that Ctrl+C is heard on Windows too


def opened(scenario: str, data: str, folder: str) -> Workbench:
    """A workbench as the command and the notebook ask for it; the working folder if ``folder`` is blank."""
    return Workbench(Case(load_scenario(scenario), load_panel(data) if data else None), Path(folder))


def started(bench: Workbench) -> tuple[str, threading.Thread]:
    """Serve a workbench in a thread of its own; gives the address once it answers."""
    bench.warm_up()
    ready: Future[str] = Future()

    async def run() -> None:
        try:
            sockets = bind_sockets(0, _LOOPBACK, family=socket.AF_INET)
            port, token = sockets[0].getsockname()[1], secrets.token_urlsafe(24)
            given = {"bench": bench, "token": token, "hosts": {f"{host}:{port}" for host in _HOSTS}}
            routes = [
                (r"/([\w-]+)/(move|upload)", _Asked, given),
                (r"/([\w-]+)/leave/(\w+)", _Leave, given),
                (r"/([\w-]+)/([\w.]*)", _Shown, given),
                (r".*", _Shown, given),
            ]
            # Nothing is logged of requests: their paths hold the token.
            server = HTTPServer(Application(routes, log_function=lambda _: None), max_body_size=MOST_BYTES)
            server.add_sockets(sockets)
        except BaseException as error:
            ready.set_exception(error)
            raise
        ready.set_result(f"http://{_LOOPBACK}:{port}/{token}/")
        await asyncio.Event().wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    return ready.result(), thread


class _Handler(RequestHandler):
    """Answers nobody who does not know the token, and no page that only pretends to be of this machine."""

    def initialize(self, bench: Workbench, token: str, hosts: set[str]) -> None:
        self.bench, self.token, self.hosts = bench, token, hosts

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if self.request.host not in self.hosts:
            raise HTTPError(403)
        if not (self.path_args and hmac.compare_digest(self.path_args[0] or "", self.token)):
            raise HTTPError(404)

    def write_error(self, status_code: int, **_given: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(say("explorer.no_page"))

    def log_exception(self, *_given: Any) -> None:
        """The log would hold the path, and with it the token."""


class _Shown(_Handler):
    def get(self, _token: str = "", name: str = "") -> None:
        """The page, or one of the files that it needs."""
        if not name:
            self.finish(self.bench.page())
        elif name in _FILES:
            kind, where = _FILES[name]
            self.set_header("Content-Type", kind)
            self.set_header("Access-Control-Allow-Origin", "*")  # JupyterLab shows Chinese in this font too
            self.finish(where().read_bytes())
        else:
            raise HTTPError(404)


class _Asked(_Handler):
    def post(self, _token: str, what: str) -> None:
        """A move or an uploaded file; the answer are all parts of the page."""
        if what == "upload":
            return self._answer(self.bench.upload(self.get_query_argument("name"), self.request.body))
        try:
            name, *arguments = json.loads(self.request.body)
            return self._answer(self.bench.do(name, arguments))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise HTTPError(400) from error

    def _answer(self, found: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(found, ensure_ascii=False))


class _Leave(_Handler):
    async def get(self, _token: str, kind: str) -> None:
        """A file to take away; moves are answered while it is made."""
        try:
            name, content = await asyncio.to_thread(self.bench.leave, kind)
        except KeyError:
            raise HTTPError(404) from None
        except ZjtxError as error:
            self.set_status(409)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(str(error))
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name)}")
        self.set_header("X-Name", quote(name))
        self.finish(content)
