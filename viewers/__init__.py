"""What people and programs see: pages, tiles, the API. Reads the store, writes to the inbox."""
