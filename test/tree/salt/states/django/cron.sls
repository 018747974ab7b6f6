clear sessions:
  cron.present:
    - name: /srv/shop/env/bin/python /srv/shop/code/manage.py clearsessions
    - user: shop
    - minute: 15
    - hour: 4
    - identifier: clearsessions

send newsletters:
  cron.present:
    - name: /srv/shop/env/bin/python /srv/shop/code/manage.py send_newsletters
    - user: shop
    - minute: 0
    - hour: 8
    - dayweek: 1

rebuild index:
  cron.absent:
    - name: /srv/shop/env/bin/python /srv/shop/code/manage.py rebuild_index
    - user: shop
    - identifier: rebuild_index

import feeds:
  cron.present:
    - name: flock -n /tmp/feeds.lock /srv/shop/bin/import-feeds
    - user: shop
    - minute: '*/10'
    - require:
      - file: /srv/shop/bin/import-feeds

/srv/shop/bin/import-feeds:
  file.managed:
    - source: salt://django/files/import-feeds
    - mode: 755
    - makedirs: True
