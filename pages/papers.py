"""Papers: the experiments of the four papers, our numbers beside the published ones."""

import pandas as pd
import streamlit as st

from relviz.experiments.registry import EXPERIMENTS, Experiment
from relviz.experiments.report import CERTAINTY, Claim, Report, Told, latest
from relviz.plots.experiments import drawn
from relviz.ui.layout import draw
from relviz.ui.messages import refuse

_WIDTHS = {"where": st.column_config.TextColumn(width="large")}


def sentence(found: dict[str, Told | None]) -> str:
    """How many claims hold, of how many experiments."""
    claims = [claim for told in found.values() if told and told.report for claim in told.report.claims]
    done = sum(told is not None and told.report is not None for told in found.values())
    held = sum(claim.holds for claim in claims)
    return (
        f"**{held} of {len(claims)}** claims hold here, checked by {done} of {len(found)} experiments. "
        "Published numbers stand beside ours where their source is known."
    )


def overview(found: dict[str, Told | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "experiment": EXPERIMENTS[name].title,
            "paper": EXPERIMENTS[name].paper,
            "claims that hold": _held(told),
            "date": told.date if told else "–",
            "seconds": told.seconds if told else None,
        }
        for name, told in found.items()
    )


def _held(told: Told | None) -> str:
    if told is None or told.report is None:
        return "not done"
    return f"{sum(claim.holds for claim in told.report.claims)} of {len(told.report.claims)}"


def details(experiment: Experiment, told: Told | None) -> None:
    st.markdown(f"**{experiment.title}** (arXiv {experiment.paper}). {experiment.shows}")
    if told is None or told.report is None:
        why = told.missing if told else "There is no report yet."
        st.info(f"{why} Run `relviz reproduce {experiment.name}`. It needs: {experiment.needs}.")
        return
    report = told.report
    st.markdown("\n".join(map(_claim, report.claims)))
    if report.figure is not None:
        draw(drawn(report.figure), key="figure", alt=f"Figure of the experiment {experiment.title}")
    st.dataframe(table(report), hide_index=True, key="rows", placeholder="–", column_config=_WIDTHS)
    st.markdown("Data: " + "; ".join(report.data) + ".")
    with st.expander("What was different from the paper"):
        st.markdown("\n".join(f"- {difference}" for difference in report.differences))
        if any(each.certainty for each in report.rows):
            st.markdown("How certain: " + "; ".join(f"{key}: {words}" for key, words in CERTAINTY.items()) + ".")
    size = "tiny sizes, to try the recipe only; " if told.quick else ""
    st.caption(f"{size}{told.command}, {told.date}, {told.seconds:.0f} s on {told.machine}")


def _claim(claim: Claim) -> str:
    return f"- **{'Holds' if claim.holds else 'Does not hold'}:** {claim.sentence} ({claim.numbers})"


def table(report: Report) -> pd.DataFrame:
    """Rows with a published number first, then the others in their order; its columns only where there is one."""
    beside = any(each.published is not None for each in report.rows)
    columns = ("where", "what", "ours", *(("published", "difference", "certainty") if beside else ()))
    rows = sorted(report.rows, key=lambda each: each.published is None)
    return pd.DataFrame({name: getattr(each, name) for name in columns} for each in rows)


with refuse():
    found = {name: latest(name) for name in EXPERIMENTS}
    st.markdown(sentence(found))
    name = st.selectbox(
        "Experiment",
        list(EXPERIMENTS),
        key="experiment",
        bind="query-params",
    )
    details(EXPERIMENTS[name], found[name])
    with st.expander("All experiments"):
        st.dataframe(overview(found), hide_index=True, key="all")
        st.markdown("Run them again with `relviz reproduce all`; this page then shows your own reports.")
