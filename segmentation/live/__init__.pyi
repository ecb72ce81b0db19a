from .segmenter import LabelledImage as LabelledImage
from .segmenter import LiveSegmenter as LiveSegmenter
