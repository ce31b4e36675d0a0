"""`python -m tests.laws.float32_on_device` prints what the pretended device makes of the float32 spaces, as JSON.

Of measures their values or reasons; of projections the largest error over what is allowed.
"""

from __future__ import annotations

import json

from relviz.core.measures import MEASURES
from relviz.core.projections import PROJECTIONS
from relviz.laws.float32_spaces import CASES, allowed, measured, projected
from tests.device.pretence import NAME, begin


def main() -> None:
    begin()
    measures, projections = {}, {}
    for space, make in CASES.items():
        case = make()
        a, b = case.a.to(NAME), case.b.to(NAME)
        for name in MEASURES:
            measures[f"{space}: {name}"] = measured(a, b, name)
        for name in PROJECTIONS:
            found = projected(a, name, centred=False).cpu().double()
            expected = projected(case.a.double(), name, centred=False)
            excess = (found - expected).abs() / allowed(expected, name).clamp_min(1e-300)
            projections[f"{space}: {name}"] = float(excess.max())
    print(json.dumps({"measures": measures, "projections": projections}))


if __name__ == "__main__":
    main()
