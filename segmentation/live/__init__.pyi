from .segmenter import LiveSegmenter as LiveSegmenter
