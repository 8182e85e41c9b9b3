"""Programs that do the work in other ways, each as lean as its library allows: none retries or checks, one refines.

python -m benchmark.contenders.NAME RECORDS OUT BASE_URL CONCURRENCY
"""
