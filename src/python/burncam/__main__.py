"""`python -m burncam`: the program."""

import subprocess
import sys

from ._program import Error, program

try:
    sys.exit(subprocess.run([program(), *sys.argv[1:]], check=False).returncode)
except Error as error:
    sys.exit(f"burncam: {error}")
