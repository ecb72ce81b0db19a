"""Series on the page: image files come in, are worked on in the background, and results go home as one zip."""
