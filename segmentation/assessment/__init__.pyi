from .cross_validation import CrossValidation as CrossValidation
from .cross_validation import cross_validate as cross_validate
