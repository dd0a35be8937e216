"""Live indicators of many symbols at once.

group        those of many series, from quote to quote or from bar to bar; what breaks in one costs no other
table        the state of some indicators, a row for each symbol (pure)
twins        what moves a node: recursions, formulas, 0/0 (pure)
recursions   functions of TA-Lib, to the bit (pure)
slots        what a recursion remembers, and arithmetic for one symbol and for many (pure)
"""
