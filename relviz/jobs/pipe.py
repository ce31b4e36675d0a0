"""Messages between a server and the workers it started: tuples whose first item names their kind.

They are pickled. Both ends are one program and trust each other; nothing that came from a file or a network is read
this way. Tensors travel as arrays: torch's own way shares memory, for which both ends would have to be
multiprocessing's.
"""

from __future__ import annotations

import io
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeAlias

import torch
from torch import Tensor

Message: TypeAlias = tuple[Any, ...]


class _Pickler(ForkingPickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.dispatch_table[Tensor] = _as_array


def send(connection: Connection, message: Message) -> None:
    """Write one message; what `connection.recv()` gives at the other end.

    Raises
    ------
    OSError: the other end is gone.
    """
    buffer = io.BytesIO()
    _Pickler(buffer).dump(message)
    connection.send_bytes(buffer.getbuffer())


def _as_array(tensor: Tensor) -> tuple[Any, ...]:
    return torch.from_numpy, (tensor.detach().cpu().contiguous().numpy(),)
