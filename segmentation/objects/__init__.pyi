from .cleaning import clean_up as clean_up
from .correcting import apply_corrections as apply_corrections
from .labelling import label_objects as label_objects
from .measuring import measure_objects as measure_objects
from .steps import CleanUpStep as CleanUpStep
