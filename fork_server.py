"""Runs one worker in the foreground, for debugging: `python fork_server.py 6001`."""

from siocluster.launcher import use_ready_interpreter

if __name__ == "__main__":
    use_ready_interpreter()
    from siocluster.worker.__main__ import main

    main()
