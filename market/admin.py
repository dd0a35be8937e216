"""The market's rows for staff. Facts are shown, not edited; what a person decides can be changed."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from market import actions as acts
from market import bars, prices, sources, symbols
from market.bars import quarantine
from market.models import (
    BarRevision,
    CorporateAction,
    DataSource,
    Decision,
    KeyFigures,
    MarkedBar,
    QuarantinedBar,
    Record,
    Snapshot,
    SupersededAction,
    Symbol,
    SymbolAlias,
)
from market.prices import Bar
from market.sources import delisting
from market.symbols import spelling
from monitoring import shown

BARS_SHOWN = 20
KINDS = dict(CorporateAction.Kind.choices)
MEANT = _("It means %(ticker)s already.")
OF_SOURCE = ("source", shown.worded(sources.title))
STATES = {
    prices.FORMING: pgettext_lazy("of a bar", "forming"),
    prices.CLOSED_BAR: pgettext_lazy("of a bar", "closed"),
    prices.FINAL: pgettext_lazy("of a bar", "final"),
}


def kind_of_action(kind: str) -> object:
    return KINDS.get(kind, kind)


OF_KIND = ("kind", shown.worded(kind_of_action))


class Facts(admin.ModelAdmin):
    """Rows that only the system writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class SymbolFacts(Facts):
    """Facts about a symbol, which they name."""

    list_select_related = ["symbol"]
    search_fields = ["symbol__ticker", "symbol__name", "symbol__aliases__text"]
    show_full_result_count = False

    @admin.display(description=_("kind"), ordering="kind")
    def told_kind(self, fact: CorporateAction | SupersededAction) -> object:
        return kind_of_action(fact.kind)

    @admin.display(description=_("source"), ordering="source")
    def told_source(self, fact: object) -> str:
        return sources.title(fact.source)


class SymbolForm(forms.ModelForm):
    def clean_ticker(self) -> str:
        """As we write it. What another symbol gave up may be this one's; what others call another may not."""
        try:
            ticker = symbols.ticker(self.cleaned_data["ticker"])
        except symbols.InvalidTicker:
            raise ValidationError(_("One looks like AAPL, BRK-B, 005930.KS, ^GSPC or EURUSD=X.")) from None
        spelled = SymbolAlias.objects.filter(text__in=spelling.writings(ticker), kind=SymbolAlias.Kind.SPELLING)
        if alias := spelled.select_related("symbol").first():
            raise ValidationError(MEANT, params={"ticker": alias.symbol.ticker})
        return ticker


class AliasForm(forms.ModelForm):
    def clean_text(self) -> str:
        """As it is looked for, and nothing that leads to a symbol already."""
        text = symbols.folded(self.cleaned_data["text"])
        if text == self.instance.text:
            return text
        if not spelling.readings(text):
            raise ValidationError(_("It can name nothing."))
        if known := symbols.found([text]).get(text):
            raise ValidationError(MEANT, params={"ticker": known.ticker})
        return text


class AliasForms(forms.BaseInlineFormSet):
    """A former ticker stays: old links, and a recording that plays by it, lead to the symbol."""

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk and form.instance.kind == SymbolAlias.Kind.FORMER:
            for name in {"text", "DELETE"} & form.fields.keys():
                form.fields[name].disabled = True


class Aliases(admin.TabularInline):
    """What else a symbol is called: staff add spellings; a former ticker comes with a renaming."""

    model = SymbolAlias
    form = AliasForm
    formset = AliasForms
    extra = 0
    readonly_fields = ["kind", "since"]


@admin.register(Symbol)
class SymbolAdmin(admin.ModelAdmin):
    form = SymbolForm
    list_display = ["ticker", "name", "exchange", "currency", "asset_type", "told_state", "last_session"]
    list_filter = ["is_active", ("last_session", admin.EmptyFieldListFilter), "asset_type", "exchange"]
    search_fields = ["ticker", "name", "local_name", "aliases__text"]
    inlines = [Aliases]
    readonly_fields = ["created_at", "last_session", "latest_bars"]
    actions = ["track", "retire"]

    @admin.display(description=_("state"), ordering="is_active")
    def told_state(self, symbol: Symbol) -> str:
        return shown.badge("completed", _("active")) if symbol.is_active else shown.badge("cancelled", _("not active"))

    # A symbol's prices would go with it; one that is not wanted is retired.
    def has_delete_permission(self, request: HttpRequest, obj: Symbol | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Symbol, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.is_active and "is_active" in form.changed_data:
            delisting.revive([obj.pk])

    def get_readonly_fields(self, request: HttpRequest, obj: Symbol | None = None) -> list[str]:
        return [*self.readonly_fields, "ticker"] if obj else self.readonly_fields

    @admin.display(description=_("latest daily bars"))
    def latest_bars(self, symbol: Symbol) -> str:
        """A table, because Django's admin can't register a model with a composite key."""
        if symbol.pk is None:
            return "–"
        rows = map(_cells, reversed(bars.history(symbol.ticker, adjusted="raw", limit=BARS_SHOWN)))
        names = (
            _("session"), pgettext_lazy("of a bar", "state"), _("open"), _("high"), _("low"), _("close"), _("volume"),
            _("revision"), _("source"),
        )  # fmt: skip
        head = format_html_join("", "<th>{}</th>", ((name,) for name in names))
        body = format_html_join("", f"<tr>{'<td>{}</td>' * len(names)}</tr>", rows)
        revisions = f"{reverse('admin:market_barrevision_changelist')}?symbol__id__exact={symbol.pk}"
        return format_html(
            '<table><tr>{}</tr>{}</table><p><a href="{}">{}</a></p>', head, body, revisions, _("Corrections")
        )

    @admin.action(description=_("Collect the prices of the selected symbols"))
    def track(self, request: HttpRequest, symbols: QuerySet[Symbol]) -> None:
        delisting.revive(list(symbols.values_list("pk", flat=True)))

    @admin.action(description=_("Stop collecting the selected symbols"))
    def retire(self, request: HttpRequest, symbols: QuerySet[Symbol]) -> None:
        symbols.update(is_active=False)


def _cells(bar: Bar) -> tuple:
    volume = "–" if bar.volume is None else bar.volume
    values = bar.open, bar.high, bar.low, bar.close, volume, bar.revision, bar.source
    return bar.session_date, STATES[bar.state], *values


@admin.register(CorporateAction)
class CorporateActionAdmin(SymbolFacts):
    list_display = [
        "symbol", "told_kind", "ex_date", "value", "told_source", "received_at", "disputed", "decision", "decided_by",
    ]  # fmt: skip
    list_filter = [OF_KIND, OF_SOURCE, ("disputed", admin.EmptyFieldListFilter), "decision"]
    date_hierarchy = "ex_date"
    actions = ["accept", "keep_out"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("market.change_corporateaction")

    @admin.action(description=_("Accept the selected as told: adjusted prices count them"), permissions=["decide"])
    def accept(self, request: HttpRequest, rows: QuerySet[CorporateAction]) -> None:
        self._decide(request, rows, Decision.ACCEPTED)

    @admin.action(description=_("Keep the selected out of adjusted prices"), permissions=["decide"])
    def keep_out(self, request: HttpRequest, rows: QuerySet[CorporateAction]) -> None:
        self._decide(request, rows, Decision.KEPT_OUT)

    def _decide(self, request: HttpRequest, rows: QuerySet[CorporateAction], decision: Decision) -> None:
        for row in rows:
            facts = {"kind": kind_of_action(row.kind), "value": f"{row.value:g}", "date": row.ex_date}
            named = _("%(kind)s of %(value)s on %(date)s") % facts
            if not acts.can_be_decided(row):
                told = _("%(action)s: nothing is disputed, so there is nothing to decide.")
                self.message_user(request, told % {"action": named}, messages.WARNING)
            elif acts.decide(row, decision, request.user.get_username()):
                self.log_change(request, row.symbol, f"{named}: {decision.label}")
                self.message_user(request, f"{row.symbol} · {named}: {decision.label}")


@admin.register(SupersededAction)
class SupersededActionAdmin(SymbolFacts):
    list_display = [
        "symbol", "told_kind", "ex_date", "value", "told_source", "received_at", "decision", "superseded_at",
        "superseded_by",
    ]  # fmt: skip
    list_filter = [OF_KIND, OF_SOURCE]
    ordering = ["-superseded_at"]


@admin.register(Snapshot)
class SnapshotAdmin(SymbolFacts):
    list_display = ["symbol", "price", "volume", "session_date", "as_of", "received_at", "told_source"]
    list_filter = [OF_SOURCE, "symbol"]
    ordering = ["-id"]


@admin.register(BarRevision)
class BarRevisionAdmin(SymbolFacts):
    list_display = ["symbol", "interval", "opened_at", "revision", "close", "volume", "replaced_at", "reason"]
    list_filter = ["interval", OF_SOURCE, "symbol"]
    ordering = ["-id"]


@admin.register(MarkedBar)
class MarkedBarAdmin(SymbolFacts):
    list_display = [
        "symbol", "interval", "opened_at", "open", "high", "low", "close", "told_source", "received_at", "reason",
    ]  # fmt: skip
    list_filter = ["interval", OF_SOURCE, "symbol"]
    ordering = ["-received_at"]


@admin.register(QuarantinedBar)
class QuarantinedBarAdmin(SymbolFacts):
    list_display = [
        "symbol", "interval", "opened_at", "low", "high", "close", "volume", "reason", "received_at", "released_at",
        "released_by",
    ]  # fmt: skip
    list_filter = [("released_at", admin.EmptyFieldListFilter), "interval", OF_SOURCE, "symbol"]
    actions = ["release"]

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("market.change_quarantinedbar")

    @admin.action(description=_("Let the selected bars through"), permissions=["release"])
    def release(self, request: HttpRequest, rows: QuerySet[QuarantinedBar]) -> None:
        results = [quarantine.release(row, request.user.get_username()) for row in rows.filter(released_at=None)]
        for line in (line for result in results for line in result.refused):
            self.message_user(request, line, messages.ERROR)


@admin.register(Record)
class RecordAdmin(SymbolFacts):
    list_display = [
        "symbol", "scope", "high", "high_date", "low", "low_date", "since", "as_of", "computed_at", "pass_number",
    ]  # fmt: skip
    list_filter = ["scope", "pass_number"]


@admin.register(KeyFigures)
class KeyFiguresAdmin(SymbolFacts):
    list_display = [
        "symbol", "market_cap", "price_earnings", "earnings_per_share", "dividend_yield_percent", "earnings_date",
        "ex_dividend_date", "currency", "as_of", "received_at", "told_source",
    ]  # fmt: skip
    list_filter = [OF_SOURCE]
    ordering = ["symbol__ticker"]


@admin.register(DataSource)
class DataSourceAdmin(Facts):
    list_display = ["name", "reason", "chosen_at", "epoch", "pass_number", "session"]
