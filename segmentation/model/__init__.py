"""The classifier: feature spec, forest and classes; its file, its scores."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
