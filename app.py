"""Squiggle: interactive image segmentation in the browser."""

from segmentation.web.application import create_app_or_exit
from segmentation.web.serve import serve
from segmentation.web.settings import settings_or_exit

settings = settings_or_exit()
app = create_app_or_exit(settings)
server = app.server

if __name__ == "__main__":
    serve(server, settings)
