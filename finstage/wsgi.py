"""The HTTP half of Finstage for a plain WSGI server, and for the gate's thread pool."""

import os

import django
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.urls import ResolverMatch

from finstage import routes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")
django.setup(set_prefix=False)


class Handler(WSGIHandler):
    """Django's, which looks a path up once."""

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.resolver_match = routes.match(request.path_info)
        return request.resolver_match


application = Handler()
