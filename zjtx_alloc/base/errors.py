"""The errors a user can meet. Each carries one finished Chinese message: culprit, value, remedy."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from zjtx_alloc.base.text import in_brief

if TYPE_CHECKING:
    import pandas as pd


class ZjtxError(Exception):
    """Base of every error that bad data, rules or solvers can cause; however long a value, its message is not."""

    def __init__(self, message: object = "") -> None:
        super().__init__(in_brief(str(message)))


class DataError(ZjtxError):
    """The data (facts, units, indicators) are wrong, incomplete or forbidden by the scenario."""


class TableError(DataError):
    """A user's table has problems.

    Attributes
    ----------
    problems : DataFrame
        One a row: 行 (as Excel shows it, — for the whole table), 列, 内容, 问题, 处理办法.
    """

    def __init__(self, message: str, problems: "pd.DataFrame") -> None:
        super().__init__(message)
        self.problems = problems


class ScenarioError(ZjtxError):
    """A scenario or policy file is wrong: unknown key, wrong type, shares that do not sum to one."""


class InfeasibleError(ZjtxError):
    """No quota can satisfy all the rules of a problem.

    Attributes
    ----------
    diagnosis : Diagnosis or None
        Which rules clash and the cheapest way out (see ``diagnose``); every error that ``solve`` raises has it.
    """

    def __init__(self, message: str, diagnosis: Any = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis


class TieError(ZjtxError):
    """Units with exactly equal claims, and fewer places open than units.

    Attributes
    ----------
    tied : tuple
        Labels of the units, in their order; of table cells, pairs of labels.
    places : int
        Places still open among them, at most one each.
    """

    def __init__(self, message: str, tied: tuple[Hashable, ...], places: int) -> None:
        super().__init__(message)
        self.tied = tied
        self.places = places


class ReportError(ZjtxError):
    """A notebook of the report failed, or a file of it could not be written."""


class SolverError(ZjtxError):
    """The answer of a solver is unproven or fails the verification made outside it."""


class KindError(ZjtxError, TypeError):
    """A public function was given an object of another kind than it takes."""
