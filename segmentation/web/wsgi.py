"""The application that the environment asks for, as gunicorn loads it: ``segmentation.web.wsgi:server``.

Importing this opens the store, and ends the program with a sentence if that cannot be done.
"""

from segmentation.web.application import create_app_or_exit
from segmentation.web.settings import settings_or_exit

settings = settings_or_exit()
app = create_app_or_exit(settings)
server = app.server
