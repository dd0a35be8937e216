"""What is told about prices in jobs.

tracked         what the tracked symbols did: now, in a day, in a week
runs            what a half-hourly run of those found, on its way to the feed
spans           which sessions a report is of, and why a symbol has no bar of them
datasets        one symbol's history, brought up to date, checked and summed up
statistics      a series of closes as one number (pure)
"""
