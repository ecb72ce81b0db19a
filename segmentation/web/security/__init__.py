"""Who gets in, what is refused, and what a browser may do."""
