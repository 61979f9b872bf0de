"""How Airflow sees a sync: thin adapters around `tracker_sync`."""
