"""budget.xlsx, which recalculates."""
