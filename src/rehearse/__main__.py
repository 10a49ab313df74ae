"""``python -m rehearse``: the same program where the script is not on the path."""

from rehearse.cli import main

main()
