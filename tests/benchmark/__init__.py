"""How much CPU, time and memory one record costs, beside what others pay: `make bench`, or `python -m benchmark`.

    data ──► measure(contender, pinned) ⇄ server (pinned) ──► rows checked ──► table

Each contender is a whole process that reads one records file, sends every image in base64, collects the answers and
writes rows. Rule: what is compared ran in turn, in one run, on one machine; only the ratios are worth telling.
"""
