"""The provinces' side (``za.firms``): firms reviewed, selected, funded, evaluated and settled.

The one sub-package that re-exports its verbs. It reads no personal data, and asks for none.
"""

import lazy_loader

from zjtx_alloc.base.kinds import with_kinds

# Public names are those of the stub beside this file, each imported on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = with_kinds(__name__, __getattr__)
