from .cross_validation import CrossValidation as CrossValidation
from .cross_validation import cross_validate as cross_validate
from .importance import feature_importance as feature_importance
from .intervals import ShareInterval as ShareInterval
from .intervals import share_intervals as share_intervals
