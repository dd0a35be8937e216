"""What operators see of the sockets of all web processes, and do with them.

processes       what each process tells of itself every few seconds, and the sum of those that live
measuring       a process's own figures, from its clients
asking          a question to all processes, and their answers within a second
commands        what a process does when it is asked
rows            its clients as rows, a page at a time
answering       a process's part in all of this, for as long as it lives
broadcasts      what staff say to many at once
"""
