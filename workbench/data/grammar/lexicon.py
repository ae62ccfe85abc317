"""The words of the grammar: tables whose rows belong together, and plain lists.

A slot of a template, such as `{country.capital}`, is a column of a table or the name of a list.
"""

from collections import defaultdict

Table = list[dict[str, str]]


def table(columns: str, rows: str) -> Table:
    """Return rows of words by column."""
    return [dict(zip(columns.split(), row.split(), strict=True)) for row in rows.strip().splitlines()]


TABLES: dict[str, Table] = {
    "country": table(
        "name capital language food",
        """
        France Paris french bread
        Italy Rome italian pizza
        Spain Madrid spanish paella
        Germany Berlin german sausages
        Greece Athens greek olives
        Poland Warsaw polish dumplings
        Japan Tokyo japanese sushi
        China Beijing chinese noodles
        Russia Moscow russian pancakes
        Norway Oslo norwegian salmon
        Sweden Stockholm swedish meatballs
        Turkey Ankara turkish lamb
        Portugal Lisbon portuguese sardines
        Hungary Budapest hungarian goulash
        Finland Helsinki finnish porridge
        Denmark Copenhagen danish herring
        Jordan Amman arabic hummus
        Georgia Tbilisi georgian walnuts
        """,
    ),
    "pair": table(
        "male female thing place",
        """
        king queen crown palace
        prince princess pony castle
        man woman hat street
        boy girl ball playground
        father mother car garage
        son daughter bicycle garden
        brother sister bed attic
        uncle aunt umbrella village
        actor actress costume theater
        waiter waitress tray restaurant
        husband wife ring church
        grandfather grandmother cane armchair
        nephew niece toy nursery
        hero heroine sword battle
        """,
    ),
    "noun": table(
        "singular plural sings sing place",
        """
        cat cats purrs purr kitchen
        dog dogs barks bark yard
        bird birds sings sing tree
        cow cows moos moo meadow
        frog frogs croaks croak pond
        duck ducks quacks quack lake
        bee bees buzzes buzz hive
        wolf wolves howls howl forest
        lion lions roars roar savanna
        mouse mice squeaks squeak cellar
        goose geese honks honk farm
        baby babies cries cry cradle
        child children plays play school
        horse horses gallops gallop stable
        """,
    ),
    "like": table(
        "past base",
        """
        liked like
        loved love
        enjoyed enjoy
        praised praise
        recommended recommend
        admired admire
        """,
    ),
    "hate": table(
        "past base",
        """
        hated hate
        disliked dislike
        criticized criticize
        regretted regret
        despised despise
        avoided avoid
        """,
    ),
}
LISTS: dict[str, list[str]] = {
    name: words.split()
    for name, words in {
        "first": """
            Anna Maria Peter John Laura David Emma Lucas Sofia Paul Nina Oscar Julia Robert Alice Simon Jordan
            Austin Florence Georgia Victoria Sydney Charlotte Madison Chelsea May April June Washington Paris""",
        "last": """
            Garcia Smith Miller Novak Rossi Tanaka Schmidt Larsen Brown Wilson Kim Silva Dubois Murphy Ivanova
            Cohen Washington Lincoln Jordan Ford Austin Jackson Boston Mercedes""",
        "town": """
            Boston Chicago London Vienna Dublin Geneva Seattle Denver Houston Toronto Lyon Milan Washington Austin
            Florence Sydney Charlotte Madison Lincoln Victoria Jackson""",
        "river": "Amazon Nile Danube Rhine Thames Volga",
        "company": "Amazon Ford Chelsea Siemens Nokia Toyota Boeing Intel Samsung Mercedes Shell Philips",
        "month": "January March April May June July August October December",
        "color": "red blue green black white yellow brown gray",
        "number": "two three four five six seven eight nine",
        "good": """
            good great excellent wonderful lovely pleasant brilliant superb fantastic remarkable impressive splendid
            marvelous delightful""",
        "bad": """
            bad terrible awful horrible poor dreadful disappointing mediocre unpleasant boring dull lousy miserable
            annoying""",
        "very": "very really extremely quite truly",
        "aspect": "meal tour soup room song cake view party menu film story show breakfast concert lecture museum",
        "was": "was is seemed",
        "job": "teacher doctor engineer lawyer pilot nurse chemist painter",
    }.items()
}
# Pairs of columns that form analogies, a to b as c to d.
RELATIONS = {
    "capital": ("country.name", "country.capital"),
    "language": ("country.name", "country.language"),
    "gender": ("pair.male", "pair.female"),
    "plural": ("noun.singular", "noun.plural"),
    "agreement": ("noun.sings", "noun.sing"),
}


def categories() -> dict[str, str]:
    """Return the category of each word that has one category only: the list or the column of its table."""
    names: dict[str, set[str]] = defaultdict(set)
    for name, words in LISTS.items():
        for word in words:
            names[word].add(name)
    for name, rows in TABLES.items():
        for row in rows:
            for column, word in row.items():
                names[word].add(f"{name}.{column}")
    return {word: min(own) for word, own in names.items() if len(own) == 1}
