"""Objects, the connected parts of a class: cleaning them up, splitting, measuring, and the files that they go into."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
