from apps.common.ids import uuid7


def test_ids_are_in_the_order_they_were_made_in_also_within_a_millisecond() -> None:
    def pause() -> None:  # longer than the 244 ns that an id can tell
        sum(range(50))

    made = []
    for _ in range(2000):
        made.append(uuid7())
        pause()
    assert made == sorted(made)
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}
    assert len({one.int & (1 << 62) - 1 for one in made}) == len(made)
