"""Runs the cluster from a checkout: `python cluster.py` is the same as `siocluster`."""

from siocluster.launcher import use_ready_interpreter

if __name__ == "__main__":
    use_ready_interpreter()
    from siocluster.cli import main

    main()
