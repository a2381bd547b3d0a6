"""`python -m judgesmith` is the same as `judgesmith`."""

from judgesmith.cli import main

if __name__ == "__main__":
    main()
