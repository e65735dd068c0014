"""The steps of a province's work, from review to settlement."""
