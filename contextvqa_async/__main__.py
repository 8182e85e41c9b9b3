"""``python -m contextvqa_async`` is ``cvqa-async``."""

from contextvqa_async.cli import main

if __name__ == "__main__":
    main()
