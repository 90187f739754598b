"""The history of the tables; `python -m storage.migrations` brings a database up to date."""
