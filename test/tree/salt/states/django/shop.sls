shop:
  group.present: []
  user.present:
    - home: /srv/shop
    - gid: shop
    - shell: /bin/bash
    - require:
      - group: shop

/srv/shop/code:
  git.latest:
    - name: https://git.example.org/shop.git
    - target: /srv/shop/code
    - rev: main
    - user: shop
    - force_reset: True
    - require:
      - user: shop

/srv/shop/env:
  virtualenv.managed:
    - requirements: /srv/shop/code/requirements.txt
    - user: shop
    - python: python3
    - require:
      - git: /srv/shop/code

/srv/shop/code/shop/local_settings.py:
  file.managed:
    - source: salt://django/files/local_settings.py
    - user: shop
    - group: shop
    - mode: 640
    - require:
      - git: /srv/shop/code

migrate shop:
  cmd.run:
    - name: /srv/shop/env/bin/python manage.py migrate --noinput
    - cwd: /srv/shop/code
    - runas: shop
    - onchanges:
      - git: /srv/shop/code
    - require:
      - virtualenv: /srv/shop/env
      - file: /srv/shop/code/shop/local_settings.py

collect static of shop:
  cmd.run:
    - name: /srv/shop/env/bin/python manage.py collectstatic --noinput
    - cwd: /srv/shop/code
    - runas: shop
    - env:
      - DJANGO_SETTINGS_MODULE: shop.settings
    - onchanges:
      - git: /srv/shop/code
    - require:
      - cmd: migrate shop

shop service:
  service.running:
    - name: shop
    - enable: True
    - watch:
      - git: /srv/shop/code
      - virtualenv: /srv/shop/env
      - file: /srv/shop/code/shop/local_settings.py
    - require:
      - cmd: collect static of shop
