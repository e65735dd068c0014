"""report.xlsx, which recalculates and can be handed back."""
