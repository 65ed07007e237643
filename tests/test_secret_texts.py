"""Secrets are taken out of texts whole, whoever adds them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from layerguard.secret_texts import SecretTexts, without_tokens


def test_the_longest_secret_goes_first_and_what_is_no_key_stays() -> None:
    hide = SecretTexts()
    hide.add(["a-secret", "a-secret-that-is-longer\n", "short", "", None])
    assert hide("a-secret, a-secret-that-is-longer, short") == "***, ***, short"


def test_no_secret_is_lost_that_many_threads_add_at_a_time() -> None:
    hide = SecretTexts()
    secrets = [f"secret-{number:05}" for number in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: hide.add([each]), secrets))
    assert set(hide(" ".join(secrets)).split()) == {"***"}


def test_what_its_form_gives_away_is_taken_out() -> None:
    token = f"eyJ{'a' * 20}.{'b' * 20}.c-d_e"
    text = f"https://user:password@proxy:3128/ and {token} and eyJ"
    assert without_tokens(text) == "https://proxy:3128/ and *** and eyJ"
