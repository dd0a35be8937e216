"""Signals that were seen: on the bars that are held, live, and as rows.

fired           where the rules fire over a history, each alone
comparing       what becomes of the signals that are kept (pure)
live            the rules on bars that form and close, many symbols together
rows            signals as rows: filled, compared with the history, as they were seen live
asked           signals as they are asked for, and what their prices did afterwards
rated           the combined rating of a symbol at its newest bar
"""
