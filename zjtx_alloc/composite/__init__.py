"""Composite indicators (综合指数): scenario lines, arithmetic, laws, and the tree of one scenario."""
