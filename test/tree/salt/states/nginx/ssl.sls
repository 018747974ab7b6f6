ssl-cert:
  pkg.installed

/etc/nginx/ssl:
  file.directory:
    - user: root
    - group: root
    - dir_mode: 700
    - makedirs: True

dhparam:
  cmd.run:
    - name: openssl dhparam -out /etc/nginx/ssl/dhparam.pem 2048
    - creates: /etc/nginx/ssl/dhparam.pem
    - require:
      - file: /etc/nginx/ssl

self signed certificate:
  cmd.run:
    - name: >
        openssl req -x509 -nodes -newkey rsa:2048 -days 365
        -subj /CN=shop.example.org
        -keyout /etc/nginx/ssl/shop.key -out /etc/nginx/ssl/shop.crt
    - creates:
      - /etc/nginx/ssl/shop.key
      - /etc/nginx/ssl/shop.crt
    - require:
      - file: /etc/nginx/ssl
      - pkg: ssl-cert

/etc/nginx/ssl/shop.key:
  file.managed:
    - mode: 600
    - replace: False
    - require:
      - cmd: self signed certificate
