"""The HTTP half of Finstage for a plain WSGI server, and for the gate's thread pool."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")

application = get_wsgi_application()
