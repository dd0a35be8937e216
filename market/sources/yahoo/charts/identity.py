"""Whether an answer is what was asked for. Pure."""

from market.sources.yahoo.charts import units
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.fields import Mismatch


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
