maintenance page:
  file.managed:
    - name: /srv/www/maintenance.html
    - contents: '<h1>Back soon</h1>'
    - makedirs: True

/etc/nginx/maintenance.on:
  file.managed:
    - contents: 'on'
    - prereq:
      - cmd: migrate the shop

migrate the shop:
  cmd.run:
    - name: /usr/local/bin/migrate-shop
    - unless: /usr/local/bin/migrate-shop --check
    - require:
      - file: maintenance page

end of maintenance:
  cmd.run:
    - name: rm -f /etc/nginx/maintenance.on
    - onlyif: test -e /etc/nginx/maintenance.on
    - require:
      - cmd: migrate the shop
