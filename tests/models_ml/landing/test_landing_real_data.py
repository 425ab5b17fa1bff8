"""Real data lands and is taken in whole."""

from tests.models_ml.landing.landing_home import Home
from tests.real_data import land_lastfm_2k, land_playlist_archive, shared_data


def test_the_playlist_archive_lands_as_dated_listening(home: Home) -> None:
    land_playlist_archive(shared_data("playlist_archive"), home.landing)
    report = home.take_in()
    counts = {file.dataset: file.row_count for file in report.files}
    assert report.errors == ()
    assert counts["tracks"] == 63_454
    assert counts["playlist_tracks"] == 94_315
    assert counts["playlists"] == counts["users"] == 250
    events = home.rows("events/playlist_archive.parquet", "event_type", "occurred_at")
    added = [moment for kind, moment in events if kind == "playlist_add"]
    assert len(added) == counts["playlist_tracks"]
    assert (min(added), max(added)) == ("2019-05-25 00:00:00.000000", "2021-05-09 00:00:00.000000")


def test_lastfm_lands_as_totals_with_tags(home: Home) -> None:
    land_lastfm_2k(shared_data("lastfm_2k"), home.landing)
    counts = {file.dataset: file.row_count for file in home.take_in().files}
    assert counts["play_counts"] == 92_834
    assert counts["track_tags"] == 186_479
    assert counts["users"] == 1_892
    named = set(home.rows("tracks/lastfm_2k.parquet", "track_id"))
    counted = set(home.rows("play_counts/lastfm_2k.parquet", "track_id"))
    assert len(counted - named) == len(counted | named) - len(named)
    tagged = [moment for moment in home.rows("track_tags/lastfm_2k.parquet", "tagged_at") if moment]
    assert "2005-01-01" < min(tagged) < max(tagged) < "2012-01-01"
