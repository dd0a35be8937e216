"""When exchanges are open.

clock           an exchange at a moment; the feed tells it, and pages read it
openings        when each opened last and opens next; told and read in the same way
hours           whether one trades, asked of its calendar or of the recording that is played
sessions        the calendars themselves; brings pandas, so only the feed and the workers may import it
table           the sessions of one exchange, and what can be asked of them (pure)
facts           what we know of exchanges that the library does not (pure)
library         the tables, built once
kept            the tables as rows, for those who may not import their calendars
exchanges       which exchanges there are, for those who may not
"""
