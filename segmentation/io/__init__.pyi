from .image import Image as Image
from .image import image_from_pixels as image_from_pixels
from .limits import ImageError as ImageError
from .pixel_size import PixelSize as PixelSize
from .read import read_image as read_image
from .read import read_stack as read_stack
