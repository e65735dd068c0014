"""Where the ``zjtx`` command starts: Ctrl+C, a closed terminal or a stop by the system end it without a trace."""

import atexit
import os
import signal
from typing import Any, NoReturn

_STOPS = [
    kind for name in ("SIGINT", "SIGTERM", "SIGHUP") if (kind := getattr(signal, name, None))
]  # Windows lacks one


def start() -> None:
    """Run the command; whatever stops it, its temporary files are removed and its other processes end."""
    kinds = [kind for kind in _STOPS if signal.getsignal(kind) != signal.SIG_IGN]  # nohup
    for kind in kinds:
        signal.signal(kind, signal.SIG_DFL)  # there is nothing to clean up yet
    stopped: list[int] = []
    # What is registered first runs last: then only Python's own tidying is left, which takes seconds on a busy machine.
    atexit.register(lambda: stopped and os._exit(1))
    from zjtx_alloc.cli.main import main  # noqa: PLC0415 - it takes a second, in which Ctrl+C would print a trace

    def stop(number: int, _: Any) -> NoReturn:
        stopped.append(number)
        for kind in kinds:
            signal.signal(kind, signal.SIG_DFL)  # whoever cannot wait is heard
        raise KeyboardInterrupt

    for kind in kinds:
        signal.signal(kind, stop)
    main()
