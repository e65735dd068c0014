"""Facts: users' tables as they have them, and the panel of the 37 units."""
