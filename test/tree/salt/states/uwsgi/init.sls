uwsgi:
  pkg.installed:
    - pkgs:
      - uwsgi
      - uwsgi-plugin-python3
  service.running:
    - enable: True
    - require:
      - pkg: uwsgi
    - watch:
      - file: /etc/uwsgi/apps-available/*

/etc/uwsgi/apps-available/shop.ini:
  file.managed:
    - source: salt://uwsgi/files/shop.ini
    - require:
      - pkg: uwsgi

/etc/uwsgi/apps-available/blog.ini:
  file.managed:
    - source: salt://uwsgi/files/blog.ini
    - require:
      - pkg: uwsgi

/etc/uwsgi/apps-enabled/shop.ini:
  file.symlink:
    - target: ../apps-available/shop.ini
    - require:
      - file: /etc/uwsgi/apps-available/shop.ini
    - require_in:
      - service: uwsgi

/etc/uwsgi/apps-enabled/blog.ini:
  file.symlink:
    - target: ../apps-available/blog.ini
    - require:
      - file: /etc/uwsgi/apps-available/blog.ini
    - require_in:
      - service: uwsgi
