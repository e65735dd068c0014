"""The kernel that runs a report's notebooks: this very Python, whatever kernels the machine knows."""

import os
import sys
import tempfile
import uuid

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.localinterfaces import localhost
from jupyter_client.manager import AsyncKernelManager
from traitlets import default


class OwnKernelManager(AsyncKernelManager):
    """Starts ipykernel with the running interpreter, over IPC sockets where they exist (not on Windows)."""

    transport = "tcp" if os.name == "nt" else "ipc"

    @default("ip")
    def _own_address(self) -> str:
        # The default, "kernel-ipc" in the working folder, is one address for every kernel there.
        return f"{tempfile.gettempdir()}/zjtx-{uuid.uuid4().hex[:12]}" if self.transport == "ipc" else localhost()

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification that stands in for whatever ``python3`` kernel is installed."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            interrupt_mode="message",  # a signal at shutdown would print an error
        )
