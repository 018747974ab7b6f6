include:
  - nginx

/etc/nginx/sites-available/shop:
  file.managed:
    - source: salt://nginx/files/shop
    - user: root
    - group: root
    - mode: 644
    - require:
      - pkg: nginx

/etc/nginx/sites-enabled/shop:
  file.symlink:
    - target: /etc/nginx/sites-available/shop
    - require:
      - file: /etc/nginx/sites-available/shop
    - watch_in:
      - service: nginx
