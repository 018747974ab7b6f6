redis-server:
  pkg.installed: []
  service.running:
    - enable: True
    - watch:
      - file: /etc/redis/redis.conf

/etc/redis/redis.conf:
  file.managed:
    - source: salt://redis/files/redis.conf
    - user: redis
    - group: redis
    - mode: 640
    - require:
      - pkg: redis-server

vm.overcommit_memory:
  sysctl.present:
    - value: 1
    - require_in:
      - service: redis-server
