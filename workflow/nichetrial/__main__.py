"""``python -m nichetrial``, the same as the ``nichetrial`` command."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # while Python imports, an interrupt ends it without a traceback; cli.main handles it later
    signal.signal(signal.SIGINT, signal.SIG_DFL)

__all__: list[str] = []

if __name__ == "__main__":
    import sys

    from nichetrial.launch.warm_client import hand_over

    code = hand_over(sys.argv[1:])
    if code is None:
        from nichetrial.cli import main

        code = main()
    raise SystemExit(code)
