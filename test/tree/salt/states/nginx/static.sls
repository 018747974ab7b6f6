/srv/www:
  file.directory:
    - user: www-data
    - group: www-data
    - mode: 755
    - makedirs: True

/srv/www/static:
  file.recurse:
    - source: salt://nginx/files/static
    - user: www-data
    - group: www-data
    - dir_mode: 755
    - file_mode: 644
    - clean: True
    - require:
      - file: /srv/www

/srv/www/robots.txt:
  file.managed:
    - contents:
      - 'User-agent: *'
      - 'Disallow: /admin'
    - user: www-data
    - require:
      - file: /srv/www

/srv/www/current:
  file.symlink:
    - target: /srv/www/static
    - force: True
    - require:
      - file: /srv/www/static
