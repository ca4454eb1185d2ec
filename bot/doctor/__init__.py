"""What is wrong with a set-up, in plain words. Nothing is changed, nothing that a server needs is held.

finding    what a check says
setup      what several checks look at, read once
rounds     all checks, one after the other, whatever becomes of each
machine    versions, clock, disk, memory, open files
files      settings, bot folder, home, secret, left-overs
rows       the database
answers    live release, encoder, index, agreement of index and database, heads
models     generator, verifier, what they took
doors      widget, port
"""
