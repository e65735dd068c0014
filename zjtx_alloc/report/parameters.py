"""Parameters of notebooks: what papermill was given that a notebook does not have is refused where the notebook begins."""

import ast
from collections.abc import Mapping
from typing import Any

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.messages import say

_INJECTED = "# Parameters\n"  # how the cell begins that papermill writes after the notebook's own


def check_parameters(namespace: Mapping[str, Any]) -> None:
    """Refuse a parameter that a notebook does not have: papermill only warns, and the notebook would run with its own.

    Parameters
    ----------
    namespace : mapping
        The notebook's ``globals()``. Its parameters are the names annotated so far; what papermill set is in the cell
        of its own, which IPython remembers.

    Raises
    ------
    ReportError
        Naming what was misspelt, and the parameters that there are.
    """
    known = namespace["__annotations__"]
    given = [cell for cell in namespace.get("In", ()) if cell.startswith(_INJECTED)]
    last = "".join(given[-1:])  # a kernel may have run other notebooks of the report before
    found = [node for node in ast.walk(ast.parse(last)) if isinstance(node, ast.Name)]
    if strangers := dict.fromkeys(
        name.id for name in found if isinstance(name.ctx, ast.Store) and name.id not in known
    ):
        raise ReportError(say("notebook.parameter", names="、".join(strangers), known="、".join(known)))
