"""Numbers in, plotly figures and sentences out."""
