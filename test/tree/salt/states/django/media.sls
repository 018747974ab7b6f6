/srv/media:
  file.directory:
    - user: www-data
    - group: www-data
    - mode: 2775
    - makedirs: True

/srv/shop/media:
  file.symlink:
    - target: /srv/media
    - makedirs: True
    - require:
      - file: /srv/media

sync media:
  cron.present:
    - name: rsync -a /srv/media/ backup:/media/
    - user: www-data
    - hour: 3
    - minute: random
