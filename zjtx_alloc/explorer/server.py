"""The explorer as a page of one's own: Voila (extra ``[web]``) on the loopback address, behind a token."""

import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped

_LOOPBACK = "127.0.0.1"


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
    from voila.app import Voila  # noqa: PLC0415 - an extra

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
        Voila.launch_instance(
            argv=[
                str(notebook), "--no-browser", "--token", "--template=zjtx", f"--Voila.ip={_LOOPBACK}",
                f"--port={port}", "--Voila.port_retries=0", "--Voila.log_level=WARN",
                "--Voila.config_file_paths=[]",  # the first would be the working folder
                "--VoilaConfiguration.kernel_spec_manager_class=zjtx_alloc.report.runs.kernel.OwnKernelSpecs",
            ]
        )  # fmt: skip


def write_notebook(parameters: dict[str, str], path: Path) -> None:
    """Write the shipped notebook with these parameters in place of its own."""
    # A second that the other commands need not pay.
    from papermill.iorw import load_notebook_node, write_ipynb  # noqa: PLC0415
    from papermill.parameterize import parameterize_notebook  # noqa: PLC0415

    notebook = load_notebook_node(str(shipped("notebooks", "explorer.ipynb")))
    write_ipynb(parameterize_notebook(notebook, parameters), str(path))
