"""Documents of the provinces' side, from what its steps found."""
