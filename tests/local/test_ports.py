"""Which port a service gets."""

import socket
from pathlib import Path

import pytest

from portal.local import ports


def test_a_service_keeps_its_port(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    wanted, other = ports.several_free(2)
    assert ports.kept(memory, "postgres", wanted) == wanted
    assert ports.kept(memory, "postgres", other) == wanted


def test_a_busy_port_gives_way_to_a_free_one_which_is_then_kept(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        chosen = ports.kept(memory, "valkey", port)
        assert chosen != port
    assert ports.kept(memory, "valkey", port) == chosen


@pytest.mark.parametrize("wrong", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PORT", wrong)
    with pytest.raises(SystemExit, match="is not a port number"):
        ports.chosen("PORT")
