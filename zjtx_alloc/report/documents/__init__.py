"""Documents: the proposal, pages of units, workbooks, templates."""
