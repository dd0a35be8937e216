"""Key figures: market value, earnings, dividends and dates.

told            what an entry of the quote list and a summary say (pure)
asked           the requests, and whose fault it is where one fails
"""
