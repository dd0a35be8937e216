"""`manage.py key create NAME --user U`, `key list`, `key revoke PREFIX`: API keys from a shell."""

from datetime import datetime, timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from finstage.access import keys
from finstage.models import ApiKey, User
from market.prices import instant
from monitoring import audit

LINE = "{prefix:<12}  {owner:<16}  {name:<24}  {scopes:<16}  {expires:<16}  {used:<16}  {state}"
MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Make, list and revoke API keys. A key is printed once, when it is made."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="create|list|revoke")
        create = acts.add_parser("create", help="make a key; what is printed alone on its line is the key")
        create.add_argument("name", help="what it is for")
        create.add_argument("--user", default="admin", help="whose it is; it may no more than they may (admin)")
        create.add_argument("--scope", action="append", choices=ApiKey.SCOPES, help="read (the default), write, staff")
        create.add_argument("--days", type=float, help="how long it lasts; for good where nothing is said")
        listing = acts.add_parser("list", help="all keys, the newest first")
        listing.add_argument("--user", default="", help="of this person alone")
        acts.add_parser("revoke", help="end a key").add_argument("prefix", help="its public name, as the list has it")

    def handle(self, *, act: str, **options) -> None:
        try:
            ACTS[act](self, **options)
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}.") from error

    def _create(self, *, name: str, user: str, scope: list[str] | None, days: float | None, **options) -> None:
        owner = User.objects.filter(username=user).first()
        scopes = scope or [ApiKey.READ]
        if owner is None:
            raise CommandError(f"There is no account {user!r}.")
        if ApiKey.STAFF in scopes and not owner.is_staff:
            raise CommandError(f"{user} is not of the staff, so their keys can't have the scope staff.")
        if not name.strip() or len(name) > 100:
            raise CommandError("A name has 1 to 100 characters.")
        if days is not None and not 0 < days <= MOST_DAYS:
            raise CommandError(f"--days is more than 0 and at most {MOST_DAYS}.")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        said = {"owner": user, "scopes": scopes, "expires_at": expires_at and instant(expires_at)}
        with audit.by_shell("keys.make", name.strip(), **said) as outcome:
            row, text = keys.make(owner, name.strip(), scopes, expires_at)
            outcome |= {"id": row.pk, "prefix": row.prefix}
        ends = f"until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "until it is revoked"
        self.stderr.write(f"{row.name} of {user} may {', '.join(row.scopes)} {ends}. It is shown this once:")
        self.stdout.write(text)

    def _list(self, *, user: str, **options) -> None:
        rows = ApiKey.objects.select_related("owner").order_by("-id")
        heads = {"prefix": "PREFIX", "owner": "USER", "name": "NAME", "scopes": "SCOPES"}
        self.stdout.write(LINE.format(**heads, expires="EXPIRES (UTC)", used="LAST USED (UTC)", state="STATE"))
        for row in rows.filter(owner__username=user) if user else rows:
            told = {
                "prefix": row.prefix,
                "owner": row.owner.username,
                "name": _printable(row.name),
                "scopes": ",".join(row.scopes),
            }
            times = {"expires": _moment(row.expires_at, "never"), "used": _moment(row.last_used_at, "never")}
            self.stdout.write(LINE.format(**told, **times, state=row.state))

    def _revoke(self, *, prefix: str, **options) -> None:
        row = ApiKey.objects.filter(prefix=prefix).first()
        if row is None:
            raise CommandError(f"There is no key {prefix!r}; `key list` names them.")
        with audit.by_shell("keys.revoke", str(row), id=row.pk, owner=row.owner.username) as outcome:
            outcome["revoked"] = keys.revoke(row.pk)
        self.stdout.write(f"{row.name} ({prefix}) opens nothing any more: within 5 s everywhere, open sockets too.")


ACTS = {"create": Command._create, "list": Command._list, "revoke": Command._revoke}


def _printable(text: str) -> str:
    """What a terminal shows and does not obey."""
    return "".join(each if each.isprintable() else "�" for each in text)


def _moment(at: datetime | None, otherwise: str) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else otherwise
