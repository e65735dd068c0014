"""``python -P -m zjtx_alloc`` is ``zjtx``; without ``-P`` Python imports from the working folder first."""

from zjtx_alloc.cli.start import start

start()
