"""Person or animal, from height and weight: 300 of each. Synthetic: no one was measured.

Made here, always the same, from plausible distributions. A person's height is normal, by sex; the weight follows from
a body mass index (kg/m2) that is log-normal around 25. An animal is of one of the species below: its height as it
stands is normal, and its weight grows with the height to the power 2.5 around what is usual for the species, give or
take a fifth. Some stand as tall and weigh as much as a person (kangaroo, ostrich, chimpanzee), so that no border is
without error; and persons lie in the midst, so that no straight border is a good one. Licence: as this program, MIT.
"""

import numpy as np

SET = dict(
    title="person or animal, from height and weight",
    row="one person or one animal, as it stands",
    samples=600,
    features=("height (cm)", "weight (kg)"),
    classes=("person", "animal"),
    target="kind",
    source="made by code: persons by sex and body mass index, animals by species",
    licence="MIT",
    synthetic=True,
)
PERSONS = {"woman": (163, 7), "man": (176, 7.5)}  # height in cm: mean, deviation
BODY_MASS_INDEX, ITS_SPREAD = 25, 0.16  # median, deviation of its logarithm
ANIMALS = {  # height in cm: mean, deviation; usual weight in kg
    "cat": (25, 2, 4.5),
    "dog": (58, 7, 28),
    "sheep": (72, 5, 70),
    "goat": (75, 6, 60),
    "pig": (85, 6, 180),
    "red deer": (115, 8, 160),
    "chimpanzee": (130, 10, 48),
    "pony": (125, 7, 250),
    "kangaroo": (150, 12, 60),
    "horse": (160, 7, 500),
    "ostrich": (220, 15, 110),
    "llama": (172, 6, 150),
}
EACH, GROWTH, VARIETY = 300, 2.5, 0.2


def load() -> tuple[np.ndarray, np.ndarray]:
    """Height in cm and weight in kg (600, 2); kinds (600,): 0 a person, 1 an animal."""
    rng = np.random.default_rng(0)
    mean, deviation = np.array(list(PERSONS.values()))[rng.integers(len(PERSONS), size=EACH)].T
    height = rng.normal(mean, deviation)
    weight = BODY_MASS_INDEX * rng.lognormal(0, ITS_SPREAD, EACH) * (height / 100) ** 2
    persons = np.column_stack([height, weight])

    mean, deviation, usual = np.array(list(ANIMALS.values()))[rng.integers(len(ANIMALS), size=EACH)].T
    height = rng.normal(mean, deviation)
    weight = usual * (height / mean) ** GROWTH * rng.lognormal(0, VARIETY, EACH)
    animals = np.column_stack([height, weight])

    return np.concatenate([persons, animals]).round(1), np.repeat([0, 1], EACH)
