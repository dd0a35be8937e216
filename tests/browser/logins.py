"""Who is logged in without the form, which costs each test two pages: as it leaves a site's database behind."""

import sqlite3
import string
from contextlib import closing
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import get_random_string

from finstage.models import User
from tests.browser.site import Site


def cookie(site: Site, name: str) -> dict:
    """That of a new session of somebody's."""
    key = get_random_string(32, string.ascii_lowercase)
    with closing(sqlite3.connect(site.folder / "browser.sqlite3", timeout=60)) as database, database:
        asked = "SELECT id, password FROM finstage_user WHERE username = ?"
        pk, password = database.execute(asked, [name]).fetchone()
        facts = {
            SESSION_KEY: str(pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: User(password=password).get_session_auth_hash(),
        }
        ends = datetime.now(UTC) + timedelta(days=1)
        row = [key, SessionStore().encode(facts), ends.strftime("%Y-%m-%d %H:%M:%S")]
        database.execute("INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)", row)
    return {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": site.url}
