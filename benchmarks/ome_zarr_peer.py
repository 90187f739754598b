"""ome-zarr-py writes a crop as a pyramid; runs in its own environment, knows nothing of ours.

`python ome_zarr_peer.py CROP.npy OUT`, the crop as uint8 [channel, row, column].
"""

import sys

import numpy as np
from ome_zarr.writer import write_image

write_image(
    np.load(sys.argv[1]), sys.argv[2], axes="cyx", storage_options={"chunks": (3, 256, 256)}
)
