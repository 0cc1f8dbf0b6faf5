# SPDX-License-Identifier: Apache-2.0
"""Rules of the dummy population: who is in it, and which numbers they carry."""

from __future__ import annotations

import tracemalloc
from collections import Counter, defaultdict
from datetime import date
from itertools import combinations, permutations

import pytest

from chukan.people import Household, Person, codes, generate
from chukan.people.serials import check_apart, cohort_block, resident_block
from chukan.people.town import tax_year
from chukan.standard.dates import parse_birth_date
from chukan.standard.numbers import is_dummy_individual_number, is_individual_number, is_local_address_number
from chukan.standard.reasons import ChukanError

SHINJUKU, SETAGAYA, CHIYODA, SAPPORO = "131041", "131121", "131016", "011002"
TODAY = date(2026, 6, 15)
NEW_YEAR = date(2026, 1, 1)


def people_of(households: list[Household]) -> list[Person]:
    return [person for household in households for person in household.members]


def draw(
    municipality: str = SHINJUKU, count: int = 600, seed: int = 7, linked: tuple[str, ...] = ()
) -> list[Household]:
    return list(generate(municipality=municipality, count=count, seed=seed, linked=linked, reference_date=TODAY))


@pytest.fixture(scope="module")
def households() -> list[Household]:
    return draw(count=3_000, linked=(SETAGAYA,))


@pytest.fixture(scope="module")
def people(households: list[Household]) -> list[Person]:
    return people_of(households)


def test_same_arguments_give_same_people_and_another_seed_gives_others() -> None:
    assert draw(seed=1) == draw(seed=1)
    assert draw(seed=1) != draw(seed=2)


@pytest.mark.parametrize("count", [1, 2, 11, 97, 600])
def test_population_has_exactly_the_records_asked_for(count: int) -> None:
    assert len(people_of(draw(count=count))) == count
    assert len(people_of(draw(count=count, linked=(SETAGAYA, CHIYODA)))) == count


@pytest.mark.parametrize("seed", [1, 20_260_615])
def test_three_thousand_people_contain_every_listed_case(seed: int) -> None:
    found = Counter[str]()
    for household in draw(count=3_000, seed=seed, linked=(SETAGAYA,)):
        for record in (*household.members, *household.non_residents):
            found.update(record.cases)

    assert set(found) == {*codes.CASES, *codes.COHORT_CASES}


def test_kanji_and_kana_belong_together(people: list[Person]) -> None:
    readings = defaultdict(set)
    for person in people:
        if person.kind == codes.JAPANESE:
            kanji, kana = person.name.split("\u3000"), person.kana.split("\u3000")
            assert len(kanji) == len(kana) == 2
            readings[kanji[0]].add(kana[0])

    assert {"サトウ"} == readings["佐藤"]
    assert all(len(found) == 1 for found in readings.values())


def test_every_household_has_one_head_and_one_home(households: list[Household]) -> None:
    members = defaultdict(list)
    for household in households:
        for person in household.members:
            if not person.superseded:
                members[person.household_number].append(person)
    for household_members in members.values():
        assert [person.relationship for person in household_members].count(codes.HEAD) == 1
        assert (
            len({(person.postal_code, person.residential_address, person.building) for person in household_members})
            == 1
        )


def test_parents_are_older_than_their_children(households: list[Household]) -> None:
    for household in households:
        head = household.members[0]
        for person in household.members:
            if person.relationship == codes.CHILD and "moved" not in "".join(person.cases):
                assert head.born.year + 14 < person.born.year
            if person.relationship == codes.MOTHER:
                assert person.born.year + 14 < head.born.year


def test_members_of_a_family_share_a_surname(households: list[Household]) -> None:
    for household in households:
        family = {
            person.surname
            for person in household.members
            if person.relationship != codes.LODGER and not person.superseded
        }
        assert len(family) == 1


def test_dates_of_a_record_follow_one_another(people: list[Person]) -> None:
    for person in people:
        assert person.born <= person.resident_since <= TODAY
        assert person.born <= person.settled_on <= TODAY
        assert person.resident_since <= person.settled_on or person.resident_reason == codes.NATURALISED
        assert person.resident_notified_on >= person.resident_since
        if person.closed_on:
            assert person.resident_since <= person.closed_on == person.moved_on <= TODAY
            assert person.state not in {codes.RESIDENT, codes.LEAVING}
            assert person.closed_reason
        else:
            assert person.state in {codes.RESIDENT, codes.LEAVING}


def test_individual_numbers_are_valid_dummies_and_name_one_person_each(people: list[Person]) -> None:
    holders = defaultdict(list)
    for person in people:
        if person.individual_number:
            assert is_individual_number(person.individual_number)
            assert is_dummy_individual_number(person.individual_number)
            holders[person.individual_number].append(person)
        else:
            assert "without_individual_number" in person.cases
    for records in holders.values():
        assert sum(not record.superseded for record in records) == 1


def test_individual_numbers_are_invalid_on_request() -> None:
    numbers = [
        person.individual_number
        for household in generate(
            municipality=SHINJUKU, count=200, seed=1, linked=(SETAGAYA,), reference_date=TODAY, valid_numbers=False
        )
        for person in (*household.members, *household.non_residents)
        if person.individual_number
    ]

    assert all(is_dummy_individual_number(number) and not is_individual_number(number) for number in numbers)


def test_resident_codes_are_dummies_and_differ_from_the_individual_numbers_digits(people: list[Person]) -> None:
    for person in people:
        assert len(person.resident_code) == 11
        assert person.resident_code.startswith("999")
        assert not person.individual_number.startswith(person.resident_code)
    assert len({person.resident_code for person in people if not person.superseded}) == sum(
        not person.superseded for person in people
    )


def test_local_address_numbers_are_unique_and_zero_filled(people: list[Person]) -> None:
    numbers = [person.local_address_number for person in people]

    assert all(is_local_address_number(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_part_unknown_birth_dates_are_written_with_zeros(people: list[Person]) -> None:
    unknown = [person for person in people if "birth_date_part_unknown" in person.cases]

    assert all(person.birth_date.endswith("00") for person in unknown)
    for person in people:
        parse_birth_date(person.birth_date)


def test_naturalised_people_have_a_new_number_that_names_the_old_one(people: list[Person]) -> None:
    records = {person.local_address_number: person for person in people}
    for person in people:
        if "naturalisation" in person.cases:
            old = records[person.former_local_address_number]
            assert (old.kind, person.kind) == (codes.FOREIGN, codes.JAPANESE)
            assert old.individual_number == person.individual_number
            assert old.birth_date == person.birth_date
            assert old.closed_on == person.resident_since
            assert old.superseded


def test_namesakes_share_name_and_birth_date_but_nothing_that_names_a_person(people: list[Person]) -> None:
    alike = defaultdict(list)
    for person in people:
        alike[person.name, person.birth_date].append(person)
    for person in people:
        if "same_name_same_birth_date" in person.cases:
            other = next(found for found in alike[person.name, person.birth_date] if found is not person)
            assert other.individual_number != person.individual_number
            assert other.residential_address != person.residential_address


def test_addresses_are_towns_of_the_municipality_in_both_styles(people: list[Person]) -> None:
    assert all(person.residential_address.startswith("東京都新宿区") for person in people)
    assert any("丁目" in person.residential_address and "番地" in person.residential_address for person in people)
    assert any("-" in person.residential_address for person in people)


def test_designated_city_takes_addresses_of_all_its_wards() -> None:
    addresses = {person.residential_address[:7] for person in people_of(draw(SAPPORO))}

    assert all(address.startswith("北海道札幌市") for address in addresses)
    assert len(addresses) > 3


@pytest.mark.parametrize("linked", [(SETAGAYA,), (CHIYODA, SETAGAYA)])
def test_linked_municipalities_hold_the_same_movers(linked: tuple[str, ...]) -> None:
    here = people_of(draw(count=1_500, linked=linked))
    there = people_of(draw(SETAGAYA, count=1_500, linked=(SHINJUKU,)))

    left = {key(person): person for person in here if "moved_to_linked" in person.cases}
    arrived = {key(person): person for person in there if person.linked_former == SHINJUKU[:5]}

    assert set(arrived) <= set(left)
    assert len(arrived) == 30
    for mover, new in arrived.items():
        old = left[mover]
        assert (old.state, old.closed_reason, old.closed_on) == (codes.LEFT, codes.MOVED_OUT, new.resident_since)
        assert (new.state, new.moved_from) == (codes.RESIDENT, "13104")
        assert old.local_address_number != new.local_address_number
        assert old.lived_here_on(NEW_YEAR)
        assert not new.lived_here_on(NEW_YEAR)


def key(person: Person) -> tuple[str, ...]:
    return (person.individual_number, person.resident_code, person.name, person.kana, person.birth_date, person.sex)


def test_nobody_else_shares_a_number_with_a_linked_municipality() -> None:
    here = draw(count=1_500, linked=(SETAGAYA,))
    there = draw(SETAGAYA, count=1_500, linked=(SHINJUKU,))
    numbers = [
        {
            person.individual_number
            for household in households
            for person in (*household.members, *household.non_residents)
            if person.individual_number
        }
        for households in (here, there)
    ]

    assert len(numbers[0] & numbers[1]) == 60


def test_wards_and_designated_cities_never_share_a_block_of_serials() -> None:
    wards = [f"131{ward:02d}" for ward in range(1, 24)]
    cities = ["01100", "04100", "11100", "12100", "14100", "14130", "14150", "15100", "22100", "22130"]
    cities += ["23100", "26100", "27100", "27140", "28100", "33100", "34100", "40100", "40130", "43100"]
    core = ["13104", "13112", "13101", "13103", "01100", "14100", "27100"]

    assert all(resident_block(a) != resident_block(b) for a, b in combinations(wards + cities, 2))
    assert len({cohort_block(a, b) for a, b in permutations(core, 2)}) == len(core) * (len(core) - 1)


def test_municipality_linked_to_itself_is_refused() -> None:
    with pytest.raises(ChukanError, match="PEOPLE_SERIALS_OVERLAP"):
        check_apart("13104", ["13104"], count=10)


@pytest.mark.parametrize("code", ["131040", "999997", "13104", ""])
def test_unknown_municipality_is_refused(code: str) -> None:
    with pytest.raises(ChukanError, match="PEOPLE_MUNICIPALITY_UNKNOWN"):
        draw(code)


@pytest.mark.parametrize(("day", "year"), [(date(2026, 5, 31), 2025), (date(2026, 6, 1), 2026)])
def test_new_tax_year_begins_in_june(day: date, year: int) -> None:
    assert tax_year(day) == year


@pytest.mark.parametrize("day", [date(2026, 1, 3), date(2024, 2, 29), date(2025, 12, 31)])
def test_any_reference_date_gives_movers_who_lived_in_the_former_municipality_on_new_year(day: date) -> None:
    for household in generate(municipality=SHINJUKU, count=400, seed=3, linked=(SETAGAYA,), reference_date=day):
        for person in household.members:
            assert person.resident_since <= day
            if "moved_to_linked" in person.cases:
                assert person.lived_here_on(date(tax_year(day), 1, 1))


def test_memory_does_not_grow_with_the_population() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in generate(municipality=SHINJUKU, count=count, seed=1, linked=(SETAGAYA,), reference_date=TODAY):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    draw(count=10)
    assert peak(6_000) < 1.3 * peak(600) + 100_000
