"""Coming in and going out, as a browser does it."""

from tests.console.served import Served


def test_one_comes_in_and_goes_out(console: Served) -> None:
    client = console.client("officer")
    assert client.get("/").status_code == 200
    assert "王敏" in client.get("/").text
    gone = client.post("/logout")
    assert (gone.status_code, gone.headers["location"]) == (303, "/login")
    assert client.get("/").status_code == 303
