"""What an operation of the interface is about, by its path: how the document groups what a reader looks for."""

import re

SYMBOLS, PRICES, INDICATORS = "Symbols", "Prices", "Indicators"
STREAM, TASKS, ACCOUNT, OPERATION = "Live stream", "Tasks", "Your account", "Operation"
SAID = {
    SYMBOLS: "Which there are, what became of their shares, their highs and lows, and lists of them.",
    PRICES: "Bars and quotes, of one symbol or many.",
    INDICATORS: "What is computed of bars.",
    STREAM: "Its schema, tickets, events that were missed, and who is connected.",
    TASKS: "Ask for work, follow it, repeat it.",
    ACCOUNT: "API keys and preferences.",
    OPERATION: "Whether it lives, and its figures.",
}
# The first that is found in a path counts; what none knows is about prices.
_FOUND = (
    (r"/(bars|quotes?|movers|prices|batch)\b", PRICES),
    (r"/(indicators|signals|rating)\b", INDICATORS),
    (r"/(symbols|watchlists|restatements|coverage|quarantine|disputes)\b", SYMBOLS),
    (r"/(tasks|generate-report)\b", TASKS),
    (r"/(keys|preferences)\b", ACCOUNT),
    (r"/(ws|realtime|events|stream)\b", STREAM),
    (r"/(health|metrics|system|source|performance|optimization)\b", OPERATION),
)


def of(path: str) -> str:
    return next((subject for pattern, subject in _FOUND if re.search(pattern, path)), PRICES)
