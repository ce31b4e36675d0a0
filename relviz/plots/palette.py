"""All colours, once: the themes in `.streamlit/config.toml` repeat them, and a test holds the two together."""

from __future__ import annotations

# Ten classes that stay apart for colour-blind readers and on light and dark ground (Petroff 2021, 2107.02270).
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
MODEL_A = "#2b7fd4"
MODEL_B = "#d1622b"
METHODS = {"absolute": "#94a4a2", "relative-cosine": "#832db6", "ortho": "#e0920c"}
ANOTHER_METHOD = "#1a9c8c"
SEQUENTIAL = "cividis"  # perceptually uniform, made for colour-blind readers
QUIET = "rgba(128,128,128,0.35)"  # frames and helper lines on any ground
