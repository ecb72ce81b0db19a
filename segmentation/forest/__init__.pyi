from .forest import Forest as Forest
from .growing import grow_forest as grow_forest
from .settings import ForestSettings as ForestSettings
