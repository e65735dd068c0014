"""A linear or quadratic programme in floats, by HiGHS: a guess, which ``continuous`` solves for in fractions and proves."""

from typing import Any

import numpy as np

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say


def least(cost: Any, bounds: tuple[Any, Any], rows: np.ndarray, ends: tuple[Any, Any], squares: Any = ()) -> np.ndarray:
    """The x that minimises cost · x + Σ squares · x² within its bounds, with rows · x within their ends.

    Returns
    -------
    ndarray
        What the solver has when it stops: it need not be feasible, and its proof stands elsewhere.

    Raises
    ------
    SolverError
        If the solver is not there.
    """
    try:
        import highspy  # noqa: PLC0415 - only rules that cross need it, and commands that need none start sooner
    except ImportError:
        raise SolverError(say("solver.missing")) from None
    programme, solver = highspy.HighsLp(), highspy.Highs()
    programme.num_row_, programme.num_col_ = rows.shape
    programme.col_cost_, (programme.col_lower_, programme.col_upper_) = cost, bounds
    programme.row_lower_, programme.row_upper_ = ends
    at, columns = np.nonzero(rows)
    matrix = programme.a_matrix_
    matrix.format_, matrix.index_, matrix.value_ = highspy.MatrixFormat.kRowwise, columns, rows[at, columns]
    matrix.start_ = np.searchsorted(at, np.arange(len(rows) + 1))
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(programme)
    if len(squares):
        solver.setOptionValue("qp_regularization_value", 0.0)  # by default it moves places by some thousandths
        hessian, count = highspy.HighsHessian(), len(squares)
        hessian.dim_, hessian.start_, hessian.index_ = count, np.arange(count + 1), np.arange(count)
        hessian.value_ = 2 * squares
        solver.passHessian(hessian)
    solver.run()
    return np.asarray(solver.getSolution().col_value)
