"""Published apportionments, to the seat; sources in published/README.md."""

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.fairness import by_size

PUBLISHED = Path(__file__).parents[1] / "published"


def table(name):
    return pd.read_csv(PUBLISHED / name, encoding="utf-8", index_col="state", keep_default_na=False)


HOUSE = table("us_house.csv")
METHODS = {1790: "jefferson", 1830: "jefferson", 1890: "hamilton", 1910: "webster"} | dict.fromkeys(
    (1940, 1950, 1960, 1970, 1980, 1990, 2000, 2010, 2020), "huntington-hill"
)


@pytest.mark.parametrize(("census", "method"), METHODS.items())
def test_the_us_house_comes_out_to_the_seat(census, method):
    states = HOUSE[HOUSE["census"] == census]
    places = za.apportion(states["population"], int(states["seats"].sum()), method, floor=1)
    assert places.to_dict() == states["seats"].to_dict()


def test_every_published_census_is_tested():
    assert sorted(METHODS) == sorted(HOUSE["census"].unique())  # no 1920: Congress passed no apportionment


def read(column):
    """What the sources let us read of a column of seats; blanks are left out."""
    return column[column != ""].astype(int)


def federal(states):
    """The constitution's numbers: all persons, but three fifths of the slaves."""
    return states["population"] - states["slave"] * Fraction(2, 5)


def test_1840_a_ratio_of_70680_and_a_seat_for_a_fraction_above_half_of_it():
    states = table("us_house_1840.csv")
    numbers = federal(states)
    rounded = (numbers / 70_680).map(round)
    assert rounded.sum() == 223
    assert za.apportion(numbers, 223, "webster", floor=1).to_dict() == rounded.to_dict()
    assert differences(read(states["seats"]), rounded) == {}


def differences(statute, places):
    """Seats that a statute gives beyond a method's, where it is known and differs."""
    return (statute - places[statute.index])[lambda d: d != 0].to_dict()


def test_1850_the_statute_added_a_seat_for_california():
    states = table("us_house_1850.csv")
    assert states["slave"].sum() == 3_204_313 - 3_687 - 26  # but the District of Columbia and Utah
    places = za.apportion(federal(states), 233, "hamilton", floor=1)
    assert differences(states["statute"], places) == {"California": 1}


@pytest.mark.parametrize("method", ["hamilton", "webster"])
def test_1870_the_house_of_283_was_chosen_where_hamilton_and_webster_agree(method):
    states = table("us_house_1870.csv")
    places = za.apportion(states["population"], 283, method, floor=1)
    assert differences(read(states["february"]), places) == {}


def test_1870_nine_seats_more_made_a_house_that_neither_method_gives():
    states = table("us_house_1870.csv")
    small, large = (za.apportion(states["population"], seats, "hamilton", floor=1) for seats in (283, 292))
    statute = read(states["statute"])
    assert small.drop(statute.index).sum() == 292 - statute.sum()
    added = ("Alabama", "Florida", "Indiana", "Louisiana", "New Hampshire", "New York", "Pennsylvania", "Tennessee")
    assert differences(statute, small) == dict.fromkeys((*added, "Vermont"), 1)
    # With 292 seats at once Hamilton's method and Webster's give New York 34 and Illinois 20.
    assert differences(statute, large) == {"Florida": 1, "Illinois": -1, "New Hampshire": 1, "New York": -1}
    assert za.apportion(states["population"], 292, "webster", floor=1).to_dict() == large.to_dict()


def test_1890_the_house_of_356_was_chosen_where_hamilton_and_webster_agree():
    states = HOUSE[HOUSE["census"] == 1890]
    assert za.apportion(states["population"], 356, "webster", floor=1).to_dict() == states["seats"].to_dict()


def test_1860_the_statute_added_eight_seats_to_the_method():
    states = table("us_house_1860.csv")
    federal = states["free"] + states["slave"] * Fraction(3, 5)
    places = za.apportion(federal, 233, "hamilton", floor=1)
    assert places.to_dict() == states["method"].to_dict()
    assert differences(states["statute"], places) == dict.fromkeys(
        ("Illinois", "Iowa", "Kentucky", "Minnesota", "Ohio", "Pennsylvania", "Rhode Island", "Vermont"), 1
    )


@pytest.mark.parametrize("seats", [299, 300])
def test_1880_alabama_paradox(seats):
    states = table("us_house_1880.csv")
    places = za.apportion(states["population"], seats, "hamilton", floor=1)
    assert places.to_dict() == states[f"hamilton_{seats}"].to_dict()


@pytest.mark.parametrize("method", ["hamilton", "webster"])
def test_1880_the_house_of_325_was_chosen_where_hamilton_and_webster_agree(method):
    states = table("us_house_1880.csv")
    assert za.apportion(states["population"], 325, method, floor=1).to_dict() == states["act_325"].to_dict()


def test_1907_new_states_paradox():
    states = table("us_house_1900.csv")
    old = states.drop("OK")
    before = za.apportion(old["population"], 386, "hamilton", floor=1)
    after = za.apportion(states["population"], 391, "hamilton", floor=1)
    assert before.to_dict() == old["hamilton_386"].astype(int).to_dict()
    assert after.to_dict() == states["hamilton_391"].to_dict()
    assert (after.drop("OK") - before)[lambda d: d != 0].to_dict() == {"NY": -1, "ME": 1}


# Balinski & Young's example of five states and 26 seats, on which the five historical methods part.
EXAMPLE = pd.Series([9061, 7179, 5259, 3319, 1182], index=list("ABCDE"))


@pytest.mark.parametrize(
    ("method", "seats"),
    [
        ("adams", [9, 7, 5, 3, 2]), ("dean", [9, 7, 5, 4, 1]), ("huntington-hill", [9, 7, 6, 3, 1]),
        ("webster", [9, 8, 5, 3, 1]), ("jefferson", [10, 7, 5, 3, 1]), ("hamilton", [9, 7, 5, 4, 1]),
    ],
)  # fmt: skip
def test_five_methods_give_five_answers(method, seats):
    assert za.apportion(EXAMPLE, 26, method).tolist() == seats


# Balinski & Young (1975), The quota method of apportionment; as in the tests of PyPI apportionment.
@pytest.mark.parametrize(
    ("method", "seats"),
    [
        ("balinski-young", [52, 44, 2, 1, 1]), ("hamilton", [51, 44, 2, 2, 1]), ("jefferson", [52, 45, 1, 1, 1]),
        ("webster", [51, 43, 2, 2, 2]), ("huntington-hill", [51, 43, 2, 2, 2]), ("adams", [51, 43, 2, 2, 2]),
        ("dean", [51, 43, 2, 2, 2]),
    ],
)  # fmt: skip
def test_the_quota_method_stays_within_quota_where_jefferson_does_not(method, seats):
    assert za.apportion([5117, 4400, 162, 161, 160], 100, method).tolist() == seats


# Examples of the tests of PyPI interregnum.
@pytest.mark.parametrize(
    ("method", "seats"),
    [("danish", [3, 3, 1, 1]), ("imperiali", [5, 3, 0, 0]), ("modified-webster", [4, 3, 1, 0])],
)
def test_electoral_divisors(method, seats):
    votes = [100000, 80000, 30000, 20000]
    assert za.apportion(votes, 8, method, ties=range(4)).tolist() == seats
    # The example does not say it, but 100000/7 = 20000/1.4.
    assert za.apportion_ties(votes, 8, method).tied == ((0, 3) if method == "modified-webster" else ())


# Electowiki, “Largest remainder method”.
@pytest.mark.parametrize(("method", "seats"), [("hamilton", [5, 2, 1, 1, 1, 0]), ("droop", [5, 2, 2, 1, 0, 0])])
def test_electoral_quotas(method, seats):
    assert za.apportion([47000, 16000, 15800, 12000, 6100, 3100], 10, method).tolist() == seats


# J. P. Curley, apportR, vignette.
def test_population_paradox_of_hamilton():
    assert za.apportion([150, 78, 173, 204, 295], 50, "hamilton").tolist() == [8, 4, 10, 11, 17]
    assert za.apportion([150, 78, 181, 204, 296], 50, "hamilton").tolist() == [8, 5, 10, 11, 16]


def test_zurich_2006():
    votes = pd.read_csv(PUBLISHED / "zurich_2006.csv", encoding="utf-8")
    wide = votes.pivot(index="party", columns="district", values="votes")
    seats = votes.pivot(index="party", columns="district", values="seats")
    answer = za.biproportional(wide, seats.sum(axis=1), seats.sum(axis=0))
    pd.testing.assert_frame_equal(answer.places, seats)
    assert answer.tied == ()


# Wikipedia, “Biproportional apportionment”: three parties, three regions, 20 seats.
def test_textbook_biproportional():
    votes = pd.DataFrame([[123, 45, 815], [912, 714, 414], [312, 255, 215]], list("ABC"), ["I", "II", "III"])
    answer = za.biproportional(votes, pd.Series([5, 11, 4], list("ABC")), pd.Series([7, 5, 8], ["I", "II", "III"]))
    assert answer.places.to_numpy().tolist() == [[1, 0, 4], [4, 4, 3], [2, 1, 1]]


def test_the_spanish_congress_comes_out_to_the_seat():
    """Organic Law 5/1985, article 162: two seats a province, one each for Ceuta and Melilla, 248 by largest remainders."""
    spain = pd.read_csv(PUBLISHED / "spain_2019.csv", encoding="utf-8", index_col="province")
    provinces = spain["population"].where(spain["base"] == 2, 0)
    places = za.apportion(provinces, 350, "hamilton", base=spain["base"])
    assert places.to_dict() == spain["seats"].to_dict()
    single = spain["base"].where(spain["base"] == 1, 350)  # or the two cities with all others, capped at their one seat
    capped = za.apportion(
        spain["population"], 350, "hamilton", cap=single, base=spain["base"], redistribution="proportion"
    )
    assert capped.to_dict() == spain["seats"].to_dict()


def test_the_bias_between_large_and_small_states_is_what_the_literature_says():
    """Balinski & Young 1982, chapter 9: on US censuses adams favours small states, jefferson large ones, webster neither."""
    found = {method: [] for method in ("adams", "huntington-hill", "webster", "jefferson")}
    for _, states in HOUSE.groupby("census"):
        due = states["population"] * states["seats"].sum() / states["population"].sum()
        for method, biases in found.items():
            rate = by_size(due, za.apportion(states["population"], int(states["seats"].sum()), method))
            biases.append(100 * (rate.loc["small", "per_entitlement"] / rate.loc["large", "per_entitlement"] - 1))
    mean = {method: sum(biases) / len(biases) for method, biases in found.items()}
    assert mean["adams"] > 10 > mean["huntington-hill"] > mean["webster"] > -2
    assert abs(mean["webster"]) < 2
    assert mean["jefferson"] < -10


def test_sizes_by_hand():
    due = pd.Series([6.0, 3.0, 2.0, 1.0, 0.6, 0.4], list("ABCDEF"))  # F, of less than half a place, is left out
    table = by_size(due, pd.Series([5, 3, 2, 1, 1, 1], due.index))
    assert table["units"].tolist() == [1, 3, 1]
    assert table["entitlement"].tolist() == [6.0, 6.0, 0.6]
    assert table["quota"].tolist() == [5, 6, 1]
