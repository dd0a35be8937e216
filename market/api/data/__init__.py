"""What is held, and what is doubtful of it, over HTTP.

coverage        what is held of each symbol and interval
gaps            which sessions a symbol lacks
quarantine      bars that are held back, and their release
disputes        actions that a source itself contradicts, and what is decided of them
adding          symbols that people add
"""
