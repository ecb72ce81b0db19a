from .events import SeriesReport as SeriesReport
from .run import apply_series as apply_series
