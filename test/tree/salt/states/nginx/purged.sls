stop nginx:
  service.dead:
    - name: nginx
    - enable: False

nginx-full:
  pkg.removed:
    - names:
      - nginx-full
      - nginx-common
    - require:
      - service: stop nginx

/etc/nginx:
  file.absent:
    - require:
      - pkg: nginx-full

/var/www/html: file.absent
