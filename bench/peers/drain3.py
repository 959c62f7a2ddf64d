"""Templates of a mail log by Drain3 with the masks of its own example: DRAIN3_DIR=checkout drain3.py FILE LINES.

Needs Debian's python3-cachetools and python3-jsonpickle. Prints the number of clusters.
"""
import itertools
import os
import sys

checkout = os.environ["DRAIN3_DIR"]
sys.path.insert(0, checkout)
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig

config = TemplateMinerConfig()
config.load(os.path.join(checkout, "examples", "drain3.ini"))
config.profiling_enabled = False
miner = TemplateMiner(config=config)
with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    for line in itertools.islice(log, int(sys.argv[2])):
        # "Sep  7 00:05:10 host program[1]: text": what follows the program.
        parts = line[16:].rstrip("\n").split(" ", 2)
        miner.add_log_message(parts[-1])
print(len(miner.drain.clusters))
