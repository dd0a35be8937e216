"""One language of conditions, for the screener, alert rules, signals and strategies.

tree            what a condition is once it was read (pure)
vocabulary      the names that it may use (pure)
reading         of JSON, with its short forms; a fault is named by its path (pure)
texts           of a line, as people type it; a fault is shown at its place (pure)
schema          the JSON Schema of it (pure)
truth           true, false and unknown, over arrays (pure)
evaluating      of many symbols, at every bar of a history, and bar by bar as they close (pure)
values          what operands are, of bars and bar by bar (pure)
extremes        highest and lowest so far, as records have them (pure)
"""
