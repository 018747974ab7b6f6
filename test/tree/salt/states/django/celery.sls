/etc/default/celeryd:
  file.managed:
    - contents: |
        CELERYD_NODES="w1"
        CELERYD_USER="shop"
    - mode: 640

/etc/systemd/system/celery.service:
  file.managed:
    - source: salt://django/files/celery.service
    - require:
      - file: /etc/default/celeryd

/var/run/celery:
  file.directory:
    - user: shop
    - group: shop
    - makedirs: True

celery:
  service.running:
    - enable: True
    - init_delay: 2
    - watch:
      - file: /etc/default/celeryd
      - file: /etc/systemd/system/celery.service
    - require:
      - /var/run/celery
