"""The kernel of reports: this very Python, whatever the machine, the user and the working folder hold.

To start one and import the package into it takes as long as most notebooks do, so kernels outlive their notebooks.
"""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.localinterfaces import localhost
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Instance, List, default

import zjtx_alloc
from zjtx_alloc.base.resources import shipped

_NAME = "python3"  # what the notebooks ask for
# The package comes last of what can be imported: it is found even where it is not installed, and stands before nothing.
_START = "import sys; sys.path.append(sys.argv.pop(1)); from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
# What every page imports, first of all.
_AT_FIRST = "--IPKernelApp.exec_lines=import zjtx_alloc.report.tables.allocation, zjtx_alloc.report.figures.allocation"


def settings_of_our_own(folder: str | Path) -> dict[str, str]:
    """The environment in which Python, IPython and Jupyter keep to a folder and to what is installed.

    Nothing is imported from the working folder, and neither start-up files nor configuration of the user are read.
    """
    own = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
    return {name: str(Path(folder) / name.lower()) for name in own} | {
        "JUPYTER_CONFIG_PATH": "",
        "JUPYTER_PATH": str(shipped("data", "jupyter")),
        "PYTHONSAFEPATH": "1",
        "PYTHONSTARTUP": "",
    }


class OwnKernelSpecs(KernelSpecManager):
    """Knows one kernel, ipykernel with the running interpreter, whatever kernels are installed."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Folders with the icons of kernels: none."""
        return {_NAME: ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one specification, by whatever name."""
        package = str(Path(zjtx_alloc.__file__).parent.parent)
        return KernelSpec(
            argv=[sys.executable, "-c", _START, package, "-f", "{connection_file}"],
            display_name=_NAME,
            language="python",
            interrupt_mode="message",  # a signal at shutdown would print an error
        )


class OwnKernelManager(AsyncKernelManager):
    """Starts that kernel in a folder of its own, over IPC sockets where they exist (not on Windows)."""

    transport = "tcp" if os.name == "nt" else "ipc"
    folder = Instance(tempfile.TemporaryDirectory)
    _clients: List[Any] = List()  # with channels to this kernel, open

    @default("folder")
    def _own_folder(self) -> tempfile.TemporaryDirectory[str]:
        folder = tempfile.TemporaryDirectory(prefix="zjtx-")
        (Path(folder.name) / "matplotlibrc").touch()  # here, it comes before the user's own: figures stay as they are
        return folder

    @default("kernel_spec_manager")
    def _own_specs(self) -> KernelSpecManager:
        return OwnKernelSpecs(parent=self)

    @default("ip")
    def _own_address(self) -> str:
        # The default, "kernel-ipc" in the working folder, is one address for every kernel there.
        return f"{self.folder.name}/k" if self.transport == "ipc" else localhost()

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]
        """A client, whose channels ``hang_up`` closes."""
        self._clients.append(super().client(**options))
        return self._clients[-1]

    def hang_up(self) -> None:
        """Close the channels of clients, which a notebook leaves open where its kernel outlives it."""
        while self._clients:
            self._clients.pop().stop_channels()

    # AsyncKernelManager has asynchronous methods in the place of those whose types it inherits.
    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start it; ``options`` may hold another working folder (``cwd``) or environment (``env``)."""
        _SHARED.running.add(self)
        own: dict[str, Any] = {"cwd": self.folder.name, "env": os.environ | settings_of_our_own(self.folder.name)}
        if not os.environ.get("ZJTX_TRACE"):
            own["stderr"] = subprocess.DEVNULL  # now and then a kernel that is shut down prints a trace of its sockets
        await super().start_kernel(**own | options)

    async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]
        """Remove what it used, its folder too unless it is to start again."""
        await super().cleanup_resources(restart)
        if not restart:
            _SHARED.running.discard(self)
            self.folder.cleanup()


class _Shared:
    """Kernels without a notebook at the moment, and how many have asked to keep them."""

    def __init__(self) -> None:
        self.lock, self.keepers = threading.Lock(), 0
        self.idle, self.running = list[OwnKernelManager](), set[OwnKernelManager]()


_SHARED = _Shared()


@contextmanager
def kept_kernels() -> Iterator[None]:
    """Within it, in whatever thread, a kernel outlives its notebook and is lent to the next; at its end they are gone."""
    with _SHARED.lock:
        _SHARED.keepers += 1
    try:
        yield
    finally:
        with _SHARED.lock:
            _SHARED.keepers -= 1
            gone = [] if _SHARED.keepers else [_SHARED.idle.pop() for _ in range(len(_SHARED.idle))]
        for manager in gone:
            _done(_end(manager))


def begin_kernels(number: int) -> None:
    """Have so many kernels idle within ``kept_kernels``: they start and import while this process imports papermill."""
    with _SHARED.lock:
        for _ in range(number - len(_SHARED.idle)):
            _SHARED.idle.append(manager := OwnKernelManager())
            _done(_begin(manager))


def kill_kernels() -> None:
    """Kill all that run, so that whoever waits for one goes on."""
    logging.getLogger("traitlets").disabled = True  # it would report each, in English
    for manager in tuple(_SHARED.running):
        if isinstance(manager.provisioner, LocalProvisioner) and manager.provisioner.process:
            manager.provisioner.process.kill()


@contextmanager
def lent_kernel() -> Iterator[OwnKernelManager]:
    """A kernel for one notebook, which clears the namespace before it begins: one that is idle, else one to be started."""
    with _SHARED.lock:
        manager = _SHARED.idle.pop() if _SHARED.idle else OwnKernelManager()
    try:
        yield manager
    finally:
        manager.hang_up()
        alive = _done(_is_alive(manager))
        with _SHARED.lock:
            if kept := alive and _SHARED.keepers > 0:
                _SHARED.idle.append(manager)
        if not kept:
            _done(_end(manager))


_T = TypeVar("_T")


def _done(work: Coroutine[Any, Any, _T]) -> _T:
    """What it comes to, in a thread of its own: the caller's may have a loop that runs, as in Jupyter."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _begin(manager: OwnKernelManager) -> None:
    await manager.start_kernel(extra_arguments=[_AT_FIRST])


async def _is_alive(manager: OwnKernelManager) -> bool:
    return bool(await manager.is_alive())


async def _end(manager: OwnKernelManager) -> None:
    if await manager.is_alive():
        await manager.shutdown_kernel(now=True)
    await manager.cleanup_resources()
