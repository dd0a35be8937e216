"""What the market has done in the background.

wording         what people read where a job failed
exchanges       conditions of jobs, and calendars
quotes          prices that nobody tells, and closes
history         daily bars, and highs and lows
within          bars within sessions, and gaps
figures         key figures
retention       what is kept no longer
"""

from market.tasks import exchanges, figures, history, quotes, retention, within, wording

__all__ = ["exchanges", "figures", "history", "quotes", "retention", "within", "wording"]
