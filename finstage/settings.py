"""Every setting of Finstage, in one file. Environment variables choose the size; a wrong one stops the start."""

import hashlib
import ipaddress
import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured

from finstage import addresses, subjects
from realtime.transports import servers

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def _choice(name: str, allowed: list[str], default: str) -> str:
    value = env.str(name, default=default) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it can be {', '.join(allowed)}.")
    return value


def _number(name: str, default: float, low: float, high: float) -> float:
    text = env.str(name, default="")
    try:
        value = float(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be a number from {low:.15g} to {high:.15g}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} is {text}; it must be a number from {low:.15g} to {high:.15g}.")
    return value


def _whole(name: str, default: int, low: int, high: int) -> int:
    value = _number(name, default, low, high)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} is {env.str(name)}; it must be a whole number from {low} to {high}.")
    return int(value)


def _truth(name: str, default: bool) -> bool:
    return _choice(name, ["true", "false"], "true" if default else "false") == "true"


def _address(name: str, fault: Callable[[str], str]) -> str:
    value = env.str(name, default="")
    if value and (found := fault(value)):
        raise ImproperlyConfigured(f"{name} {found}.")
    return value


# State and identity


def _state_folder() -> Path:
    path = Path(env.str("FINSTAGE_VAR", default="") or BASE_DIR / "var").resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"FINSTAGE_VAR leads to {path}, which can't be made: {error.strerror}.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"FINSTAGE_VAR leads to {path}, which this user may not write to.")
    return path


VAR = _state_folder()


def _secret_key() -> str:
    """The key from the environment; on embedded services also one that is made at the first start and kept in var/."""
    if key := env.str("SECRET_KEY", default=""):
        return key
    path = VAR / "secret_key"
    if shared := next((name for name in ("REDIS_URL", "DATABASE_URL") if _names_a_server(name)), None):
        raise ImproperlyConfigured(_key_is_missing(shared, path))
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text().strip()


def _names_a_server(name: str) -> bool:
    """A file is none: only this machine's processes have it."""
    url = env.str(name, default="")
    return bool(url) and not url.startswith("sqlite:")


def _key_is_missing(shared: str, path: Path) -> str:
    """What to do, so that it works as typed; who has a key already keeps it, and all stay logged in."""
    new = f"{shlex.quote(sys.executable)} -c 'import secrets; print(secrets.token_urlsafe(50))'"
    made = f"cat {shlex.quote(str(path))}" if path.exists() else new
    file = shlex.quote(str(BASE_DIR / ".env"))
    what = "This installation's own key, which keeps everybody logged in," if path.exists() else "A new one"
    return (
        f"SECRET_KEY is not set, and {shared} names a server that other machines may use too: each would invent a key "
        f"of its own, and none would accept the logins of another. {what} is set by: "
        f"printf '\\nSECRET_KEY=%s\\n' \"$({made})\" >> {file} - give every machine the same one."
    )


def _origins() -> list[str]:
    given = env.list("CSRF_TRUSTED_ORIGINS", default=[])
    for fault in filter(None, map(addresses.origin_fault, given)):
        raise ImproperlyConfigured(f"CSRF_TRUSTED_ORIGINS {fault}.")
    return given


def _networks(name: str) -> list:
    try:
        return [ipaddress.ip_network(each, strict=False) for each in env.list(name, default=[])]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has {error}; write 127.0.0.1 or 10.0.0.0/8, several by commas.") from None


SECRET_KEY = _secret_key()
DEBUG = _truth("DEBUG", False)
HOST = env.str("HOST", default="") or "127.0.0.1"
PORT = _whole("PORT", 8000, 1, 65535)
SERVER = _choice("FINSTAGE_SERVER", list(servers.SERVERS), "daphne")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or addresses.answering_to(HOST)
CSRF_TRUSTED_ORIGINS = _origins()
TRUSTED_PROXIES = _networks("FINSTAGE_TRUSTED_PROXIES")
AUTH_USER_MODEL = "finstage.User"

# How a hint writes the command line, so that it works as typed in this folder. (A venv's Python is a link: no resolve.)
_PYTHON = Path(sys.executable)
MANAGE = f"{_PYTHON.relative_to(BASE_DIR) if _PYTHON.is_relative_to(BASE_DIR) else _PYTHON} manage.py"

# Prices

# Every source of prices, a folder each. Of `auto` the first that answers, and the last where none does.
SOURCES = ["market.sources.yahoo", "market.sources.replay"]
SOURCE = _choice("FINSTAGE_SOURCE", ["auto", *(path.rpartition(".")[2] for path in SOURCES)], "auto")
REPLAY_START = env.str("FINSTAGE_REPLAY_START", default="") or "2012-09-04"
REPLAY_SESSION_SECONDS = _number("FINSTAGE_REPLAY_SESSION_SECONDS", 20, 0.05, 86_400)
# Requests a second to Yahoo, of all processes together.
YAHOO_RATE = _number("FINSTAGE_YAHOO_RATE", 2, 0.01, 1000)
# For tests and proxies: a unix socket in the place of Yahoo's hosts, another streamer, the authority to trust there.
YAHOO_SOCKET = env.str("FINSTAGE_YAHOO_SOCKET", default="")
YAHOO_STREAM = env.str("FINSTAGE_YAHOO_STREAM", default="") or "wss://streamer.finance.yahoo.com/?version=2"
YAHOO_CA = env.str("FINSTAGE_YAHOO_CA", default="")
MARKET_DATA_OPEN = _truth("FINSTAGE_MARKET_DATA_OPEN", True)
# Symbols that one person may add within a day; staff as many as they like.
SYMBOLS_A_DAY = _whole("FINSTAGE_SYMBOLS_A_DAY", 20, 0, 10_000)
# Bars that a process keeps as arrays: ten years of a symbol take 140 KB, and 240 KB where its shares were split.
COLUMNS_BYTES = _whole("FINSTAGE_COLUMNS_BYTES", 64 << 20, 0, 1 << 36)
# Pages of bars that a process keeps as they go out: one of 250 takes 110 KB.
ANSWERS_BYTES = _whole("FINSTAGE_ANSWERS_BYTES", 32 << 20, 0, 1 << 36)

# Apps

INSTALLED_APPS = [
    "finstage",
    "monitoring",
    "market",
    "analysis",
    "realtime",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_prometheus",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]
MIDDLEWARE = [
    "finstage.connections.Middleware",
    "finstage.security.Middleware",
    "django.middleware.security.SecurityMiddleware",
    "finstage.compression.Middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "finstage.access.door.Middleware",
    "finstage.accounts.middleware.Middleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "finstage.methods.Middleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "finstage.parameters.Middleware",
]
ROOT_URLCONF = "finstage.urls"
ASGI_APPLICATION = "finstage.asgi.application"
WSGI_APPLICATION = "finstage.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
}
# Without read_timeout a query waits as long as a frozen server is frozen.
_MYSQL = {
    "charset": "utf8mb4",
    "connect_timeout": 3,
    "read_timeout": 10,
    "write_timeout": 10,
    "isolation_level": "read committed",
    "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE', innodb_lock_wait_timeout=5",
}


def database(url: str) -> dict:
    """What Django is told of the database at a URL; of none, of our own."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR / "finstage.sqlite3", "OPTIONS": _SQLITE}
    database = environ.Env.db_url_config(url)
    if url.startswith("mysql"):
        _require_mysqlclient()
        database["OPTIONS"] = {**_MYSQL, **database.get("OPTIONS", {})}
        database["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    else:
        database["OPTIONS"] = _SQLITE
    return database


def _require_mysqlclient() -> None:
    try:
        __import__("MySQLdb")
    except ImportError:
        raise ImproperlyConfigured(
            "DATABASE_URL asks for MySQL or MariaDB and the driver mysqlclient is not installed. On Debian or Ubuntu: "
            "sudo apt-get install gcc pkg-config python3-dev libmariadb-dev, then "
            ".venv/bin/pip install -r requirements.txt"
        ) from None


# The threads that own connections are the bounded pool of the gate, so that they may keep them.
_KEPT = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
DATABASES = {"default": {**database(_address("DATABASE_URL", addresses.database_fault)), **_KEPT}}

# Redis protocol

RUNTIME = VAR / "run"
if len(str(RUNTIME / "valkey.sock")) > 100:  # a unix socket's path has room for 107 bytes
    RUNTIME = (
        Path(tempfile.gettempdir()) / f"finstage-{os.getuid()}-{hashlib.sha256(str(VAR).encode()).hexdigest()[:12]}"
    )
VALKEY_SOCKET = RUNTIME / "valkey.sock"
_REDIS_URL = _address("REDIS_URL", addresses.redis_fault)
REDIS_EMBEDDED = not _REDIS_URL
REDIS_URL = _REDIS_URL or f"unix://{quote(str(VALKEY_SOCKET))}?db=0"
REDIS_PREFIX = "finstage:"

# Caches: what processes share of them, and how much of it within the seconds that a name keeps it at most

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": [REDIS_URL],
        "KEY_FUNCTION": "monitoring.caches.shared.key_of",
        "OPTIONS": {
            "serializer": "monitoring.caches.shared.Bytes",
            "parser_class": "monitoring.redis.Parser",
            "socket_connect_timeout": 0.25,
            "socket_timeout": 0.25,
        },
    }
}
CACHES_SHARED_BYTES = _whole("FINSTAGE_CACHES_SHARED_BYTES", 64 << 20, 0, 1 << 36)
# What a process keeps of each name: a year of the default indicators takes 120 KB.
CACHES_BYTES = _whole("FINSTAGE_CACHES_BYTES", 16 << 20, 0, 1 << 36)

# Streams

# How long prices may wait to leave together: while the process is idle, and while it is busy.
STREAM_FLUSH_IDLE_SECONDS = _number("FINSTAGE_STREAM_FLUSH_IDLE_MS", 30, 0, 1000) / 1000
STREAM_FLUSH_BUSY_SECONDS = _number("FINSTAGE_STREAM_FLUSH_BUSY_MS", 100, 0, 1000) / 1000

# Celery

_SAME_SERVER = addresses.as_broker(_REDIS_URL or f"unix://{quote(str(VALKEY_SOCKET))}?db=1")
CELERY_BROKER_URL = _address("BROKER_URL", addresses.broker_fault) or _SAME_SERVER
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # a broker that is full or read-only for a while must not end a worker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": "finstage:celery:",
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_BEAT_SCHEDULER = "finstage.beat:Scheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# How long a worker that is told to stop waits for its jobs before it gives them back.
JOBS_DRAIN_SECONDS = _number("FINSTAGE_JOBS_DRAIN_SECONDS", 4, 0, 3600)
# What the processes of isolated jobs have in common is loaded once, before they are forked.
JOBS_LOAD_AHEAD = ["market.sources.registry.load_ahead"]
DJANGO_CELERY_BEAT_TZ_AWARE = True

# What is sent to addresses that people write: networks beside the public internet, as of an intranet, which may then be
# reached without TLS and at any port; and the authority to trust instead of the usual ones.

DELIVERY_ALLOWED_NETWORKS = _networks("FINSTAGE_DELIVERY_ALLOWED_NETWORKS")
DELIVERY_CA = env.str("FINSTAGE_DELIVERY_CA", default="")

# Retention: for how many days the rows of each table are kept

SNAPSHOT_DAYS = _whole("FINSTAGE_SNAPSHOT_DAYS", 7, 1, 3_650)
MINUTE_DAYS = _whole("FINSTAGE_MINUTE_DAYS", 400, 30, 36_500)
PROVISIONAL_DAYS = _whole("FINSTAGE_PROVISIONAL_DAYS", 30, 1, 3_650)
EVENT_DAYS = _whole("FINSTAGE_EVENT_DAYS", 90, 1, 3_650)
ALERT_DAYS = _whole("FINSTAGE_ALERT_DAYS", 730, 1, 36_500)
SIGNAL_DAYS = _whole("FINSTAGE_SIGNAL_DAYS", 3_650, 30, 36_500)
JOB_DAYS = _whole("FINSTAGE_JOB_DAYS", 30, 1, 3_650)
AUDIT_DAYS = _whole("FINSTAGE_AUDIT_DAYS", 730, 1, 36_500)

# HTTP

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
GATE_WORKERS = _whole("FINSTAGE_HTTP_THREADS", 8, 1, 256)
GATE_QUEUE = _whole("FINSTAGE_HTTP_QUEUE", 64, 1, 10_000)
GATE_BODY_BYTES = _whole("FINSTAGE_HTTP_BODY_BYTES", 1 << 20, 1 << 10, 1 << 30)
GATE_FORM_BYTES = _whole("FINSTAGE_HTTP_FORM_BYTES", 64 << 10, 1 << 10, 1 << 30)
GATE_BODY_SECONDS = _number("FINSTAGE_HTTP_BODY_SECONDS", 20, 0.1, 600)
GATE_ANSWER_BYTES = _whole("FINSTAGE_HTTP_ANSWER_BYTES", 64 << 20, 1 << 16, 1 << 32)
GATE_ANSWER_SECONDS = _number("FINSTAGE_HTTP_ANSWER_SECONDS", 30, 0.1, 3600)
# Each part of a form costs its thread a millisecond at worst, and several times that is what a request may cost.
# 500 symbols may come one by one, with other parameters beside them.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 600
# Requests in a minute, of each web process; 0 is no limit. An address may be that of a whole office.
REQUESTS_PER_ADDRESS = _whole("FINSTAGE_REQUESTS_PER_ADDRESS", 60_000, 0, 10**9)
REQUESTS_PER_USER = _whole("FINSTAGE_REQUESTS_PER_USER", 30_000, 0, 10**9)
REQUESTS_PER_KEY = _whole("FINSTAGE_REQUESTS_PER_KEY", 30_000, 0, 10**9)
# Sockets and streams of events at once, of each web process; 0 is no limit.
CONNECTIONS_PER_ADDRESS = _whole("FINSTAGE_CONNECTIONS_PER_ADDRESS", 1000, 0, 10**6)
CONNECTIONS_PER_USER = _whole("FINSTAGE_CONNECTIONS_PER_USER", 200, 0, 10**6)
CONNECTIONS_PER_KEY = _whole("FINSTAGE_CONNECTIONS_PER_KEY", 200, 0, 10**6)
# Indicators beyond the default set that are live at once, of all processes together; bars within sessions are formed
# whoever holds them.
LIVE_INDICATORS = _whole("FINSTAGE_LIVE_INDICATORS", 5000, 1, 10**6)
# Replays at once: of a person, or of an address where nobody says who they are, and of each web process; how many
# messages a second one of them may tell; and whether people who are not logged in may have any.
REPLAYS_PER_USER = _whole("FINSTAGE_REPLAYS_PER_USER", 2, 0, 1000)
REPLAYS_PER_PROCESS = _whole("FINSTAGE_REPLAYS_PER_PROCESS", 20, 0, 1000)
REPLAY_RATE = _number("FINSTAGE_REPLAY_RATE", 500, 1, 100_000)
REPLAYS_FOR_GUESTS = _truth("FINSTAGE_REPLAYS_FOR_GUESTS", True)
# Who may make an account: nobody (staff make them in the admin), whom staff invite, or anybody.
REGISTRATION = _choice("FINSTAGE_REGISTRATION", ["off", "invitation", "open"], "off")
LOGIN_URL, LOGIN_REDIRECT_URL = "login", "watchlist"
PASSWORD_RESET_TIMEOUT = 3600  # seconds that the link of a mail opens anything
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
CSRF_FAILURE_VIEW = "finstage.errors.csrf_failure"
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "finstage.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "finstage.schema.Schema",
    "DEFAULT_PERMISSION_CLASSES": ["finstage.access.MarketData"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["finstage.access.Key", "finstage.access.Session"],
    "DEFAULT_PARSER_CLASSES": ["finstage.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "finstage.renderers.JSONRenderer",
        "finstage.renderers.CSVRenderer",
        "finstage.renderers.ParquetRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "finstage.renderers.Negotiation",
    "DEFAULT_PAGINATION_CLASS": "finstage.pagination.Pages",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Finstage Market Data",
    "VERSION": "2",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v2",
    "ENUM_NAME_OVERRIDES": {
        "AdjustmentEnum": "market.actions.adjustments.ADJUSTMENTS",
        "IntervalEnum": "market.intervals.CHOICES",
        "IntervalNameEnum": "market.intervals.ALL",
        "SignalStateEnum": "analysis.models.signals.Signal.State",
        "StoredIntervalEnum": "market.intervals.STORED_CHOICES",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "finstage.schema.outside_django"],
    "DESCRIPTION": "Prices, bars, quotes and indicators; each says where it came from and when.",
    "EXTERNAL_DOCS": {"description": "Live stream: what is said on the WebSocket", "url": "/api/docs/realtime/"},
    "TAGS": [{"name": name, "description": said} for name, said in subjects.SAID.items()],
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# Mail


def _mail() -> dict:
    """Of a mail server by its URL; of none, mail is written to where the web process writes."""
    try:
        return env.email_url("EMAIL_URL", default="consolemail://")
    except (KeyError, ValueError):
        allowed = "smtp://USER:PASSWORD@HOST:25, smtp+tls://..:587, smtp+ssl://..:465 or consolemail://"
        raise ImproperlyConfigured(f"EMAIL_URL is no address of a mail server; it can be {allowed}.") from None


_MAIL = _mail()
EMAIL_BACKEND = _MAIL["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _MAIL["EMAIL_HOST"] or "localhost", _MAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_USER"] or "", _MAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_TLS", False), _MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("FINSTAGE_MAIL_FROM", default="") or "Finstage <finstage@localhost>"

# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Logging

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django.request": {"level": "ERROR"},  # what a client got wrong is told to the client
        "django.security.csrf": {"level": "ERROR"},
        "django.security.TooManyFieldsSent": {"level": "CRITICAL"},
        "django.security.TooManyFilesSent": {"level": "CRITICAL"},
        "django.security.RequestDataTooBig": {"level": "CRITICAL"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # finstage.errors says it in a line, with the fix
    },
    "root": {"handlers": ["stderr"], "level": _choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], "INFO")},
}
