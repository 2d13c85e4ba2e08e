"""The web process. It refuses to start on a wrong setting: gunicorn itself runs no system checks."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
call_command("check", verbosity=0)
