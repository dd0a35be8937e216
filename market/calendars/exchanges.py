"""Which exchanges there are, for those who may not import their calendars."""

from market.models import Symbol

# Every name that exchange_calendars knows an exchange by, and those that we lead to one of them.
CALENDARS = frozenset(
    """
    24/5 24/7 AIXK ARCX ASEX ASX BATS BMF BSE BVB BVMF CBOT CFE CME CMES COMEX FWB HKEX ICE ICEUS IEPA JKT JPX LSE LUXSE
    NASDAQ NYFE NYMEX NYSE OOTC OSE SIX SSE TASE TSX XAMS XASE XASX XBDA XBEL XBKK XBOG XBOM XBRA XBRU XBSE XBUD XBUE
    XCBF XCSE XCYS XDUB XDUS XEEE XETR XEUR XFRA XHAM XHEL XHKG XICE XIDX XIST XJSE XKAR XKLS XKRX XLIM XLIS XLIT XLJU
    XLON XLUX XMAD XMEX XMIL XMOS XNAS XNYS XNZE XOSL XPAR XPHS XPRA XRIS XSAU XSES XSGO XSHG XSTO XSTU XSWX XTAE XTAI
    XTAL XTKS XTSE XTSX XWAR XWBO XZAG us_futures
    CCC CCY XCME XCBT XNYM XCEC CBT NYM CMX NYB
    """.split()  # noqa: SIM905
)


def unknown(exchange: str) -> dict[str, list[str]]:
    """What is wrong with the name of an exchange, by field: none of that name has a calendar here, or a symbol."""
    if exchange in CALENDARS or Symbol.objects.filter(exchange=exchange).exists():
        return {}
    homes = sorted(set(Symbol.objects.values_list("exchange", flat=True)))
    told = f"there is no exchange {exchange[:20]!r}; the symbols here are at {', '.join(homes) or 'none'}"
    return {"exchange": [f"{told}, and each code of an exchange with a calendar can be asked for, such as XNYS"]}


def unknown_if_named(exchange: str = "") -> dict[str, list[str]]:
    """The same of a name that may be left out."""
    return unknown(exchange) if exchange else {}
