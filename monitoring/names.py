"""Names that somebody said and nobody knows, as a refusal tells them."""

from collections.abc import Collection, Iterable

HANDFUL = 20  # of names; who reads so many knows what is wrong with the others
LONGEST = 100  # characters of a name


def unknown(said: Iterable[object], known: Collection[str], there: str, fault: str = "is unknown") -> dict:
    """What to say of each that there is not, by name: a handful, however many were said.

    there: what there is, a clause of its own. It is said once, with the first name, as is how many more there are.
    """
    strange = [name for name in said if name not in known]
    told = {str(name)[:LONGEST]: [fault] for name in strange[:HANDFUL]}
    more = f", and so are {len(strange) - HANDFUL:,} more" if len(strange) > HANDFUL else ""
    if strange:
        told[str(strange[0])[:LONGEST]] = [f"{fault}{more}; {there}"]
    return told
