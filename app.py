"""Squiggle: interactive image segmentation in the browser."""

from segmentation.web.serve import serve
from segmentation.web.wsgi import app as app
from segmentation.web.wsgi import server, settings

if __name__ == "__main__":
    serve(server, settings)
