"""The explorer as a page of one's own: Voila (extra ``[web]``) on the loopback address, behind a token.

A page of another host cannot reach it by a name that leads here (the Host header must be the loopback's), the page
loads nothing from elsewhere, kernels listen on no port, and the token stands in no log.
"""

import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped

_LOOPBACK = "127.0.0.1"
_HOSTS = r"127\.0\.0\.1|localhost"  # a page of another host whose name was made to lead here has its own
# Voila's page has scripts and styles of its own in the page, and widgets compile theirs; nothing comes from elsewhere.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # the address bears the token
    "X-Content-Type-Options": "nosniff",
}
_LONGEST_FOLDER = 40  # of temporary files: the path of a socket has at most 104 bytes, and 60 of them are its name


def serve(scenario: str, data: str, notify: Callable[[str], None]) -> None:
    """Serve the explorer until it is stopped; scenarios are saved to and loaded from the working folder.

    Parameters
    ----------
    scenario, data : str
        As ``explore`` takes them; paths absolute, for the kernel has a working folder of its own.
    notify : callable
        Called once with the address, token and all, before the server takes over.

    Raises
    ------
    ReportError
        If the extra is not installed.
    """
    if find_spec("voila") is None:
        raise ReportError(say("explorer.no_voila"))
    from zjtx_alloc.report.runs.kernel import settings_of_our_own  # noqa: PLC0415 - time that the other commands need not pay

    token = secrets.token_urlsafe(24)
    with socket.create_server((_LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "explorer.ipynb"
        write_notebook({"scenario": scenario, "data": data, "folder": str(Path.cwd())}, notebook)
        # The token by the environment: an argument could be read by other users of the machine.
        os.environ |= settings_of_our_own(folder) | {"JUPYTER_TOKEN": token}
        notify(f"http://{_LOOPBACK}:{port}/?token={token}")
        _keep_from_logs(token)
        _guarded_voila().launch_instance(
            argv=[
                str(notebook), "--no-browser", "--token", "--template=zjtx", f"--Voila.ip={_LOOPBACK}",
                f"--port={port}", "--Voila.port_retries=0", "--Voila.log_level=ERROR",
                f"--KernelManager.transport={_transport()}",
                "--VoilaConfiguration.kernel_spec_manager_class=zjtx_alloc.report.runs.kernel.OwnKernelSpecs",
            ]
        )  # fmt: skip


def _guarded_voila() -> Any:
    """Voila that answers to the loopback's names alone, says on each answer what a page may load, and reads no configuration."""
    from tornado.routing import HostMatches, Rule  # noqa: PLC0415 - an extra
    from tornado.web import OutputTransform  # noqa: PLC0415
    from traitlets import default  # noqa: PLC0415
    from voila.app import Voila  # noqa: PLC0415

    class Guard(OutputTransform):
        def transform_first_chunk(self, status_code: int, headers: Any, chunk: bytes, finishing: bool) -> Any:
            headers.update(_HEADERS)
            return super().transform_first_chunk(status_code, headers, chunk, finishing)

    class Guarded(Voila):  # type: ignore[misc]
        @default("config_file_paths")
        def _no_configuration(self) -> list[str]:
            return []  # the first would be the working folder

        def init_settings(self) -> dict[str, Any]:
            return super().init_settings() | {"transforms": [Guard]}

        def init_handlers(self) -> list[Any]:
            return [Rule(HostMatches(f"(?:{_HOSTS})$"), super().init_handlers())]

    return Guarded


def _transport() -> str:
    """IPC sockets in a folder of the user's own, where they exist: a port of the loopback is open to every user."""
    return "tcp" if os.name == "nt" or len(tempfile.gettempdir()) > _LONGEST_FOLDER else "ipc"


def _keep_from_logs(token: str) -> None:
    """From now on no log of this process, whoever writes it, has the token in it."""

    class Record(logging.LogRecord):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if self.exc_info:
                self.exc_text = logging.Formatter().formatException(self.exc_info).replace(token, "…")

        def getMessage(self) -> str:  # noqa: N802 - its name in logging
            return super().getMessage().replace(token, "…")

    logging.setLogRecordFactory(Record)


def write_notebook(parameters: dict[str, str], path: Path) -> None:
    """Write the shipped notebook with these parameters in place of its own."""
    # A second that the other commands need not pay.
    from papermill.iorw import load_notebook_node, write_ipynb  # noqa: PLC0415
    from papermill.parameterize import parameterize_notebook  # noqa: PLC0415

    notebook = load_notebook_node(str(shipped("notebooks", "explorer.ipynb")))
    write_ipynb(parameterize_notebook(notebook, parameters), str(path))
