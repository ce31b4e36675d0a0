"""All colours, once: the themes in `.streamlit/config.toml` repeat them, and a test holds the two together."""

from __future__ import annotations

# Ten classes that stay apart for colour-blind readers and on light and dark ground (Petroff 2021, 2107.02270).
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
MODEL_A = "#2b7fd4"
MODEL_B = "#d1622b"
FAMILIES = {  # of stitching methods
    "absolute": "#94a4a2",
    "relative": "#832db6",
    "product": "#1a9c8c",
    "translation": "#e0920c",
    "inverse": "#3f90da",
    "control": "#bd1f01",
}
SEQUENTIAL = "cividis"  # perceptually uniform, made for colour-blind readers
QUIET = "rgba(128,128,128,0.35)"  # frames and helper lines on any ground
