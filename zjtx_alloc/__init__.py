"""zjtx_alloc: quotas, budgets and reports for 财建〔2024〕148号 (support of 专精特新“小巨人” firms)."""

import lazy_loader

# Public names are those of the stub beside this file, each imported on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
