"""The colours of all figures, apart from matplotlib: the front page and the explorer draw without it."""

# Okabe & Ito (2008): distinct to colour-blind readers.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
BATCH_COLOURS = (BLUE, ORANGE, GREEN)
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", GREY)
