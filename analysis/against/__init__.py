"""One symbol beside another that its indicators are measured against.

compared        which others some names mean, and their closes beside the bars of one
closes          at each bar that which was over by then (pure)
"""
