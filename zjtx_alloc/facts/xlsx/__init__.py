"""The parts of an ``.xlsx`` file, each read in one pass."""
