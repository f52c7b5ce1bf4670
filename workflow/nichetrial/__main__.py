"""``python -m nichetrial``, the same as the ``nichetrial`` command."""

from nichetrial.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    raise SystemExit(main())
