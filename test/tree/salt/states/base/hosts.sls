database host:
  host.present:
    - ip: 10.0.0.5
    - names:
      - db1
      - db1.internal

old-database:
  host.absent:
    - ip: 10.0.0.4
