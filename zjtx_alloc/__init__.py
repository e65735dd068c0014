"""zjtx_alloc: quotas, budgets and reports for 财建〔2024〕148号 (support of 专精特新“小巨人” firms)."""

import lazy_loader

from zjtx_alloc.base.kinds import with_kinds

# Public names are those of the stub beside this file, each imported on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = with_kinds(__name__, __getattr__)
