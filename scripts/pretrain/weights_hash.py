"""What a model is known by: the hash that src/formats/weights-hash.ts computes of the tensors, whatever the file."""

import hashlib
import json


def weights_hash(path):
    """Of a safetensors file whose tensors are all float32, as safetensors_file.save writes it."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    lines = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", f"{path}: {name} is {entry['dtype']}, not F32"
        begin, end = entry["data_offsets"]
        values = hashlib.sha256(data[start + begin : start + end]).hexdigest()
        lines.append(f"{name} {','.join(map(str, entry['shape']))} {values}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
