"""What Yahoo begins with, before people add to it."""

from market.symbols import Seed

SEOUL = "Asia/Seoul"

# Exchanges without a MIC bear Yahoo's own code: CCY for currencies, CCC for coins.
SEEDS = (
    Seed("AAPL", "Apple Inc.", "XNAS"),
    Seed("MSFT", "Microsoft Corporation", "XNAS"),
    Seed("NVDA", "NVIDIA Corporation", "XNAS"),
    Seed("GOOGL", "Alphabet Inc.", "XNAS"),
    Seed("AMZN", "Amazon.com, Inc.", "XNAS"),
    Seed("TSLA", "Tesla, Inc.", "XNAS"),
    Seed("005930.KS", "Samsung Electronics Co., Ltd.", "XKRX", "KRW", SEOUL, "equity", 0, "삼성전자", ("005930",)),
    Seed("000660.KS", "SK hynix Inc.", "XKRX", "KRW", SEOUL, "equity", 0, "SK하이닉스", ("000660",)),
    Seed("035420.KS", "NAVER Corporation", "XKRX", "KRW", SEOUL, "equity", 0, "네이버", ("035420",)),
    Seed("^GSPC", "S&P 500", "XNYS", asset_type="index", spellings=("SPX", "GSPC")),
    Seed("EURUSD=X", "EUR/USD", "CCY", "USD", "Europe/London", "currency", 5, spellings=("EURUSD", "EUR/USD")),
    Seed("BTC-USD", "Bitcoin USD", "CCC", "USD", "UTC", "crypto", spellings=("BTCUSD", "BTC/USD")),
)
