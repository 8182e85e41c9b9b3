"""Programs that do the line's work in other ways, each as lean as its library allows: none retries, checks or refines.

python -m benchmark.contenders.NAME RECORDS OUT BASE_URL CONCURRENCY
"""
