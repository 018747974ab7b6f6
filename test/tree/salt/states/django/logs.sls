app logs:
  file.directory:
    - names:
      - /var/log/shop
      - /var/log/blog:
        - group: staff
      - /var/log/wiki:
        - user: nobody
        - mode: 700
    - user: www-data
    - group: adm
    - mode: 750

/var/log/shop/django.log:
  file.managed:
    - user: www-data
    - group: adm
    - mode: 640
    - replace: False
    - require:
      - file: app logs
