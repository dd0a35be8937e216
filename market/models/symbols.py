"""What has a price, what it is called, and the lists of it that people keep."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.exact import ExactCharField


class SymbolQuerySet(models.QuerySet):
    def tracked(self) -> "SymbolQuerySet":
        return self.filter(is_active=True).order_by("ticker")


class Symbol(models.Model):
    """Something with a price. The tracked set is these rows, not code; its key stays when it is renamed."""

    class AssetType(models.TextChoices):
        EQUITY = "equity", _("share")
        ETF = "etf", _("exchange-traded fund")
        INDEX = "index", _("index")
        CURRENCY = "currency", _("currency pair")
        CRYPTO = "crypto", _("crypto currency")
        FUTURE = "future", _("future")
        FUND = "fund", _("fund")

    ticker = models.CharField(max_length=32, unique=True, help_text=_("As Yahoo writes it: AAPL, 005930.KS, ^GSPC."))
    name = models.CharField(max_length=200)
    local_name = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text=_("Its name at home, such as 삼성전자.")
    )
    exchange = models.CharField(max_length=8, help_text=_("Market identifier code (ISO 10383), such as XNAS."))
    currency = models.CharField(max_length=8)
    time_zone = models.CharField(max_length=64)
    asset_type = models.CharField(max_length=12, choices=AssetType, default=AssetType.EQUITY)
    price_decimals = models.PositiveSmallIntegerField(default=2)
    is_active = models.BooleanField(default=True, help_text=_("Only active symbols are collected."))
    last_session = models.DateField(
        null=True, blank=True, help_text=_("The last one of what is traded no more; empty while it is.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SymbolQuerySet.as_manager()

    class Meta:
        ordering = ["ticker"]

    def __str__(self) -> str:
        return self.ticker

    @property
    def may_be_negative(self) -> bool:
        """Whether it may cost less than nothing, as oil did on 2020-04-20."""
        return self.asset_type == self.AssetType.FUTURE


class SymbolAlias(models.Model):
    """What else a symbol is called: a ticker that it had, or how others write it. A ticker of today beats an alias."""

    class Kind(models.TextChoices):
        FORMER = "former", _("former ticker")
        SPELLING = "spelling", _("other spelling")

    text = models.CharField(max_length=64, unique=True, help_text=_("In capitals: FB, 005930."))
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="aliases")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SPELLING)
    since = models.DateTimeField(auto_now_add=True, help_text=_("Of a former ticker: when it was given up."))

    class Meta:
        ordering = ["text"]

    def __str__(self) -> str:
        return self.text


class Watchlist(models.Model):
    """A list of symbols that somebody keeps. The default one has no name; without its row it is the house's."""

    # Without a constraint: the version before knows nothing of these rows and deletes people.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="watchlists",
        db_constraint=False,
        db_index=False,
    )
    name = ExactCharField(max_length=100, help_text=_("Empty: the default list."))
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["owner_id", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_watchlist_a_name")]

    def __str__(self) -> str:
        return self.name or "default"


class WatchedSymbol(models.Model):
    """A symbol of a list, at its place."""

    pk = models.CompositePrimaryKey("watchlist_id", "symbol_id")
    watchlist = models.ForeignKey(Watchlist, on_delete=models.CASCADE, related_name="watched", db_index=False)
    # Without a constraint: the version before knows nothing of these rows and deletes symbols.
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="watched", db_constraint=False)
    place = models.PositiveIntegerField(help_text=_("Lists are told in this order."))

    class Meta:
        ordering = ["watchlist_id", "place", "symbol_id"]

    def __str__(self) -> str:
        return f"{self.symbol_id} on {self.watchlist_id}"
