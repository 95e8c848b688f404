"""The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes."""

import json

import numpy as np
import torch


def save(path, tensors):
    """tensors: {name: tensor}, written as little-endian float32 in sorted order, the data aligned to 8 bytes."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        size = tensors[name].numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            file.write(np.ascontiguousarray(tensors[name].detach().cpu().float().numpy(), dtype="<f4").tobytes())


def load(path):
    """{name: float32 tensor} of a file that `save` wrote."""
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype="<f4")
        tensors[name] = torch.from_numpy(values.copy()).view(entry["shape"])
    return tensors
