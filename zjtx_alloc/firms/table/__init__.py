"""Tables of firms as provinces have them."""
