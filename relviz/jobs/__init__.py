"""Requests computed in the background: the broker, the engine and its workers, and answers that are kept."""
