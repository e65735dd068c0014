"""``python -m zjtx_alloc`` is ``zjtx``."""

from zjtx_alloc.cli import main

main()
