from .classes import LabelClass as LabelClass
from .raster import rasterise as rasterise
from .stroke import Stroke as Stroke
