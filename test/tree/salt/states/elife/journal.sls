# After the style of a publisher's tree: one checkout, one configuration, many commands.
install journal:
  git.latest:
    - name: https://git.example.org/journal.git
    - rev: main
    - branch: main
    - target: /srv/journal
    - force_fetch: True
    - force_checkout: True
    - force_reset: True
  file.directory:
    - name: /srv/journal
    - user: elife
    - group: elife
    - recurse:
      - user
      - group
    - require:
      - git: install journal

journal configuration:
  file.managed:
    - name: /srv/journal/app/config/parameters.yml
    - source: salt://elife/files/parameters.yml
    - user: elife
    - group: elife
    - require:
      - install journal

composer install:
  cmd.run:
    - name: composer --no-interaction install --classmap-authoritative --no-dev
    - cwd: /srv/journal
    - runas: elife
    - env:
      - SYMFONY_ENV: prod
    - require:
      - file: journal configuration

journal cache:
  cmd.run:
    - name: bin/console cache:clear --env=prod
    - cwd: /srv/journal
    - runas: elife
    - require:
      - cmd: composer install

journal vhost:
  file.managed:
    - name: /etc/nginx/sites-enabled/journal.conf
    - source: salt://elife/files/journal-nginx.conf
    - require:
      - cmd: journal cache
    - listen_in:
      - service: nginx

nginx:
  service.running: []
