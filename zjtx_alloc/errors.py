"""The errors a user can meet. Each carries one finished Chinese message: culprit, value, remedy."""


class ZjtxError(Exception):
    """Base of every error that bad data, rules or solvers can cause."""


class DataError(ZjtxError):
    """The data (facts, units, indicators) are wrong, incomplete or forbidden by the scenario."""


class ScenarioError(ZjtxError):
    """A scenario or policy file is wrong: unknown key, wrong type, shares that do not sum to one."""


class InfeasibleError(ZjtxError):
    """No quota can satisfy all the rules of a problem."""


class ReportError(ZjtxError):
    """A notebook of the report failed."""


class SolverError(ZjtxError):
    """The answer of a solver is unproven or fails the verification made outside it."""
