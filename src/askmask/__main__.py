"""`python -m askmask` is the `askmask` command."""

from askmask.cli.main import main

if __name__ == "__main__":
    main()
