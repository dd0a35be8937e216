"""What the doctor says of what came in."""

from finstage import diagnosis
from monitoring import refusals


def test_doctor_names_what_was_refused_and_the_last_of_it():
    assert diagnosis.refused() == "nothing"
    refusals.note("quotes", "AAPL", "a volume of 1e19")
    refusals.note("bars", "IBM", "it lies in the future", times=2)
    told = diagnosis.refused()
    assert told.startswith("2 bars, 1 quotes; last IBM at 20")
    assert told.endswith("it lies in the future")
