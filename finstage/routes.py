"""Where a path leads: looked up once, as what asks for the same comes again, and there are many patterns before it."""

from functools import lru_cache

from django.urls import ResolverMatch, resolve

MOST = 4096  # paths that are remembered: a page's of as many symbols


@lru_cache(maxsize=MOST)
def match(path: str) -> ResolverMatch:
    """Raises Resolver404, which is looked up each time."""
    return resolve(path)
