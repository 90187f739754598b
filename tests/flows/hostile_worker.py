"""The model's process without a model: closes the box, then runs the code it is handed."""

import json
import struct
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from flows.model_box import enter

if __name__ == "__main__":
    line = json.dumps({"held": enter(int(sys.argv[1]), int(sys.argv[2]))}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(line)) + line)
    sys.stdout.buffer.flush()
    size = struct.unpack(">I", sys.stdin.buffer.read(4))[0]
    code = sys.stdin.buffer.read(json.loads(sys.stdin.buffer.read(size))["bytes"])
    try:
        exec(code, {})
    except MemoryError:
        line = b'{"error": "MemoryError"}'
        sys.stdout.buffer.write(struct.pack(">I", len(line)) + line)
