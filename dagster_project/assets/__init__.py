"""Assets, one file per stage of the road: landing, warehouse (dbt), vectors, playlists, published."""
