import pytest


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch, session_cache):
    """Keep what tests compile out of the user's cache."""
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(session_cache))
    return session_cache
