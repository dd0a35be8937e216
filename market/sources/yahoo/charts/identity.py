"""Whether an answer is what was asked for, and what it says of a symbol that we do not have. Pure."""

from typing import Any

from market.sources.yahoo.charts import precision, units
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.fields import Mismatch, Misshapen

# Yahoo's names of exchanges whose market identifier code is another; the others bear Yahoo's own.
EXCHANGES = {
    "NMS": "XNAS", "NGM": "XNAS", "NCM": "XNAS", "NYQ": "XNYS", "ASE": "XASE", "PCX": "ARCX", "BTS": "BATS",
    "SNP": "XNYS", "DJI": "XNYS", "NIM": "XNAS", "KSC": "XKRX", "KOE": "XKRX", "JPX": "XTKS", "OSA": "XTKS",
    "LSE": "XLON", "PAR": "XPAR", "HKG": "XHKG", "SHH": "XSHG", "SHZ": "XSHE", "GER": "XETR", "AMS": "XAMS",
    "MIL": "XMIL", "EBS": "XSWX", "TOR": "XTSE", "ASX": "XASX", "NSI": "XNSE", "BSE": "XBOM", "TAI": "XTAI",
    "CME": "XCME", "CBT": "XCBT", "NYM": "XNYM", "CMX": "XCEC",
}  # fmt: skip
KINDS = {
    "EQUITY": "equity", "ETF": "etf", "INDEX": "index", "CURRENCY": "currency", "CRYPTOCURRENCY": "crypto",
    "FUTURE": "future", "MUTUALFUND": "fund",
}  # fmt: skip
_DECIMALS = 2  # where no hint says otherwise


def facts(meta: dict, ticker: str) -> dict[str, Any]:
    """What a symbol's row says of it. Raises Mismatch where it is about another, Misshapen where it can't be read."""
    if meta.get("symbol") != ticker:
        raise Mismatch(f"it is about {str(meta.get('symbol'))[:40]!r}")
    kind = KINDS.get(meta.get("instrumentType"))
    if kind is None:
        raise Misshapen(f"{str(meta.get('instrumentType'))[:40]!r} is no kind of symbol that is known here")
    currency, exchange = _text(meta, "currency", 8), _text(meta, "exchangeName", 8)
    main = units.main(currency)
    decimals = precision.decimals(meta, units.factor(currency, main))
    return {
        "name": _text(meta, next((name for name in ("longName", "shortName") if meta.get(name)), "symbol"), 200),
        "exchange": EXCHANGES.get(exchange, exchange),
        "currency": main,
        "time_zone": _text(meta, "exchangeTimezoneName", 64),
        "asset_type": kind,
        "price_decimals": _DECIMALS if decimals is None else decimals,
    }


def _text(meta: dict, name: str, longest: int) -> str:
    value = meta.get(name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Misshapen(f"its {name} is {str(value)[:40]!r}")
    return value.strip()[:longest]


def require(meta: dict, symbol: Symbol, interval: str) -> None:
    """Raises Mismatch where it is about another symbol, of another interval or in another currency.

    What an answer does not say can't be compared.
    """
    named, granularity = meta.get("symbol"), meta.get("dataGranularity")
    if isinstance(named, str) and named.upper() != symbol.ticker:
        raise Mismatch(f"it is about {named[:40]!r}")
    if granularity is not None and granularity != interval:
        raise Mismatch(f"its rows are of {str(granularity)[:40]!r}, and {interval} was asked for")
    units.factor(meta.get("currency"), symbol.currency)
