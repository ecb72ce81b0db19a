from .all_pixels import compute_features as compute_features
from .cache import FeatureCache as FeatureCache
from .compute import compute_planes as compute_planes
from .spec import FeatureSpec as FeatureSpec
