"""The InfluxDB view: 1.x by ``/write``, 2.x and 3.x by the v2 client, refused lines kept."""
