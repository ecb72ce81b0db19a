"""Decision forests on binned features: how they are grown, and how they are walked."""
